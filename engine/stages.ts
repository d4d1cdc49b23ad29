import type { Market } from './market.js';

/** Candidates of the order at hand, in columns that are used again for the next order. */
export class Candidates {
  count = 0;
  readonly machineId: Uint32Array;
  readonly priceMicroPerHour: Float64Array;
  readonly offerIndex: Uint8Array;
  /** -1 when an offer set the price. */
  readonly bidIndex: Int16Array;
  /** Total without jitter; written by scoring. */
  readonly base: Float64Array;

  constructor(market: Market) {
    const rows = market.machineCount;
    this.machineId = new Uint32Array(rows);
    this.priceMicroPerHour = new Float64Array(rows);
    this.offerIndex = new Uint8Array(rows);
    this.bidIndex = new Int16Array(rows);
    this.base = new Float64Array(rows);
  }
}

/** Machines that passed every filter, with their price. */
export interface Unscored {
  readonly stage: 'unscored';
  readonly candidates: Candidates;
}

/** The same with compliance x weighted components for each. */
export interface Scored {
  readonly stage: 'scored';
  readonly candidates: Candidates;
  /** Row with the highest base; undefined when there is no candidate. */
  readonly bestRow: number | undefined;
}

/** The machine that takes the order. */
export interface Chosen {
  readonly stage: 'chosen';
  readonly machineId: number;
  readonly providerId: number;
  readonly priceMicroPerHour: number;
  readonly offerIndex: number;
  /** -1 when an offer set the price. */
  readonly bidIndex: number;
  readonly total: number;
}
