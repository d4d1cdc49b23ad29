/** A GPU model of the demo's market. */
export interface GpuModel {
  /** Resource id in Spheron's GPU list. */
  readonly id: number;
  readonly name: string;
  /** What the demo's providers ask around, millionths of a dollar per GPU and hour. */
  readonly microUsdPerHour: number;
}

/** GPU models by Spheron's short names and resource ids. */
export const GPU_MODELS: readonly GpuModel[] = [
  { id: 23, name: 'p100', microUsdPerHour: 60_000 },
  { id: 24, name: 'rtxa4000', microUsdPerHour: 90_000 },
  { id: 31, name: 't4', microUsdPerHour: 110_000 },
  { id: 34, name: 'rtx3090', microUsdPerHour: 220_000 },
  { id: 36, name: 'rtx4090', microUsdPerHour: 390_000 },
  { id: 38, name: 'a10', microUsdPerHour: 450_000 },
  { id: 41, name: 'v100', microUsdPerHour: 250_000 },
  { id: 46, name: 'l40s', microUsdPerHour: 860_000 },
  { id: 50, name: 'a100-80g', microUsdPerHour: 1_350_000 },
  { id: 51, name: 'h100', microUsdPerHour: 2_100_000 },
];

/** A region; regions of one part of the world share id >> 5, which the score of a near miss goes by. */
export interface Region {
  readonly id: number;
  readonly name: string;
}

/** Regions by Spheron's codes, grouped by continent. */
export const REGIONS: readonly Region[] = [
  { id: 32, name: 'us-east' },
  { id: 33, name: 'us-west' },
  { id: 34, name: 'us-central' },
  { id: 35, name: 'canada' },
  { id: 64, name: 'germany' },
  { id: 65, name: 'netherlands' },
  { id: 66, name: 'finland' },
  { id: 67, name: 'france' },
  { id: 96, name: 'singapore' },
  { id: 97, name: 'japan' },
  { id: 98, name: 'india' },
  { id: 128, name: 'brazil' },
];

/** Attribute bits of a provider, after the families that Spheron's providers declare. */
export const ATTRIBUTES = {
  hpcCompute: 1n << 0n,
  nvmeStorage: 1n << 1n,
  highSpeedNetwork: 1n << 2n,
  ultraHighSpeedNetwork: 1n << 3n,
  staticIp: 1n << 4n,
} as const;

/** Standards that auditors attest to, by the number that a report carries. */
export const STANDARDS = { soc2: 1, iso27001: 2, hipaa: 3, pciDss: 4 } as const;

/** Providers of a devnet are let in by trust tier: 1 to 3 are "secured", 4 to 7 "community". */
export const SECURED_TIERS = 0b0000111;
