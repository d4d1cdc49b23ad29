import * as fc from 'fast-check';
import { Market } from '../market.js';
import type { MachineFields, OfferFields, ProviderFields } from '../market.js';
import type { Bid, Order } from '../order.js';
import type { PackingTerms, Policy } from '../policy.js';
import type { Hex, Snapshot } from '../snapshot.js';

/** A market as plain data, from which it can be built in any order of insertion. */
export interface MarketPlan {
  readonly providers: readonly ProviderFields[];
  readonly machines: readonly { readonly machine: MachineFields; readonly offers: readonly OfferFields[] }[];
}

/** Everything `matchRound` takes, with the market as a plan. */
export interface RoundPlan {
  readonly market: MarketPlan;
  readonly orders: readonly Order[];
  readonly bids: readonly Bid[];
  readonly policy: Policy;
  readonly seed: Hex;
}

/** Round, block and time of every planned snapshot; generated ends and starts lie around them. */
export const ROUND = 100;
export const BLOCK = 5000;
export const TODAY = 20_000;
export const TIMESTAMP = TODAY * 86_400 + 43_200;

/** A round that no test reaches. */
export const NEVER = 0xffff_ffff;

/** Each value of `rare` a few times in a hundred, so that one order still passes some twenty filters often enough. */
function mostly<T>(common: fc.Arbitrary<T> | T, ...rare: T[]): fc.Arbitrary<T> {
  const commonArbitrary = common instanceof fc.Arbitrary ? common : fc.constant(common);
  return fc.oneof(
    { weight: 30, arbitrary: commonArbitrary },
    ...rare.map((value) => ({ weight: 1, arbitrary: fc.constant(value) })),
  );
}

const DEVICE_FREE = fc.constantFrom(0, 0, 200, 300, 460, 500, 700, 1000, 1000, 1000, 1000);
const REGION = fc.constantFrom(0, 1, 31, 32, 33, 64, 1023);
const fromRoundAround = mostly(1, ROUND - 1, ROUND, ROUND + 1);
const untilRoundAround = mostly(NEVER, ROUND, ROUND + 1);

function report(expiryDay: number, bps: number): number {
  return (7 * 2 ** 26 + expiryDay * 2 ** 10 + bps) >>> 0;
}

const reportArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(TODAY - 1, TODAY, TODAY + 1, 65_535), fc.integer({ min: 0, max: 1000 }))
      .map(([day, bps]) => report(day, bps)),
  },
);

/** A provider that some filter or other often rejects. */
export const providerArbitrary: fc.Arbitrary<ProviderFields> = fc.record({
  stakeWhole: mostly(fc.integer({ min: 0, max: 150_000 }), 0, 50_000, 50_000, 0xffff_ffff),
  status: mostly(2, 0, 1, 3, 4, 5),
  tier: fc.integer({ min: 0, max: 7 }),
  uptimeBps: mostly(fc.constantFrom(0x3fff, 10_000, 9500), 9000, 0),
  reputationBps: mostly(fc.constantFrom(0x3fff, 10_000, 5000), 4000, 0),
  slashes: fc.constantFrom(0, 0, 1, 255),
  attributes: mostly((1n << 54n) - 1n, 0n, 0n, 0n, 0n, 1n, 1n, 1n << 26n, (1n << 27n) | 1n, 1n << 53n),
  reports: fc.tuple(reportArbitrary, reportArbitrary, reportArbitrary, reportArbitrary),
});

/** An offer, now and then withdrawn, in another token or at a price out of reach. */
export const offerArbitrary: fc.Arbitrary<OfferFields> = fc.record({
  tokenId: mostly(1, 0, 2),
  gpuMicroPerHour: mostly(fc.constantFrom(900_000, 1_000_000, 1_000_000), 0, 999, 2 ** 36 - 1),
  coreMicroPerHour: mostly(fc.constantFrom(9999, 10_000), 0, 2 ** 30 - 1),
  memoryGibMicroPerHour: mostly(fc.constantFrom(0, 1023), 2 ** 26 - 1),
  storageTibMicroPerHour: mostly(fc.constantFrom(0, 1023), 2 ** 30 - 1),
});

/** At most one offer in each token, as the registry keeps it. */
function distinctTokens(offers: readonly OfferFields[]): OfferFields[] {
  return offers.map((offer, index) => {
    const isRepeated = offers.slice(0, index).some((earlier) => earlier.tokenId === offer.tokenId);
    return isRepeated ? { ...offer, tokenId: 0 } : offer;
  });
}

/** A machine of one of `providerCount` providers with four offers, at most one in each token. */
export function machineArbitrary(providerCount: number): fc.Arbitrary<MarketPlan['machines'][number]> {
  return fc
    .record({
      hasGpu: fc.constantFrom(true, true, false),
      activeFromRound: fromRoundAround,
      activeUntilRound: untilRoundAround,
      providerId: fc.integer({ min: 1, max: providerCount }),
      model: fc.constantFrom(1, 2, 1023),
      region: REGION,
      freeMemoryMib: mostly(fc.constantFrom(65_536, 2 ** 24 - 1), 4096),
      freeCpuMilli: mostly(fc.constantFrom(32_000, 2 ** 20 - 1), 3999, 4000),
      freeStorageGib: mostly(fc.constantFrom(1000, 2 ** 20 - 1), 9),
      freeMilliGpu: fc.array(DEVICE_FREE, { minLength: 8, maxLength: 8 }),
      offers: fc.array(offerArbitrary, { minLength: 4, maxLength: 4 }),
    })
    .map(({ hasGpu, offers, ...machine }) => ({
      machine: {
        ...machine,
        model: hasGpu ? machine.model : 0,
        freeMilliGpu: hasGpu ? machine.freeMilliGpu : machine.freeMilliGpu.map(() => 0),
        offersWritten: 15,
      },
      offers: distinctTokens(offers),
    }));
}

const listOf = <T>(entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<T[]>([]) },
    { weight: 1, arbitrary: fc.array(entry, { minLength: 1, maxLength: 8 }) },
  );

function orderArbitrary(providerCount: number): fc.Arbitrary<Omit<Order, 'orderId'>> {
  const provider = fc.integer({ min: 1, max: providerCount + 1 });
  return fc
    .record({
      isOpen: mostly(true, false),
      untilRound: untilRoundAround,
      eligibleFromBlock: mostly(1, BLOCK, BLOCK + 1),
      expiresAtSeconds: mostly(NEVER, TIMESTAMP, TIMESTAMP + 1),
      milliGpu: fc.constantFrom(0, 0, 1, 200, 460, 500, 999, 1000, 1000, 2000, 4000, 8000),
      cpuMilli: mostly(4000, 1, 32_000, 2 ** 20 - 1),
      memoryMib: mostly(4096, 0, 1025, 65_536, 2 ** 24 - 1),
      storageGib: mostly(10, 0, 1000, 2 ** 20 - 1),
      models: listOf(fc.constantFrom(1, 2, 3, 1023)),
      regions: listOf(REGION),
      regionsExcluded: listOf(REGION),
      providersWanted: listOf(provider),
      providersExcluded: listOf(provider),
      tiers: mostly(0, 0b1111110, 0b1, 0b1000000),
      attributes: mostly(0n, 1n, 1n << 26n, 1n << 27n, 1n << 53n),
      regionRequired: fc.boolean(),
      minUptimeBps: mostly(0, 9500, 9501),
      minReputationBps: mostly(0, 5000, 5001),
      maxSlashes: mostly(255, 0, 0, 0, 1, 1, 1),
      tokenId: mostly(1, 2, 3),
      maxPriceMicroPerHour: mostly(fc.constantFrom(10_000_000, 2 ** 39 - 1), 1, 40_000, 1_040_000),
      durationMinutes: fc.constant(60),
    })
    .map((order) => (order.milliGpu === 0 ? { ...order, models: [] } : order));
}

function bidArbitrary(
  orderCount: number,
  machineCount: number,
  providerCount: number,
): fc.Arbitrary<Omit<Bid, 'bidIndex'>> {
  return fc.record({
    orderId: fc.integer({ min: 1, max: orderCount }),
    machineId: fc.integer({ min: 1, max: machineCount }),
    providerId: fc.integer({ min: 1, max: providerCount }),
    priceMicroPerHour: fc.oneof(fc.integer({ min: 0, max: 3_000_000 }), fc.constantFrom(0, 1_040_000)),
    untilRound: untilRoundAround,
  });
}

/** Packing terms from nothing to every bound, with values that tie and values that differ. */
export const packingTermsArbitrary: fc.Arbitrary<PackingTerms> = fc
  .record({
    steps: fc.uniqueArray(
      fc.record({
        from: fc.constantFrom(1, 40, 160, 200, 240, 300, 460, 500, 540, 700, 810, 999, 1000),
        value: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(1, 1000)),
      }),
      { selector: ({ from }) => from, maxLength: 8 },
    ),
    deviceWeight: fc.constantFrom(32, 0, 64),
    cpuWeight: fc.constantFrom(32, 0, 64),
    memoryWeight: fc.constantFrom(2, 0, 16),
    cpuRate: fc.constantFrom(5120, 5984, 0, 2 ** 14),
    memoryRate: fc.constantFrom(2048, 2471, 0, 2 ** 12),
    factors: fc.uniqueArray(
      fc.record({ model: fc.constantFrom(1, 2, 1023), factor: fc.constantFrom(1, 512, 1000, 1024) }),
      { selector: ({ model }) => model },
    ),
  })
  .map(({ steps, factors, ...numbers }) => {
    const ascending = factors.toSorted((a, b) => a.model - b.model);
    return {
      ...numbers,
      fromMilli: steps.map(({ from }) => from).sort((a, b) => a - b),
      value: steps.map(({ value }) => value).sort((a, b) => a - b),
      models: ascending.map(({ model }) => model),
      modelFactor: ascending.map(({ factor }) => factor),
    };
  });

const anyPolicyNumbers = fc.record({
  cuts: fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 6, maxLength: 6 }),
  saturationWhole: fc.constantFrom(1, 100_000, 0xffff_ffff),
  complianceCapBps: fc.constantFrom(10_000, 11_000, 12_000, 65_535),
  jitterRange: fc.constantFrom(0, 1, 6_000_000_000, 2 ** 37 - 1),
  defaultUptimeBps: fc.constantFrom(9500, 0, 10_000),
  defaultReputationBps: fc.constantFrom(5000, 0, 10_000),
  maxMatches: fc.constantFrom(512, 512, 512, 1, 3),
});

function policiesOf(packingArbitrary: fc.Arbitrary<PackingTerms | null>): fc.Arbitrary<Policy> {
  return fc.tuple(anyPolicyNumbers, packingArbitrary).map(([{ cuts, ...terms }, packing]) => {
    const ascending = cuts.toSorted((x, y) => x - y);
    if (packing === null) ascending[5] = 10_000;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = ascending;
    return {
      ...terms,
      rulesVersion: packing === null ? 1 : 2,
      weightPriceBps: a,
      weightStakeBps: b - a,
      weightFitBps: c - b,
      weightRegionBps: d - c,
      weightUptimeBps: e - d,
      weightReputationBps: f - e,
      quorumBps: 6667,
      minTotalStake: 1n,
      maxTableAgeSeconds: 3600,
      coolRounds: 10,
      selfMatchRounds: 30,
      weightPackingBps: 10_000 - f,
      packing,
    };
  });
}

/** Any weights, and the terms at their limits; rules of either version. */
export const policyArbitrary: fc.Arbitrary<Policy> = policiesOf(fc.option(packingTermsArbitrary, { freq: 2 }));

/** Small crowded rounds: every filter fails somewhere, machines fill up, totals tie, orders end, bids undercut. */
function roundPlansUnder(policies: fc.Arbitrary<Policy>): fc.Arbitrary<RoundPlan> {
  return fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 12 }))
    .chain(([providerCount, machineCount, orderCount]) =>
      fc.record({
        providers: fc.array(providerArbitrary, { minLength: providerCount, maxLength: providerCount }),
        machines: fc.array(machineArbitrary(providerCount), { minLength: machineCount, maxLength: machineCount }),
        orders: fc.array(orderArbitrary(providerCount), { minLength: orderCount, maxLength: orderCount }),
        bids: fc.array(bidArbitrary(orderCount, machineCount, providerCount), { maxLength: 20 }),
        policy: policies,
        seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      }),
    )
    .map(({ providers, machines, orders, bids, policy, seed }) => ({
      market: { providers, machines },
      orders: orders.map((order, index) => ({ ...order, orderId: index + 1 })),
      bids: bids.map((bid, index) => ({ ...bid, bidIndex: index })),
      policy,
      seed: hexOf(seed),
    }));
}

/** Small crowded rounds by rules of either version. */
export const roundPlanArbitrary = roundPlansUnder(policyArbitrary);

/** The same by one version of the rules, without packing and with it. */
export const versionOneRoundPlanArbitrary = roundPlansUnder(policiesOf(fc.constant(null)));
export const versionTwoRoundPlanArbitrary = roundPlansUnder(policiesOf(packingTermsArbitrary));

/** Builds a snapshot from a plan, machines and providers in the given order of insertion. */
export function snapshotOf(
  plan: Pick<RoundPlan, 'market' | 'orders' | 'bids'>,
  insertion: 'ascending' | 'descending',
): Snapshot {
  const market = new Market();
  const inOrder = <T>(entries: readonly T[]): { id: number; entry: T }[] => {
    const numbered = entries.map((entry, index) => ({ id: index + 1, entry }));
    return insertion === 'ascending' ? numbered : numbered.toReversed();
  };
  for (const { id, entry } of inOrder(plan.market.machines)) {
    market.setMachine(id, entry.machine);
    for (const offer of inOrder(entry.offers)) market.setOffer(id, offer.id - 1, offer.entry);
  }
  for (const { id, entry } of inOrder(plan.market.providers)) market.setProvider(id, entry);
  const bids = new Map<number, Bid[]>();
  for (const { entry } of inOrder(plan.bids)) bids.set(entry.orderId, [...(bids.get(entry.orderId) ?? []), entry]);
  return {
    round: ROUND,
    blockNumber: BLOCK,
    snapshotHash: `0x${'5a'.repeat(32)}`,
    timestampSeconds: TIMESTAMP,
    orders: plan.orders,
    bids,
    market,
  };
}

function hexOf(bytes: Uint8Array): Hex {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
