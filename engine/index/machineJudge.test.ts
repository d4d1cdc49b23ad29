import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { OrderMatcher } from '../orderMatcher.js';
import { rejectionOf } from '../filter.js';
import { OFFERS_PER_MACHINE } from '../market.js';
import { orderTermsOf } from '../orderTerms.js';
import { packingOf, weightedPacking } from '../packing.js';
import { roundPlanArbitrary, snapshotOf } from '../reference/arbitrarySnapshot.js';
import { RejectionReason } from '../rejectionReason.js';
import { regionScoresOf } from '../score.js';
import { belongs } from './liveOffers.js';
import { MachineJudge } from './machineJudge.js';
import { MarketIndex } from './marketIndex.js';
import { TRAITS, traitsOf } from './packingTraits.js';

const OF_PROVIDER: readonly number[] = [
  RejectionReason.PROVIDER_NOT_WANTED,
  RejectionReason.PROVIDER_EXCLUDED,
  RejectionReason.TIER,
  RejectionReason.ATTRIBUTES,
  RejectionReason.UPTIME,
  RejectionReason.REPUTATION,
  RejectionReason.SLASHES,
];
const OF_ROOM: readonly number[] = [RejectionReason.CPU, RejectionReason.MEMORY, RejectionReason.STORAGE];

test('judges machines as the scan does: filters, price, base, and no more packing than it says there can be', () => {
  let candidates = 0;
  let refused = 0;
  let tight = 0;
  fc.assert(
    fc.property(roundPlanArbitrary, (plan) => {
      const snapshot = { ...snapshotOf(plan, 'ascending'), bids: new Map() };
      const { market } = snapshot;
      const { policy } = plan;
      const scan = new OrderMatcher(snapshot, policy, plan.seed);
      const index = new MarketIndex(snapshot, policy);
      const judge = new MachineJudge(index);
      judge.start(policy, packingOf(policy));
      for (const order of snapshot.orders) {
        judge.begin(order);
        const terms = orderTermsOf(order, snapshot, scan.round);
        const quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
        for (let machineId = 1; machineId <= market.machineCount; machineId++) {
          const rejection = rejectionOf(scan.round, scan.capacity, terms, machineId, quote);
          const provider = market.providerId[machineId]!;
          if (OF_PROVIDER.includes(rejection)) expect(judge.admits(provider)).toBe(false);
          if (OF_ROOM.includes(rejection)) expect(judge.hasRoom(machineId)).toBe(false);
          if (rejection === RejectionReason.DEVICES) expect(judge.hasDevices(machineId)).toBe(false);
          if (rejection !== 0) {
            refused++;
            continue;
          }
          candidates++;
          expect(judge.admits(provider) && judge.hasRoom(machineId) && judge.hasDevices(machineId)).toBe(true);
          const price = judge.priceOf(machineId * OFFERS_PER_MACHINE + quote.offerIndex);
          expect(price).toBe(quote.priceMicroPerHour);
          const regionPoints = regionScoresOf(order.regions)[market.region[machineId]!]! * policy.weightRegionBps;
          expect(judge.baseOf(machineId, provider, price, regionPoints)).toBe(scan.baseOf(terms, machineId, price));
          const model = market.model[machineId]!;
          if (policy.weightPackingBps === 0 || model === 0) continue;
          const bucket = index.buckets.find((known) => belongs(market, machineId, order.tokenId, known))!;
          const { total, devices } = index.loadFree(machineId, bucket);
          const traits = traitsOf(total, devices);
          const loss = scan.packingLossOf(terms, machineId);
          const packing = weightedPacking(policy.weightPackingBps, loss, terms.largestLoss);
          if (packing === judge.mostPacking(traits, model)) tight++;
          expect(packing).toBeLessThanOrEqual(judge.mostPacking(traits, model));
          for (let more = 0; more < TRAITS; more++) {
            expect(judge.mostPacking(traits, model)).toBeLessThanOrEqual(judge.mostPacking(traits | more, model));
          }
          expect(judge.mostPacking(traits, model)).toBeLessThanOrEqual(judge.mostPacking(traits));
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(candidates).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
  expect(tight).toBeGreaterThan(100);
});
