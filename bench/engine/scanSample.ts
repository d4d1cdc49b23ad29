import { percentile } from '../../devnet/percentile.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';
import { machineObjects, naiveMatch } from '../naiveMatcher.js';
import { isSameRecord } from './sameRecord.js';
import { SoaScan } from './soaScan.js';

/** What a baseline needed for its sample of the orders, and how many of its matches are the engine's. */
export interface BaselineSample {
  readonly medianMsPerOrder: number;
  readonly orders: number;
  readonly equal: number;
}

/**
 * Scans for a sample of the orders, evenly over the round, each on the capacity that the engine's earlier records leave.
 * The time of an order is the mean of `sampleSize` of them, the median of `runs` passes.
 */
export function sampleScan(
  snapshot: Snapshot,
  policy: Policy,
  seed: Hex,
  records: readonly MatchRecord[],
  sampleSize: number,
  runs: number,
): BaselineSample {
  const step = Math.max(1, Math.floor(snapshot.orders.length / sampleSize));
  const byOrder = new Map(records.map((record) => [record.orderId, record]));
  const times: number[] = [];
  let equal = 0;
  let orders = 0;
  for (let run = 0; run < runs; run++) {
    const scan = new SoaScan(snapshot, policy, seed);
    // The first scan of an order's token looks its offers up once for the round.
    scan.choose(snapshot.orders[0]!);
    let spentMs = 0;
    orders = 0;
    equal = 0;
    snapshot.orders.forEach((order, index) => {
      const record = byOrder.get(order.orderId);
      if (index % step !== 0) {
        if (record !== undefined) scan.take(record);
        return;
      }
      const start = performance.now();
      const found = scan.match(order);
      spentMs += performance.now() - start;
      orders++;
      if (isSameRecord(found, record)) equal++;
    });
    times.push(spentMs / orders);
  }
  return { medianMsPerOrder: percentile(times, 50)!, orders, equal };
}

/** Gives the first `sampleSize` orders to the naive matcher of objects. */
export function sampleNaive(
  snapshot: Snapshot,
  policy: Policy,
  seed: Hex,
  records: readonly MatchRecord[],
  sampleSize: number,
): BaselineSample {
  const sample = { ...snapshot, orders: snapshot.orders.slice(0, sampleSize) };
  const objects = machineObjects(snapshot, policy);
  const start = performance.now();
  const matches = new Map(naiveMatch(sample, policy, seed, objects));
  const ms = performance.now() - start;
  const byOrder = new Map(records.map((record) => [record.orderId, record.machineId]));
  return {
    medianMsPerOrder: ms / sample.orders.length,
    orders: sample.orders.length,
    equal: sample.orders.filter(({ orderId }) => matches.get(orderId) === byOrder.get(orderId)).length,
  };
}
