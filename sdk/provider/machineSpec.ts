/** A machine's hardware, as the Solidity struct of the same name. */
export interface MachineSpec {
  /** GPU model, 1..1023; 0 for a machine without GPU. */
  readonly model: number;
  /** 0..1023. */
  readonly region: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  /** 0..8. */
  readonly deviceCount: number;
}
