import { DEVICES_PER_MACHINE } from '../../engine/market.js';
import type { Market } from '../../engine/market.js';
import type { Order } from '../../engine/order.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import { referenceMachine, referenceMatch } from '../../engine/reference/referenceMatcher.js';
import type { ReferenceMachine } from '../../engine/reference/referenceMatcher.js';
import type { Hex, Snapshot } from '../../engine/snapshot.js';
import { isSameRecord } from './sameRecord.js';

const REGION_IDS = 1024;
/** Machines kept as the reference's objects, about 1 KB each, before they are read anew. */
const MOST_KEPT = 200_000;

/** How many orders were judged, and for how many the engine's record and total, or the lack of them, are the reference's. */
export interface Judgement {
  readonly judged: number;
  readonly equal: number;
}

/**
 * Judges the orders at the places `from`, `from + step`, … of a round by the BigInt reference: each against the machines as the engine's
 * records of all earlier orders leave them. Machines of models that the order does not name, and outside of the regions that it
 * requires, are not shown to the reference: filters 7 and 9 refuse them whatever else they are.
 */
export function judgeRecords(
  snapshot: Snapshot,
  policy: Policy,
  seed: Hex,
  records: readonly MatchRecord[],
  totals: Float64Array,
  from: number,
  step: number,
): Judgement {
  const market = snapshot.market.copy();
  const replayed = { ...snapshot, market };
  const cells = cellsOf(market);
  const kept = new Map<number, ReferenceMachine>();
  const machineOf = (machineId: number): ReferenceMachine => {
    const known = kept.get(machineId);
    if (known !== undefined) return known;
    if (kept.size >= MOST_KEPT) kept.clear();
    const machine = referenceMachine(replayed, policy, machineId);
    kept.set(machineId, machine);
    return machine;
  };
  const placeOf = new Map(records.map(({ orderId }, place) => [orderId, place]));
  let judged = 0;
  let equal = 0;
  snapshot.orders.forEach((order, index) => {
    const place = placeOf.get(order.orderId);
    const record = place === undefined ? undefined : records[place];
    if (index >= from && (index - from) % step === 0) {
      const machines = machinesFor(order, cells).map(machineOf);
      const expected = referenceMatch(replayed, policy, seed, order, machines);
      const isSameTotal = expected === undefined || place === undefined || expected.total === BigInt(totals[place]!);
      judged++;
      if (isSameTotal && isSameRecord(record, expected?.record)) equal++;
    }
    if (record === undefined) return;
    take(market, record);
    kept.delete(record.machineId);
  });
  return { judged, equal };
}

/** Machine ids by model and region. */
function cellsOf(market: Market): ReadonlyMap<number, readonly number[]> {
  const cells = new Map<number, number[]>();
  for (let machineId = 1; machineId <= market.machineCount; machineId++) {
    const cell = market.model[machineId]! * REGION_IDS + market.region[machineId]!;
    const ids = cells.get(cell);
    if (ids === undefined) cells.set(cell, [machineId]);
    else ids.push(machineId);
  }
  return cells;
}

function machinesFor(order: Order, cells: ReadonlyMap<number, readonly number[]>): number[] {
  const machines: number[] = [];
  for (const [cell, ids] of cells) {
    const isModelNamed = order.models.length === 0 || order.models.includes(Math.floor(cell / REGION_IDS));
    const isRegionOpen =
      !order.regionRequired || order.regions.length === 0 || order.regions.includes(cell % REGION_IDS);
    if (isModelNamed && isRegionOpen) for (const id of ids) machines.push(id);
  }
  return machines;
}

function take(market: Market, record: MatchRecord): void {
  const { machineId } = record;
  const perDevice = Math.min(record.milliGpu, 1000);
  for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
    if ((record.deviceMask >> device) % 2 === 1)
      market.freeMilliGpu[machineId * DEVICES_PER_MACHINE + device]! -= perDevice;
  }
  market.freeCpuMilli[machineId]! -= record.cpuMilli;
  market.freeMemoryMib[machineId]! -= record.memoryMib;
  market.freeStorageGib[machineId]! -= record.storageGib;
}
