import { describe, expect, test } from '@jest/globals';
import { OrderNotInSnapshotError } from './engineError.js';
import { explainOrder } from './explainOrder.js';
import type { OrderExplanation } from './explainOrder.js';
import type { MachineFields, ProviderFields } from './market.js';
import type { Order } from './order.js';
import { BLOCK, ROUND, snapshotOf, TIMESTAMP } from './reference/arbitrarySnapshot.js';
import type { RoundPlan } from './reference/arbitrarySnapshot.js';
import {
  PLAIN_POLICY,
  plainMachine,
  plainOrder,
  plainProvider,
  plainRound,
  reportUntil,
} from './reference/plainRound.js';
import { RejectionReason, rejectionName } from './rejectionReason.js';

function explained(changes: Partial<RoundPlan>, orderId = 1): OrderExplanation {
  const plan = plainRound(changes);
  return explainOrder(snapshotOf(plan, 'ascending'), plan.policy, plan.seed, orderId);
}

interface Failure {
  readonly order?: Partial<Order>;
  readonly machine?: Partial<MachineFields>;
  readonly provider?: Partial<ProviderFields>;
}

/** For each reason the change that brings it about, and the nearest one that does not. */
const filters: readonly [reason: number, fails: Failure, passes: Failure][] = [
  [
    RejectionReason.MACHINE_INACTIVE,
    { machine: { activeFromRound: ROUND + 1 } },
    { machine: { activeFromRound: ROUND } },
  ],
  [
    RejectionReason.MACHINE_INACTIVE,
    { machine: { activeUntilRound: ROUND } },
    { machine: { activeUntilRound: ROUND + 1 } },
  ],
  [RejectionReason.PROVIDER_NOT_ACTIVE, { provider: { status: 3 } }, { provider: { status: 2 } }],
  [RejectionReason.PROVIDER_EXCLUDED, { order: { providersExcluded: [2, 1] } }, { order: { providersExcluded: [2] } }],
  [RejectionReason.PROVIDER_NOT_WANTED, { order: { providersWanted: [2] } }, { order: { providersWanted: [2, 1] } }],
  [RejectionReason.TOKEN, { order: { tokenId: 2 } }, { order: { tokenId: 1 } }],
  [RejectionReason.GPU_MODEL, { order: { models: [4, 6] } }, { order: { models: [4, 5] } }],
  [RejectionReason.REGION_EXCLUDED, { order: { regionsExcluded: [33] } }, { order: { regionsExcluded: [32, 34] } }],
  [
    RejectionReason.REGION_REQUIRED,
    { order: { regions: [32], regionRequired: true } },
    { order: { regions: [32], regionRequired: false } },
  ],
  [
    RejectionReason.REGION_REQUIRED,
    { order: { regions: [65], regionRequired: true } },
    { order: { regions: [], regionRequired: true } },
  ],
  [RejectionReason.TIER, { order: { tiers: 0b1111011 } }, { order: { tiers: 0b0000100 } }],
  [RejectionReason.TIER, { order: { tiers: 0b1111111 }, provider: { tier: 0 } }, { provider: { tier: 0 } }],
  [
    RejectionReason.ATTRIBUTES,
    { order: { attributes: 1n << 53n }, provider: { attributes: (1n << 53n) - 1n } },
    { order: { attributes: 1n << 53n }, provider: { attributes: 1n << 53n } },
  ],
  [
    RejectionReason.ATTRIBUTES,
    { order: { attributes: 3n }, provider: { attributes: 1n } },
    { order: { attributes: 1n }, provider: { attributes: 3n } },
  ],
  [RejectionReason.UPTIME, { order: { minUptimeBps: 9901 } }, { order: { minUptimeBps: 9900 } }],
  [
    RejectionReason.UPTIME,
    { order: { minUptimeBps: 9501 }, provider: { uptimeBps: 0x3fff } },
    { order: { minUptimeBps: 9500 }, provider: { uptimeBps: 0x3fff } },
  ],
  [RejectionReason.REPUTATION, { order: { minReputationBps: 7001 } }, { order: { minReputationBps: 7000 } }],
  [
    RejectionReason.REPUTATION,
    { order: { minReputationBps: 5001 }, provider: { reputationBps: 0x3fff } },
    { order: { minReputationBps: 5000 }, provider: { reputationBps: 0x3fff } },
  ],
  [RejectionReason.SLASHES, { provider: { slashes: 1 } }, { provider: { slashes: 1 }, order: { maxSlashes: 1 } }],
  [RejectionReason.CPU, { machine: { freeCpuMilli: 3999 } }, { machine: { freeCpuMilli: 4000 } }],
  [RejectionReason.MEMORY, { machine: { freeMemoryMib: 8191 } }, { machine: { freeMemoryMib: 8192 } }],
  [RejectionReason.STORAGE, { machine: { freeStorageGib: 1023 } }, { machine: { freeStorageGib: 1024 } }],
  [
    RejectionReason.DEVICES,
    { machine: { freeMilliGpu: [999, 999, 999, 999, 999, 999, 999, 999] } },
    { machine: { freeMilliGpu: [0, 0, 0, 0, 0, 0, 0, 1000] } },
  ],
  [
    RejectionReason.DEVICES,
    { order: { milliGpu: 461 }, machine: { freeMilliGpu: [460, 460, 0, 0, 0, 0, 0, 0] } },
    { order: { milliGpu: 460 }, machine: { freeMilliGpu: [459, 460, 0, 0, 0, 0, 0, 0] } },
  ],
  [
    RejectionReason.PRICE,
    { order: { maxPriceMicroPerHour: 1_057_999 } },
    { order: { maxPriceMicroPerHour: 1_058_000 } },
  ],
];

function roundWith(failure: Failure): Partial<RoundPlan> {
  return {
    orders: [plainOrder(failure.order)],
    market: { providers: [plainProvider(failure.provider)], machines: [plainMachine(failure.machine)] },
  };
}

describe('filters', () => {
  test.each(filters.map(([reason, fails, passes]) => ({ name: rejectionName(reason), reason, fails, passes })))(
    '$name: $fails',
    ({ reason, fails, passes }) => {
      expect(explained(roundWith(fails))).toMatchObject({
        outcome: 'unmatched',
        decidingReason: reason,
        rejections: [{ machineId: 1, providerId: 1, reason }],
      });
      expect(explained(roundWith(passes)).outcome).toBe('matched');
    },
  );

  test('the first filter that fails is the reason', () => {
    // All of them fail at once; each next round repairs the first one.
    const everything = filters.reduce<Failure>(
      (all, [, fails]) => ({
        order: { ...all.order, ...fails.order },
        machine: { ...all.machine, ...fails.machine },
        provider: { ...all.provider, ...fails.provider },
      }),
      {},
    );
    expect(explained(roundWith(everything)).decidingReason).toBe(RejectionReason.MACHINE_INACTIVE);
    const active = {
      ...everything,
      machine: { ...everything.machine, activeFromRound: 1, activeUntilRound: ROUND + 1 },
    };
    expect(explained(roundWith(active)).decidingReason).toBe(RejectionReason.PROVIDER_NOT_ACTIVE);
    const inService = { ...active, provider: { ...active.provider, status: 2 } };
    expect(explained(roundWith(inService)).decidingReason).toBe(RejectionReason.PROVIDER_EXCLUDED);
  });
});

describe('eligibility of the order', () => {
  test.each([
    ['notOpen', { isOpen: false }, { isOpen: true }],
    ['notYetEligible', { eligibleFromBlock: BLOCK + 1 }, { eligibleFromBlock: BLOCK }],
    ['ended', { untilRound: ROUND }, { untilRound: ROUND + 1 }],
    ['expired', { expiresAtSeconds: TIMESTAMP }, { expiresAtSeconds: TIMESTAMP + 1 }],
  ])('%s', (eligibility, fails, passes) => {
    expect(explained({ orders: [plainOrder(fails)] })).toMatchObject({
      outcome: 'notEligible',
      eligibility,
      decidingReason: RejectionReason.ORDER_NOT_ELIGIBLE,
      record: undefined,
    });
    expect(explained({ orders: [plainOrder(passes)] }).outcome).toBe('matched');
  });
});

describe('explainOrder', () => {
  test('gives every term of the total', () => {
    const providers = [plainProvider({ reports: [reportUntil(1, 700), reportUntil(-1, 500), 0, 0] })];
    const order = plainOrder({ regions: [34] });
    const components = {
      price: 4710,
      stake: 1000,
      fit: 5000,
      region: 5000,
      uptime: 9900,
      reputation: 7000,
      packing: 0,
    };
    const weighted = 4500 * 4710 + 1500 * 1000 + 1500 * 5000 + 1000 * 5000 + 1000 * 9900 + 500 * 7000;
    expect(explained({ orders: [order], market: { providers, machines: [plainMachine()] } }).scores).toEqual([
      {
        machineId: 1,
        providerId: 1,
        priceMicroPerHour: 1_058_000,
        offerIndex: 0,
        fromBid: false,
        bidIndex: 0,
        components,
        packingLoss: 0,
        packingLargestLoss: 0,
        complianceBps: 10_700,
        base: 10_700 * weighted,
        jitter: 0,
        total: 10_700 * weighted,
      },
    ]);
  });

  test('gives what a machine loses by the order, and the packing component that follows, weighted before it is floored', () => {
    const packing = {
      fromMilli: [1000],
      value: [900],
      deviceWeight: 1,
      cpuWeight: 0,
      memoryWeight: 0,
      cpuRate: 0,
      memoryRate: 0,
      models: [],
      modelFactor: [],
    };
    const policy = { ...PLAIN_POLICY, rulesVersion: 2, weightReputationBps: 0, weightPackingBps: 500, packing };
    const [score] = explained({ policy }).scores;
    // 900 lost of 900 + 1000 at most.
    expect(score).toMatchObject({ packingLoss: 900, packingLargestLoss: 1900, components: { packing: 5263 } });
    const weighted = 4500 * 4710 + 1500 * 1000 + 1500 * 5000 + 1000 * 10_000 + 1000 * 9900;
    expect(score?.base).toBe(10_000 * (weighted + 2_631_578));
  });

  test('applies the reservations of lower order ids, and of no higher one', () => {
    const orders = [1, 2, 3].map((orderId) => plainOrder({ orderId, milliGpu: 2000, maxPriceMicroPerHour: 3_000_000 }));
    expect(explained({ orders }, 1).outcome).toBe('matched');
    expect(explained({ orders }, 2)).toMatchObject({
      outcome: 'unmatched',
      decidingReason: RejectionReason.DEVICES,
    });
  });

  test('decides by the furthest filter, and counts machines by reason', () => {
    const machines = [
      plainMachine({ freeCpuMilli: 1 }),
      plainMachine({ freeCpuMilli: 1 }),
      plainMachine({ freeMilliGpu: [1, 1, 1, 1, 1, 1, 1, 1] }),
      plainMachine({ model: 1 }),
    ];
    const explanation = explained({
      orders: [plainOrder({ models: [5] })],
      market: { providers: [plainProvider()], machines },
    });
    expect(explanation.decidingReason).toBe(RejectionReason.DEVICES);
    expect(explanation.rejectedByReason).toEqual(
      new Map([
        [RejectionReason.CPU, 2],
        [RejectionReason.DEVICES, 1],
        [RejectionReason.GPU_MODEL, 1],
      ]),
    );
  });

  test('says when the batch was full before the turn of the order', () => {
    const policy = { ...PLAIN_POLICY, maxMatches: 1 };
    const orders = [1, 2].map((orderId) => plainOrder({ orderId }));
    const explanation = explained({ policy, orders }, 2);
    expect(explanation).toMatchObject({ outcome: 'batchFull', record: undefined, decidingReason: undefined });
    expect(explanation.scores).toHaveLength(1);
  });

  test('lists candidates from the best down', () => {
    const machines = [3, 1, 2].map((price) => plainMachine({}, { gpuMicroPerHour: price * 500_000 }));
    const { scores } = explained({ market: { providers: [plainProvider()], machines } });
    expect(scores.map(({ machineId }) => machineId)).toEqual([2, 3, 1]);
  });

  test('names an empty market as having no active machine', () => {
    expect(explained({ market: { providers: [], machines: [] } })).toMatchObject({
      outcome: 'unmatched',
      decidingReason: RejectionReason.MACHINE_INACTIVE,
    });
  });

  test('refuses an order that is not in the snapshot', () => {
    expect(() => explained({}, 2)).toThrow(OrderNotInSnapshotError);
  });
});
