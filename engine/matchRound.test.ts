import { describe, expect, test } from '@jest/globals';
import { OrdersNotAscendingError, PolicyOutOfRangeError, RulesVersionUnsupportedError } from './engineError.js';
import { MAX_JITTER_RANGE } from './jitter.js';
import { matchRound } from './matchRound.js';
import type { MatchRecord } from './record.js';
import { snapshotOf } from './reference/arbitrarySnapshot.js';
import type { RoundPlan } from './reference/arbitrarySnapshot.js';
import {
  PLAIN_POLICY,
  plainBid,
  plainMachine,
  plainOrder,
  plainProvider,
  plainRound,
  reportUntil,
} from './reference/plainRound.js';
import { referenceJitter } from './reference/referenceMatcher.js';

function matchesOf(changes: Partial<RoundPlan>): MatchRecord[] {
  const plan = plainRound(changes);
  return matchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed);
}

function winnersOf(changes: Partial<RoundPlan>): number[] {
  return matchesOf(changes).map(({ machineId }) => machineId);
}

describe('matchRound', () => {
  test('writes the whole record of a match', () => {
    expect(matchesOf({})).toEqual([
      {
        orderId: 1,
        machineId: 1,
        priceMicroPerHour: 1_058_000,
        deviceMask: 0b1,
        milliGpu: 1000,
        cpuMilli: 4000,
        memoryMib: 8192,
        storageGib: 1024,
        offerIndex: 0,
        fromBid: false,
        tokenId: 1,
        providerId: 1,
        bidIndex: 0,
      },
    ]);
  });

  test('takes capacity before the next order is looked at', () => {
    const orders = [1, 2, 3].map((orderId) => plainOrder({ orderId }));
    expect(matchesOf({ orders }).map(({ orderId, deviceMask }) => [orderId, deviceMask])).toEqual([
      [1, 0b01],
      [2, 0b10],
    ]);
  });

  test('lets a later smaller order take what an earlier one could not', () => {
    const orders = [plainOrder({ orderId: 4, milliGpu: 3000 }), plainOrder({ orderId: 7, milliGpu: 500 })];
    expect(matchesOf({ orders }).map(({ orderId }) => orderId)).toEqual([7]);
  });

  test('stops at maxMatches, not at maxMatches orders', () => {
    const orders = [
      plainOrder({ orderId: 1, maxPriceMicroPerHour: 1 }),
      plainOrder({ orderId: 2 }),
      plainOrder({ orderId: 3 }),
    ];
    const policy = { ...PLAIN_POLICY, maxMatches: 1 };
    expect(matchesOf({ orders, policy }).map(({ orderId }) => orderId)).toEqual([2]);
  });

  test('refuses rules it does not implement', () => {
    const policy = { ...PLAIN_POLICY, rulesVersion: 3 };
    expect(() => matchesOf({ policy })).toThrow(RulesVersionUnsupportedError);
  });

  test.each([{ saturationWhole: 0 }, { jitterRange: MAX_JITTER_RANGE + 1 }])('refuses a policy with %o', (changes) => {
    expect(() => matchesOf({ policy: { ...PLAIN_POLICY, ...changes } })).toThrow(PolicyOutOfRangeError);
  });

  test.each([
    [2, 1],
    [1, 1],
  ])('refuses orders %d, %d', (first, second) => {
    const orders = [plainOrder({ orderId: first }), plainOrder({ orderId: second })];
    expect(() => matchesOf({ orders })).toThrow(OrdersNotAscendingError);
  });
});

describe('ties and jitter', () => {
  const providers = [plainProvider(), plainProvider()];

  test('the lower provider id wins, whatever the machine ids', () => {
    const machines = [plainMachine({ providerId: 2 }), plainMachine({ providerId: 1 })];
    expect(winnersOf({ market: { providers, machines } })).toEqual([2]);
  });

  test('then the lower machine id', () => {
    expect(winnersOf({ market: { providers, machines: [plainMachine(), plainMachine()] } })).toEqual([1]);
  });

  test('jitter decides between equals, and is the same for all machines of a provider', () => {
    const policy = { ...PLAIN_POLICY, jitterRange: 6_000_000_000 };
    const machines = [1, 2, 1, 2].map((providerId) => plainMachine({ providerId }));
    const { seed } = plainRound();
    for (let orderId = 1; orderId <= 30; orderId++) {
      const [one, two] = [1, 2].map((provider) => referenceJitter(seed, orderId, provider, policy.jitterRange));
      const expected = two! > one! ? 2 : 1;
      expect(winnersOf({ policy, orders: [plainOrder({ orderId })], market: { providers, machines } })).toEqual([
        expected,
      ]);
    }
  });

  test('a base that is more than J ahead cannot be overtaken', () => {
    const policy = { ...PLAIN_POLICY, jitterRange: 1 };
    const machines = [plainMachine({ providerId: 1 }), plainMachine({ providerId: 2 }, { gpuMicroPerHour: 999_000 })];
    for (let orderId = 1; orderId <= 30; orderId++) {
      expect(winnersOf({ policy, orders: [plainOrder({ orderId })], market: { providers, machines } })).toEqual([2]);
    }
  });

  test('a total of 0 can win', () => {
    const policy = {
      ...PLAIN_POLICY,
      weightPriceBps: 10_000,
      weightStakeBps: 0,
      weightFitBps: 0,
      weightRegionBps: 0,
      weightUptimeBps: 0,
      weightReputationBps: 0,
    };
    expect(winnersOf({ policy, orders: [plainOrder({ maxPriceMicroPerHour: 1_058_000 })] })).toEqual([1]);
  });
});

describe('bids against offers', () => {
  test('a strictly lower bid sets the price', () => {
    expect(matchesOf({ bids: [plainBid({ bidIndex: 6, priceMicroPerHour: 1_057_999 })] })[0]).toMatchObject({
      priceMicroPerHour: 1_057_999,
      fromBid: true,
      offerIndex: 0,
      bidIndex: 6,
    });
  });

  test('the offer wins a tie', () => {
    expect(matchesOf({ bids: [plainBid({ bidIndex: 6, priceMicroPerHour: 1_058_000 })] })[0]).toMatchObject({
      fromBid: false,
      bidIndex: 0,
    });
  });

  test('a bid stands alone when the offer was withdrawn', () => {
    const market = { providers: [plainProvider()], machines: [plainMachine({}, { tokenId: 0 })] };
    const bids = [plainBid({ bidIndex: 2, priceMicroPerHour: 1_900_000 })];
    expect(matchesOf({ market, bids })[0]).toMatchObject({ priceMicroPerHour: 1_900_000, fromBid: true, bidIndex: 2 });
  });

  test('of several bids on a machine the lowest counts, of equal ones the first', () => {
    const bids = [950_000, 900_000, 900_000].map((priceMicroPerHour, bidIndex) =>
      plainBid({ bidIndex, priceMicroPerHour }),
    );
    expect(matchesOf({ bids })[0]).toMatchObject({ priceMicroPerHour: 900_000, bidIndex: 1 });
  });

  test.each([
    ['withdrawn from this round on', { untilRound: 100 }],
    ['on another machine', { machineId: 2 }],
    ['by a provider that does not own the machine', { providerId: 2 }],
    ['on another order', { orderId: 2 }],
  ])('a bid %s does not count', (_, changes) => {
    expect(matchesOf({ bids: [plainBid(changes)] })[0]).toMatchObject({ fromBid: false, priceMicroPerHour: 1_058_000 });
  });

  test('a bid withdrawn from the next round on still counts', () => {
    expect(matchesOf({ bids: [plainBid({ untilRound: 101 })] })[0]).toMatchObject({ fromBid: true });
  });

  test('the offer in the order token is found among four', () => {
    const machine = plainMachine(
      {},
      { tokenId: 3 },
      { tokenId: 0 },
      { tokenId: 1, gpuMicroPerHour: 5 },
      { tokenId: 2 },
    );
    const market = { providers: [plainProvider()], machines: [machine] };
    expect(matchesOf({ market })[0]).toMatchObject({ offerIndex: 2, priceMicroPerHour: 58_005 });
  });
});

describe('compliance', () => {
  const plain = plainMachine({ providerId: 1 });
  const reported = plainMachine({ providerId: 2 });

  test.each([
    ['counts on its last day', reportUntil(0, 1), 2],
    ['does not count a day later', reportUntil(-1, 1000), 1],
  ])('a report %s', (_, report, winner) => {
    const providers = [plainProvider(), plainProvider({ reports: [0, 0, 0, report] })];
    expect(winnersOf({ market: { providers, machines: [plain, reported] } })).toEqual([winner]);
  });

  test('reports above the cap add nothing', () => {
    const providers = [
      plainProvider({ reports: [reportUntil(9, 1000), reportUntil(9, 1000), 0, 0] }),
      plainProvider({ reports: [reportUntil(9, 1000), reportUntil(9, 1000), reportUntil(9, 1000), 0] }),
    ];
    expect(winnersOf({ market: { providers, machines: [plain, reported] } })).toEqual([1]);
  });
});
