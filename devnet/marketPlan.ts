import type { OrderSpec } from '../protocol/orderSpec.js';

/** A provider of a devnet, before it has an id. */
export interface ProviderPlan {
  readonly name: string;
  readonly hostUri: string;
  /** Trust tier 1..7. */
  readonly tier: number;
  readonly attributes: bigint;
  /** Null: not measured yet. */
  readonly scores: { readonly uptimeBps: number; readonly reputationBps: number; readonly slashes: number } | null;
  /** Whole tokens staked on top of what the machines need. */
  readonly extraStakeWhole: number;
  readonly reports: readonly ReportPlan[];
}

/** What one auditor attests about a provider. */
export interface ReportPlan {
  /** Index of the devnet's auditor. */
  readonly auditor: number;
  readonly standard: number;
  readonly bps: number;
  readonly validDays: number;
}

/** A machine of a devnet and the offers it makes. */
export interface MachinePlan {
  /** Index into the plan's providers. */
  readonly provider: number;
  readonly spec: {
    readonly model: number;
    readonly region: number;
    readonly cpuMilli: number;
    readonly memoryMib: number;
    readonly storageGib: number;
    readonly deviceCount: number;
  };
  /** At most four, one a token. */
  readonly offers: readonly OfferPlan[];
}

/** Unit prices in micro-units of the token per hour. */
export interface OfferPlan {
  readonly tokenId: number;
  readonly gpuMicroPerHour: number;
  readonly coreMicroPerHour: number;
  readonly memoryGibMicroPerHour: number;
  readonly storageTibMicroPerHour: number;
}

/** An order of a devnet; its lists of providers hold indexes of the plan's providers, which become ids when it is sent. */
export interface OrderPlan {
  /** Index of the tenant that sends it. */
  readonly tenant: number;
  readonly spec: OrderSpec;
}

/** Everything that is put on a devnet's market. */
export interface MarketPlan {
  readonly providers: readonly ProviderPlan[];
  readonly machines: readonly MachinePlan[];
  readonly orders: readonly OrderPlan[];
  readonly tenantCount: number;
  /** Names of the GPU models by id, for reports. */
  readonly modelNames: ReadonlyMap<number, string>;
}

/** Payment tokens of a devnet by id. */
export const DEVNET_TOKENS = [
  { id: 1, name: 'Devnet uSPON', symbol: 'uSPON', decimals: 6 },
  { id: 2, name: 'Devnet DAI', symbol: 'DAI', decimals: 18 },
] as const;

/** How many accredited auditors a devnet has. */
export const AUDITOR_COUNT = 2;
