import type { Market } from './market.js';
import type { Bid, Order } from './order.js';

/** 0x-prefixed hex bytes. */
export type Hex = `0x${string}`;

/** The market state in block B(round): everything the engine reads. */
export interface Snapshot {
  readonly round: number;
  readonly blockNumber: number;
  /** Hash of the snapshot block. */
  readonly snapshotHash: Hex;
  /** Timestamp of the snapshot block; everything time-dependent is judged at it. */
  readonly timestampSeconds: number;
  /** Orders that may be eligible, strictly ascending by id. */
  readonly orders: readonly Order[];
  /** Bids by order id, ascending by bid index; orders without bids are absent. */
  readonly bids: ReadonlyMap<number, readonly Bid[]>;
  /** Machines, offers and providers. The engine reads it and leaves it as it was. */
  readonly market: Market;
}
