import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { auditBatch } from './auditBatch.js';
import type { BatchFinding } from './auditBatch.js';
import { matchRound } from './matchRound.js';
import type { PackingTerms, Policy } from './policy.js';
import type { MatchRecord } from './record.js';
import { NEVER, roundPlanArbitrary, snapshotOf } from './reference/arbitrarySnapshot.js';
import type { RoundPlan } from './reference/arbitrarySnapshot.js';
import { plainBid, plainMachine, plainOrder, plainProvider, plainRound, PLAIN_POLICY } from './reference/plainRound.js';
import { PLANTED_KINDS, plantFault } from './reference/plantFault.js';
import type { PlantedKind } from './reference/plantFault.js';
import { RejectionReason } from './rejectionReason.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 400, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };

/** Markets in which an offer that is not there was never written. */
const planArbitrary = roundPlanArbitrary.map((plan) => ({
  ...plan,
  market: {
    ...plan.market,
    machines: plan.market.machines.map(({ machine, offers }) => ({
      machine: {
        ...machine,
        offersWritten: offers.reduce((mask, { tokenId }, index) => mask | (tokenId === 0 ? 0 : 1 << index), 0),
      },
      offers,
    })),
  },
}));

/** Packing instead of fit, by terms in which half a device is worth nearly a whole one. */
const PACKING_POLICY: Policy = {
  ...PLAIN_POLICY,
  rulesVersion: 2,
  weightFitBps: 0,
  weightPackingBps: PLAIN_POLICY.weightFitBps,
  packing: {
    fromMilli: [500, 1000],
    value: [10, 11],
    deviceWeight: 1,
    cpuWeight: 0,
    memoryWeight: 0,
    cpuRate: 0,
    memoryRate: 0,
    models: [],
    modelFactor: [],
  },
};

function inputOf(plan: RoundPlan) {
  return {
    snapshot: snapshotOf(plan, 'ascending'),
    policy: plan.policy,
    seed: plan.seed,
    nextOrderId: plan.orders.length + 1,
  };
}

function findingsOf(plan: RoundPlan, records: readonly MatchRecord[]): BatchFinding[] {
  return auditBatch({ ...inputOf(plan), records });
}

function honestRecords(plan: RoundPlan): MatchRecord[] {
  return matchRound(snapshotOf(plan, 'ascending'), plan.policy, plan.seed);
}

/** The honest records of a plan, of which there is one. */
function loneRecord(plan: RoundPlan): MatchRecord {
  const [record, ...others] = honestRecords(plan);
  if (record === undefined || others.length > 0) throw new Error('the plan should match one order');
  return record;
}

describe('auditBatch', () => {
  test('finds nothing in the batch of the engine', () => {
    let records = 0;
    fc.assert(
      fc.property(planArbitrary, (plan) => {
        const honest = honestRecords(plan);
        records += honest.length;
        expect(findingsOf(plan, honest)).toEqual([]);
      }),
      parameters,
    );
    // Markets in which nothing matches would make the comparison empty.
    expect(records).toBeGreaterThan(parameters.numRuns / 2);
  });

  test('finds nothing only in the batch of the engine, whatever was changed in it', () => {
    const changes = fc.array(changeArbitrary, { minLength: 1, maxLength: 3 });
    let changed = 0;
    fc.assert(
      fc.property(planArbitrary, changes, (plan, made) => {
        const honest = honestRecords(plan);
        const records = made.reduce((before, change) => change(before, plan), honest);
        if (records.length > plan.policy.maxMatches) return;
        const findings = findingsOf(plan, records);
        if (findings.length === 0) expect(records).toEqual(honest);
        else changed += 1;
      }),
      { ...parameters, numRuns: 2 * parameters.numRuns },
    );
    expect(changed).toBeGreaterThan(parameters.numRuns);
  });

  test('finds nothing only in the batch of the engine where a batch holds few records', () => {
    fc.assert(
      fc.property(planArbitrary, fc.integer({ min: 0, max: 3 }), (plan, omitted) => {
        const full = { ...plan, policy: { ...plan.policy, maxMatches: 3 } };
        const honest = honestRecords(full);
        const records = honestRecords({ ...full, policy: { ...full.policy, maxMatches: 512 } })
          .filter((_, index) => index !== omitted)
          .slice(0, 3);
        const isHonest = JSON.stringify(records) === JSON.stringify(honest);
        expect(findingsOf(full, records).length === 0).toBe(isHonest);
      }),
      parameters,
    );
  });

  test('leaves the snapshot as it was', () => {
    fc.assert(
      fc.property(planArbitrary, (plan) => {
        const input = inputOf(plan);
        auditBatch({ ...input, records: honestRecords(plan).slice(1) });
        expect(input.snapshot).toEqual(snapshotOf(plan, 'ascending'));
      }),
      { ...parameters, numRuns: 100 },
    );
  });
});

describe('auditBatch on planted faults', () => {
  test.each(PLANTED_KINDS)('finds %s in every market that has room for it', (kind) => {
    fc.assert(
      fc.property(planArbitrary, fc.infiniteStream(fc.nat()), (plan, choices) => {
        const choose = (count: number) => choices.next().value! % count;
        const records = plantFault(kind, { ...inputOf(plan), choose });
        if (records !== undefined) expect(findingsOf(plan, records)).not.toEqual([]);
      }),
      { ...parameters, numRuns: 100 },
    );
  });

  test.each(Object.entries(plannedKinds()))('names %s for what it is', (kind, { plan, expected }) => {
    const records = plantFault(kind as PlantedKind, { ...inputOf(plan), choose: () => 0 });
    if (records === undefined) throw new Error('the plan has no room for the fault');
    expect(findingsOf(plan, records)).toEqual(expect.arrayContaining([expect.objectContaining(expected)]));
  });

  test('has a plan for every kind', () => {
    expect(Object.keys(plannedKinds()).sort()).toEqual([...PLANTED_KINDS].sort());
  });
});

describe('the ids of a finding', () => {
  const machine = { machineId: 1, providerId: 1, offerIndex: 0, bidIndex: null };

  test('are machine, provider and the named offer of a wrong record', () => {
    const plan = plainRound();
    const record = { ...loneRecord(plan), priceMicroPerHour: 1, cpuMilli: 1 };
    const differing = ['priceMicroPerHour', 'cpuMilli'];
    expect(findingsOf(plan, [record])).toEqual([
      { fault: 'wrongRecord', index: 0, orderId: 1, reason: 0, differing, machine, orderIsOpen: true },
    ]);
  });

  test('hold both sources when the record took the dearer one', () => {
    const plan = plainRound({ bids: [plainBid()] });
    const record = { ...loneRecord(plan), fromBid: false, bidIndex: 0, priceMicroPerHour: 1_058_000 };
    expect(findingsOf(plan, [record])).toMatchObject([{ reason: 0, machine: { offerIndex: 0, bidIndex: 0 } }]);
  });

  test('are the bid alone when a dead bid is named and another filter fails', () => {
    const plan = plainRound({ bids: [plainBid({ untilRound: 1 })], market: closedMarket({ region: 33 }, {}) });
    const closed = { ...plan, orders: [plainOrder({ regionsExcluded: [33] })] };
    const record = { ...loneRecord(plan), fromBid: true, bidIndex: 0 };
    const fault = { reason: RejectionReason.REGION_EXCLUDED, machine: { offerIndex: null, bidIndex: 0 } };
    expect(findingsOf(closed, [record])).toMatchObject([fault]);
  });

  test('need no machine when the order itself was not eligible', () => {
    const plan = plainRound();
    const closed = { ...plan, orders: [plainOrder({ isOpen: false })] };
    const reason = RejectionReason.ORDER_NOT_ELIGIBLE;
    expect(findingsOf(closed, [loneRecord(plan)])).toEqual([
      { fault: 'wrongRecord', index: 0, orderId: 1, reason, differing: [], machine: null, orderIsOpen: false },
    ]);
  });

  test('tell an order that left the market from one that never existed', () => {
    const plan = plainRound();
    const records = [loneRecord(plan)];
    const { nextOrderId, ...input } = inputOf({ ...plan, orders: [] });
    expect(nextOrderId).toBe(1);
    expect(auditBatch({ ...input, nextOrderId: 2, records })).toMatchObject([{ fault: 'wrongRecord', reason: 1 }]);
    expect(auditBatch({ ...input, nextOrderId: 1, records })).toMatchObject([{ fault: 'unknownName', name: 'order' }]);
  });

  test('are the better machine and its bid, with both totals', () => {
    const plan = twoMachines({ bids: [plainBid({ machineId: 2 })] });
    const record = { ...loneRecord(plan), machineId: 1, fromBid: false, bidIndex: 0, priceMicroPerHour: 1_058_000 };
    const [finding] = findingsOf(plan, [record]);
    expect(finding).toMatchObject({
      fault: 'betterCandidate',
      winner: { machineId: 1, providerId: 1, offerIndex: null, bidIndex: null },
      candidate: { machineId: 2, providerId: 1, offerIndex: null, bidIndex: 0 },
    });
    expect(finding?.fault === 'betterCandidate' && finding.candidateTotal > finding.winnerTotal).toBe(true);
  });

  test('follow reservations as the batch states them, also after a record that took too much', () => {
    const orders = [1, 2].map((orderId) => plainOrder({ orderId }));
    const plan = plainRound({ orders });
    const [first, second] = honestRecords(plan);
    const greedy = { ...first!, deviceMask: 3, milliGpu: 2000, cpuMilli: 1_000_000 };
    expect(findingsOf(plan, [greedy, second!])).toMatchObject([
      { fault: 'wrongRecord', index: 0, reason: 0, differing: ['deviceMask', 'milliGpu', 'cpuMilli'] },
      { fault: 'wrongRecord', index: 1, reason: RejectionReason.CPU },
    ]);
    // After the greedy record no machine can take the second order, so leaving it out is no fault of its own.
    expect(findingsOf(plan, [greedy])).toHaveLength(1);
    expect(findingsOf(plan, [first!])).toMatchObject([{ fault: 'omittedOrder', orderId: 2 }]);
  });
});

describe('batches that settlement refuses', () => {
  const plan = plainRound({ orders: [plainOrder(), plainOrder({ orderId: 2 })] });
  const [first, second] = honestRecords(plan) as [MatchRecord, MatchRecord];

  test.each([
    ['unsorted', [second, first]],
    ['twice the same order', [first, first]],
    ['order 0', [{ ...first, orderId: 0 }]],
    ['an offer index beside a bid', [{ ...first, fromBid: true, offerIndex: 1 }]],
    ['a bid index without a bid', [{ ...first, bidIndex: 1 }]],
  ])('are not audited: %s', (_what, records) => {
    expect(() => findingsOf(plan, records)).toThrow(expect.objectContaining({ code: 'BATCH_MALFORMED' }));
  });

  test('are not audited: more records than the policy allows', () => {
    const small = { ...plan, policy: { ...PLAIN_POLICY, maxMatches: 1 } };
    expect(() => findingsOf(small, [first, second])).toThrow(/at most 1 records/);
  });
});

type Change = (records: readonly MatchRecord[], plan: RoundPlan) => MatchRecord[];

const FIELD_VALUES: { [Field in keyof MatchRecord]: fc.Arbitrary<MatchRecord[Field]> } = {
  orderId: fc.integer({ min: 1, max: 14 }),
  machineId: fc.integer({ min: 0, max: 12 }),
  priceMicroPerHour: fc.constantFrom(0, 1_040_000, 2 ** 39),
  deviceMask: fc.constantFrom(0, 1, 2, 3, 255),
  milliGpu: fc.constantFrom(0, 1, 500, 1000, 2000),
  cpuMilli: fc.constantFrom(0, 1, 4000),
  memoryMib: fc.constantFrom(0, 4096),
  storageGib: fc.constantFrom(0, 10),
  offerIndex: fc.integer({ min: 0, max: 3 }),
  fromBid: fc.boolean(),
  tokenId: fc.integer({ min: 0, max: 3 }),
  providerId: fc.integer({ min: 0, max: 6 }),
  bidIndex: fc.integer({ min: 0, max: 20 }),
};

const recordChange: fc.Arbitrary<Change> = fc
  .tuple(
    fc.nat(),
    fc.oneof(...Object.entries(FIELD_VALUES).map(([field, value]) => value.map((to) => ({ [field]: to })))),
  )
  .map(
    ([position, fields]) =>
      (records) =>
        ordered(
          records.map((record, index) =>
            index === position % records.length ? sourced({ ...record, ...fields }) : record,
          ),
        ),
  );

const recordRemoved: fc.Arbitrary<Change> = fc
  .nat()
  .map((position) => (records) => records.filter((_, index) => index !== position % records.length));

/** Another order's record, taken over by an order that had none or had another. */
const recordAdded: fc.Arbitrary<Change> = fc
  .tuple(fc.nat(), FIELD_VALUES.orderId)
  .map(([position, orderId]) => (records) => {
    const copied = records[position % Math.max(1, records.length)];
    return copied === undefined ? [] : ordered([...records, { ...copied, orderId }]);
  });

const planted: fc.Arbitrary<Change> = fc.tuple(fc.constantFrom(...PLANTED_KINDS), fc.nat()).map(
  ([kind, choice]) =>
    (records, plan) =>
      plantFault(kind, { ...inputOf(plan), choose: (count) => choice % count }) ?? [...records],
);

const changeArbitrary = fc.oneof(recordChange, recordChange, recordRemoved, recordAdded, planted);

/** In a form that settlement takes: ascending by order, the last of an order counting. */
function ordered(records: readonly MatchRecord[]): MatchRecord[] {
  return [...new Map(records.map((record) => [record.orderId, record])).values()].sort((a, b) => a.orderId - b.orderId);
}

function sourced(record: MatchRecord): MatchRecord {
  return record.fromBid ? { ...record, offerIndex: 0 } : { ...record, bidIndex: 0 };
}

function closedMarket(
  machine: Parameters<typeof plainMachine>[0],
  provider: Parameters<typeof plainProvider>[0],
): RoundPlan['market'] {
  return { providers: [plainProvider(provider)], machines: [plainMachine(machine)] };
}

/** One order, and two machines that differ in nothing. */
function twoMachines(changes: Partial<RoundPlan> = {}): RoundPlan {
  return plainRound({
    market: { providers: [plainProvider()], machines: [plainMachine(), plainMachine()] },
    ...changes,
  });
}

/** For every kind a market in which the first choice plants it, and the finding it must lead to. */
function plannedKinds(): Record<PlantedKind, { plan: RoundPlan; expected: Partial<BatchFinding> }> {
  const rejected = (reason: number, changes: Partial<RoundPlan>) => ({
    plan: plainRound(changes),
    expected: { fault: 'wrongRecord', reason } as const,
  });
  const different = (changes: Partial<RoundPlan>, ...differing: (keyof MatchRecord)[]) => ({
    plan: plainRound(changes),
    expected: { fault: 'wrongRecord', reason: 0, differing } as const,
  });
  const better = (plan: Partial<RoundPlan>) => ({
    plan: plainRound(plan),
    expected: { fault: 'betterCandidate' } as const,
  });
  const orderWith = (changes: Parameters<typeof plainOrder>[0]) => ({ orders: [plainOrder(changes)] });
  const providers = [plainProvider(), plainProvider({ stakeWhole: 50_000 })];
  return {
    worseMachine: {
      plan: twoMachines({
        market: { providers, machines: [plainMachine(), plainMachine({ providerId: 2 })] },
      }),
      expected: { fault: 'betterCandidate', index: 0, orderId: 1 },
    },
    wrongTieBreak: { plan: twoMachines(), expected: { fault: 'betterCandidate', orderId: 1 } },
    wrongJitter: {
      plan: seedSensitivePlan(providers),
      expected: { fault: 'betterCandidate' },
    },
    wrongPolicy: {
      plan: twoMachines({
        market: {
          providers: [plainProvider(), plainProvider({ stakeWhole: 100_000 })],
          machines: [plainMachine({}, { gpuMicroPerHour: 1000 }), plainMachine({ providerId: 2 })],
        },
      }),
      expected: { fault: 'betterCandidate', index: 0 },
    },
    withoutPacking: better(wholeOrHalf()),
    devicesWithoutPacking: different(onDevices([1000, 500], PACKING_POLICY), 'deviceMask'),
    rulesOfVersionOne: better(wholeOrHalf()),
    rulesOfVersionTwo: different(
      { ...onDevices([1000, 700], PLAIN_POLICY), ...orderWith({ milliGpu: 240 }) },
      'deviceMask',
    ),
    otherPackingTerms: better(
      shareOn([{ freeMilliGpu: [1000] }, { freeMilliGpu: [500] }], {
        fromMilli: [500],
        value: [1000],
        deviceWeight: 1,
      }),
    ),
    lossAtSnapshot: better(
      shareOn(
        [{ freeMilliGpu: [1000] }, { freeMilliGpu: [1000] }],
        { fromMilli: [500], value: [1000], deviceWeight: 1 },
        2,
      ),
    ),
    lossWithoutShortage: better({
      ...shareOn(
        [
          { freeMilliGpu: Array.from({ length: 8 }, () => 1000) },
          { freeMilliGpu: Array.from({ length: 8 }, () => 1000), freeCpuMilli: 4000 },
        ],
        { fromMilli: [1000], value: [1000], cpuWeight: 1, cpuRate: 2 ** 14 },
      ),
      ...orderWith({ cpuMilli: 4 }),
    }),
    lossWithoutRest: better(shareOn([{ freeMilliGpu: [900] }, { freeMilliGpu: [600] }], {})),
    lossWithoutModelFactor: better({
      ...shareOn([{}, { model: 6 }], {
        fromMilli: [1000],
        value: [1000],
        deviceWeight: 1,
        models: [6],
        modelFactor: [1],
      }),
      ...orderWith({}),
    }),
    packingBreaksTies: better(
      shareOn([{ freeMilliGpu: [900] }, { freeMilliGpu: [600] }], {}, 1, { weightPackingBps: 0 }),
    ),
    deviceOfMoreLoss: different(onDevices([1000, 500], PACKING_POLICY), 'deviceMask'),
    deviceOfMoreFree: different(onDevices([1000, 500], PLAIN_POLICY), 'deviceMask'),
    deviceOfHigherIndex: different(onDevices([1000, 1000], PLAIN_POLICY), 'deviceMask'),
    orderNotEligible: rejected(RejectionReason.ORDER_NOT_ELIGIBLE, orderWith({ untilRound: 1 })),
    machineInactive: rejected(RejectionReason.MACHINE_INACTIVE, {
      market: closedMarket({ activeFromRound: NEVER }, {}),
    }),
    providerNotActive: rejected(RejectionReason.PROVIDER_NOT_ACTIVE, { market: closedMarket({}, { status: 4 }) }),
    providerExcluded: rejected(RejectionReason.PROVIDER_EXCLUDED, orderWith({ providersExcluded: [1] })),
    providerNotWanted: rejected(RejectionReason.PROVIDER_NOT_WANTED, orderWith({ providersWanted: [2] })),
    noOfferInToken: rejected(RejectionReason.TOKEN, orderWith({ tokenId: 2 })),
    gpuModel: rejected(RejectionReason.GPU_MODEL, orderWith({ models: [6] })),
    regionExcluded: rejected(RejectionReason.REGION_EXCLUDED, orderWith({ regionsExcluded: [33] })),
    regionRequired: rejected(RejectionReason.REGION_REQUIRED, orderWith({ regions: [34], regionRequired: true })),
    tier: rejected(RejectionReason.TIER, orderWith({ tiers: 1 })),
    attributes: rejected(RejectionReason.ATTRIBUTES, orderWith({ attributes: 1n << 40n })),
    uptime: rejected(RejectionReason.UPTIME, orderWith({ minUptimeBps: 9901 })),
    reputation: rejected(RejectionReason.REPUTATION, orderWith({ minReputationBps: 7001 })),
    slashes: rejected(RejectionReason.SLASHES, { market: closedMarket({}, { slashes: 1 }) }),
    cpu: rejected(RejectionReason.CPU, orderWith({ cpuMilli: 32_001 })),
    memory: rejected(RejectionReason.MEMORY, orderWith({ memoryMib: 65_537 })),
    storage: rejected(RejectionReason.STORAGE, orderWith({ storageGib: 4097 })),
    devices: rejected(RejectionReason.DEVICES, orderWith({ milliGpu: 3000 })),
    priceAboveMax: rejected(RejectionReason.PRICE, orderWith({ maxPriceMicroPerHour: 1 })),
    wrongPrice: different({}, 'priceMicroPerHour'),
    wrongSource: different({ bids: [plainBid()] }, 'priceMicroPerHour', 'fromBid'),
    wrongResources: different({}, 'cpuMilli'),
    wrongDevices: different({}, 'deviceMask'),
    wrongToken: different({}, 'tokenId'),
    wrongProvider: different({}, 'providerId'),
    overCapacityByPrefix: rejected(RejectionReason.DEVICES, {
      orders: [1, 2, 3].map((orderId) => plainOrder({ orderId })),
    }),
    omittedOrder: {
      plan: plainRound({ orders: [plainOrder(), plainOrder({ orderId: 2 })] }),
      expected: { fault: 'omittedOrder', orderId: 1 },
    },
    unknownOrder: { plan: plainRound(), expected: { fault: 'unknownName', name: 'order', orderId: 2 } },
    unknownMachine: { plan: plainRound(), expected: { fault: 'unknownName', name: 'machine', machineId: 2 } },
    unknownOffer: { plan: plainRound(), expected: { fault: 'unknownName', name: 'offer' } },
    unknownBid: { plan: plainRound(), expected: { fault: 'unknownName', name: 'bid' } },
  };
}

/** An order of half a device, and one machine with such devices. */
function onDevices(freeMilliGpu: readonly number[], policy: Policy): Partial<RoundPlan> {
  return {
    market: { providers: [plainProvider()], machines: [plainMachine({ freeMilliGpu: eight(freeMilliGpu) })] },
    orders: [plainOrder({ milliGpu: 500 })],
    policy,
  };
}

/** Orders of half a device, and machines of one provider between which packing alone decides. */
function shareOn(
  machines: readonly Parameters<typeof plainMachine>[0][],
  terms: Partial<PackingTerms>,
  orders = 1,
  policy: Partial<Policy> = {},
): Partial<RoundPlan> {
  const none = { fromMilli: [], value: [], deviceWeight: 0 };
  return {
    market: {
      providers: [plainProvider()],
      machines: machines.map((machine) =>
        plainMachine({ ...machine, freeMilliGpu: eight(machine?.freeMilliGpu ?? [1000]) }),
      ),
    },
    orders: Array.from({ length: orders }, (_, index) => plainOrder({ orderId: index + 1, milliGpu: 500 })),
    policy: { ...PACKING_POLICY, ...policy, packing: { ...PACKING_POLICY.packing!, ...none, ...terms } },
  };
}

/** The better of a whole and a half device for half a one, which rules without packing do not tell apart. */
function wholeOrHalf(): Partial<RoundPlan> {
  const { fromMilli, value, deviceWeight } = PACKING_POLICY.packing!;
  return shareOn([{ freeMilliGpu: [1000] }, { freeMilliGpu: [500] }], { fromMilli, value, deviceWeight });
}

function eight(freeMilliGpu: readonly number[]): number[] {
  return Array.from({ length: 8 }, (_, device) => freeMilliGpu[device] ?? 0);
}

/** A round of many equal providers, in which the jitter alone decides. */
function seedSensitivePlan(providers: RoundPlan['market']['providers']): RoundPlan {
  const [provider] = providers;
  return plainRound({
    market: {
      providers: Array.from({ length: 8 }, () => provider!),
      machines: Array.from({ length: 8 }, (_, index) => plainMachine({ providerId: index + 1 })),
    },
    orders: [1, 2, 3, 4].map((orderId) => plainOrder({ orderId })),
    policy: { ...PLAIN_POLICY, jitterRange: 6_000_000_000 },
  });
}
