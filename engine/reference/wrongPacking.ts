import type { Capacity } from '../capacity.js';
import { WHOLE_DEVICE } from '../devices.js';
import { DEVICES_PER_MACHINE } from '../market.js';
import type { OrderMatcher } from '../orderMatcher.js';
import type { OrderTerms } from '../orderTerms.js';
import { Packing, weightedPacking } from '../packing.js';
import type { FreeCapacity } from '../packing.js';
import type { PackingTerms } from '../policy.js';

/** Ways to reckon wrongly what an order loses on a machine by rules with packing. */
export const WRONG_LOSSES = [
  'lossAtSnapshot',
  'lossWithoutShortage',
  'lossWithoutRest',
  'lossWithoutModelFactor',
] as const;
export type WrongLoss = (typeof WRONG_LOSSES)[number];

const PLENTY = 0xffff_ffff;

/** What packing adds to the total of a candidate, had its loss been reckoned the wrong way; for rules with packing. */
export function packedByWrongLoss(
  how: WrongLoss,
  matcher: OrderMatcher,
  snapshotCapacity: Capacity,
  terms: OrderTerms,
  machineId: number,
): number {
  return packedBy(matcher, terms, machineId, wrongLossOf(how, matcher, snapshotCapacity, terms, machineId));
}

/** What packing adds to the total of a candidate that loses `loss`. */
export function packedBy(matcher: OrderMatcher, terms: OrderTerms, machineId: number, loss: number): number {
  const { policy, market, complianceBps } = matcher.round;
  const weighted = weightedPacking(policy.weightPackingBps, loss, terms.largestLoss);
  return complianceBps[market.providerId[machineId]!]! * weighted;
}

function wrongLossOf(
  how: WrongLoss,
  matcher: OrderMatcher,
  snapshotCapacity: Capacity,
  terms: OrderTerms,
  machineId: number,
): number {
  const { capacity } = matcher;
  const { policy, market } = matcher.round;
  const packing = new Packing(
    how === 'lossWithoutModelFactor' ? { ...policy.packing!, models: [], modelFactor: [] } : policy.packing!,
  );
  const lossOn = (free: FreeCapacity): number => packing.lossOn(free, machineId, market.model[machineId]!, terms);
  switch (how) {
    case 'lossAtSnapshot':
      return lossOn(snapshotCapacity);
    case 'lossWithoutShortage':
      return lossOn({
        freeMilliGpu: capacity.freeMilliGpu,
        freeCpuMilli: capacity.freeCpuMilli.map(() => PLENTY),
        freeMemoryMib: capacity.freeMemoryMib.map(() => PLENTY),
      });
    case 'lossWithoutRest':
      return lossOn(capacity) - restOf(capacity, machineId, terms.milliGpu);
    default:
      return lossOn(capacity);
  }
}

/** What a share leaves free on its device, milli-GPU. */
function restOf(capacity: Capacity, machineId: number, milliGpu: number): number {
  if (milliGpu === 0 || milliGpu >= WHOLE_DEVICE) return 0;
  const device = Math.log2(capacity.devicesFor(machineId, milliGpu));
  return capacity.freeMilliGpu[machineId * DEVICES_PER_MACHINE + device]! - milliGpu;
}

/** Terms of which one was changed or left out. */
export function otherPackingTerms(terms: PackingTerms): PackingTerms[] {
  const { deviceWeight, cpuWeight, memoryWeight } = terms;
  return [
    { ...terms, deviceWeight: deviceWeight === 0 ? 1 : 0 },
    { ...terms, cpuWeight: cpuWeight === 0 ? 1 : 0 },
    { ...terms, memoryWeight: memoryWeight === 0 ? 1 : 0 },
    { ...terms, cpuRate: terms.cpuRate >> 1, memoryRate: terms.memoryRate >> 1 },
    { ...terms, fromMilli: terms.fromMilli.slice(1), value: terms.value.slice(1) },
    { ...terms, models: [], modelFactor: [] },
  ];
}
