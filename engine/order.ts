/** An order as the engine reads it at a snapshot block: the order word and its spec together. */
export interface Order {
  readonly orderId: number;
  /** False once matched, closed or refunded. */
  readonly isOpen: boolean;
  /** First round that no longer counts; 0xffffffff for none. */
  readonly untilRound: number;
  readonly eligibleFromBlock: number;
  readonly expiresAtSeconds: number;
  /** 0, 1..999 (a share of one device) or a multiple of 1000 up to 8000. */
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly models: readonly number[];
  readonly regions: readonly number[];
  readonly regionsExcluded: readonly number[];
  readonly providersWanted: readonly number[];
  readonly providersExcluded: readonly number[];
  /** Tier t is bit t - 1; 0 means any. */
  readonly tiers: number;
  /** 54-bit bitmap, all of whose bits the provider must have. */
  readonly attributes: bigint;
  readonly regionRequired: boolean;
  readonly minUptimeBps: number;
  readonly minReputationBps: number;
  readonly maxSlashes: number;
  readonly tokenId: number;
  readonly maxPriceMicroPerHour: number;
  readonly durationMinutes: number;
}

/** A bid on one order, as read at a snapshot block. */
export interface Bid {
  readonly orderId: number;
  /** Position in the order's list of bids ever placed. */
  readonly bidIndex: number;
  readonly machineId: number;
  readonly providerId: number;
  readonly priceMicroPerHour: number;
  /** First round that no longer counts; 0xffffffff for none. */
  readonly untilRound: number;
}
