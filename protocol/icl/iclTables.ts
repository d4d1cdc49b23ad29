/** A GPU model as orders name it. */
export interface GpuModelRow {
  /** 1..1023. */
  readonly id: number;
  readonly name: string;
  /** Memory sizes that the model is made with, GiB; empty when not known. */
  readonly vramGib: readonly number[];
  /** `pcie`, `sxm`; empty when not known. */
  readonly interfaces: readonly string[];
}

/** What the names in ICL documents stand for; the standard ones lie in config/catalogue. */
export interface IclTables {
  /** By short name in lower case. */
  readonly gpuModels: Readonly<Record<string, GpuModelRow>>;
  /** By code. */
  readonly regions: Readonly<Record<string, { readonly id: number; readonly name: string }>>;
  /** Attribute bits by name. */
  readonly capabilities: Readonly<Record<string, { readonly bit: number; readonly name: string }>>;
  /** Token ids by symbol. */
  readonly tokens: Readonly<Record<string, number>>;
}
