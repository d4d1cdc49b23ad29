import { encodeAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { Market } from '../../engine/market.js';
import type { MachineFields, OfferFields, ProviderFields } from '../../engine/market.js';
import type { Bid } from '../../engine/order.js';
import type { PackingTerms, Policy } from '../../engine/policy.js';
import {
  referenceDevices,
  referenceJitter,
  referenceMachines,
  referencePacking,
  referenceVerdict,
} from '../../engine/reference/referenceMatcher.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { hashOrderSpec, orderFrom, orderSpecAbiParameters } from '../../protocol/orderSpec.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { hashPacking, packingAbiParameters } from '../../protocol/packingHash.js';
import { encodePolicy, hashPolicy } from '../../protocol/policyHash.js';
import { roundSeed } from '../../protocol/seed.js';
import { encodeBidWord } from '../../protocol/words/bidWord.js';
import { encodeMachineWord } from '../../protocol/words/machineWord.js';
import { encodeOfferWord } from '../../protocol/words/offerWord.js';
import { encodeOpenOrderWord, NO_ROUND, OrderState } from '../../protocol/words/orderWord.js';
import type { OpenOrderFields } from '../../protocol/words/orderWord.js';
import { encodeComplianceReport, encodeProviderWord } from '../../protocol/words/providerWord.js';
import { columnsOf } from './columns.js';
import type { PseudoRandom } from './pseudoRandom.js';
import { wordHex } from './wordVectors.js';

/** Round, block, time and block hash of every case. */
export const MATCHING_FACTS = {
  round: 77,
  snapshotBlock: 4242,
  timestamp: 20_000 * 86_400 + 7,
  snapshotHash: wordHex(0x5eedn),
} as const;

const ORDER_ID = 9;
const MACHINE_ID = 3;
const PROVIDER_ID = 2;
const TODAY = 20_000;

/** One machine, its provider, offer and bid, and one order, all changeable on their way to a case. */
interface Case {
  spec: OrderSpec;
  order: OpenOrderFields;
  machine: MachineFields;
  provider: ProviderFields;
  offer: OfferFields;
  bid: { priceMicroPerHour: number; machineId: number; providerId: number; untilRound: number } | undefined;
}

type Change = (random: PseudoRandom, current: Case) => Partial<Case>;

/** Policies that the cases run under: the defaults, and ends of what governance may set. */
export const POLICIES: readonly Policy[] = [
  policy({}),
  policy({
    weightPriceBps: 10_000,
    weightStakeBps: 0,
    weightFitBps: 0,
    weightRegionBps: 0,
    weightUptimeBps: 0,
    weightReputationBps: 0,
  }),
  policy({
    weightPriceBps: 0,
    weightReputationBps: 5000,
    saturationWhole: 1,
    complianceCapBps: 10_000,
    jitterRange: 0,
  }),
  policy({
    saturationWhole: 0xffff_ffff,
    complianceCapBps: 20_000,
    jitterRange: 2 ** 36 - 1,
    defaultUptimeBps: 0,
    defaultReputationBps: 10_000,
  }),
];

/** Policies of version 2: terms like those of a real market, ends of what governance may set, and terms without steps. */
export const PACKING_POLICIES: readonly Policy[] = [
  policy({
    rulesVersion: 2,
    weightPriceBps: 3000,
    weightPackingBps: 1500,
    packing: {
      fromMilli: [200, 250, 460, 500, 700, 1000],
      value: [1, 40, 150, 151, 400, 1000],
      deviceWeight: 32,
      cpuWeight: 32,
      memoryWeight: 2,
      cpuRate: 5120,
      memoryRate: 2048,
      models: [5, 6],
      modelFactor: [700, 1024],
    },
  }),
  policy({
    rulesVersion: 2,
    weightPriceBps: 0,
    weightStakeBps: 0,
    weightFitBps: 0,
    weightRegionBps: 0,
    weightUptimeBps: 0,
    weightReputationBps: 0,
    jitterRange: 0,
    weightPackingBps: 10_000,
    packing: {
      fromMilli: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 248, 249, 459, 998, 999, 1000],
      value: [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987],
      deviceWeight: 1,
      cpuWeight: 63,
      memoryWeight: 15,
      cpuRate: 1,
      memoryRate: 4095,
      models: [1, 5, 1023],
      modelFactor: [1024, 1, 1],
    },
  }),
  policy({
    rulesVersion: 2,
    weightPriceBps: 3500,
    weightPackingBps: 1000,
    saturationWhole: 0xffff_ffff,
    complianceCapBps: 20_000,
    jitterRange: 2 ** 36 - 1,
    packing: {
      fromMilli: Array.from({ length: 16 }, (_, index) => 985 + index),
      value: Array.from({ length: 16 }, (_, index) => 985 + index),
      deviceWeight: 64,
      cpuWeight: 64,
      memoryWeight: 16,
      cpuRate: 2 ** 14,
      memoryRate: 2 ** 12,
      models: Array.from({ length: 32 }, (_, index) => 992 + index),
      modelFactor: Array.from({ length: 32 }, () => 1024),
    },
  }),
  policy({
    rulesVersion: 2,
    weightPriceBps: 4499,
    weightPackingBps: 1,
    packing: {
      fromMilli: [],
      value: [],
      deviceWeight: 0,
      cpuWeight: 0,
      memoryWeight: 0,
      cpuRate: 0,
      memoryRate: 0,
      models: [],
      modelFactor: [],
    },
  }),
];

const CHANGES: readonly Change[] = [
  (random, { order }) => ({ order: { ...order, untilRound: MATCHING_FACTS.round + random.below(2) } }),
  (random, { order }) => ({ order: { ...order, eligibleFromBlock: MATCHING_FACTS.snapshotBlock + random.below(2) } }),
  (random, { order }) => ({ order: { ...order, expiresAtSeconds: MATCHING_FACTS.timestamp + random.below(2) } }),
  (_, { order }) => ({ order: { ...order, state: OrderState.CLOSED } }),
  (random, { machine }) => ({ machine: { ...machine, activeFromRound: MATCHING_FACTS.round + random.below(2) } }),
  (random, { machine }) => ({ machine: { ...machine, activeUntilRound: MATCHING_FACTS.round + random.below(2) } }),
  (random, { provider }) => ({ provider: { ...provider, status: random.below(6) } }),
  (random, { spec }) => ({ spec: { ...spec, providersExcluded: [random.pick([1, PROVIDER_ID]), 7] } }),
  (random, { spec }) => ({ spec: { ...spec, providersWanted: [7, random.pick([1, PROVIDER_ID])] } }),
  (random, { offer }) => ({ offer: { ...offer, tokenId: random.below(3) }, bid: undefined }),
  (random, { offer, bid }) => ({
    offer: { ...offer, tokenId: random.pick([0, 1]) },
    bid: { ...bidOn(random), ...bid, untilRound: MATCHING_FACTS.round + random.below(2) },
  }),
  (random, { offer }) => ({ offer: { ...offer, tokenId: random.pick([0, 1]) }, bid: bidOn(random) }),
  (random) => ({
    bid: { ...bidOn(random), providerId: random.pick([1, PROVIDER_ID]), machineId: random.pick([4, MACHINE_ID]) },
  }),
  (random, { spec }) => (spec.milliGpu === 0 ? {} : { spec: { ...spec, models: [random.pick([5, 6]), 1023] } }),
  (random, { spec, machine }) => ({ spec: { ...spec, regionsExcluded: [machine.region ^ random.below(2)] } }),
  (random, { spec, offer }) => ({
    bid: { ...bidOn(random), priceMicroPerHour: Number(priceOf(spec, offer)) + random.pick([-1, 0, 0, 1]) },
  }),
  (random, { spec, machine }) => ({
    spec: { ...spec, regionRequired: true, regions: [machine.region ^ random.pick([0, 1, 64]), 999] },
  }),
  (random, { spec, machine }) => ({
    spec: { ...spec, regions: [machine.region ^ random.pick([0, 1, 31, 32, 512]), 999] },
  }),
  (random, { spec, provider }) => ({
    spec: { ...spec, tiers: random.pick([1, 64, 126, 127]) },
    provider: { ...provider, tier: random.pick([0, 1, 7]) },
  }),
  (random, { spec }) => ({
    spec: { ...spec, attributes: random.pick([1n, 1n << 26n, 1n << 27n, 1n << 53n, (1n << 54n) - 1n]) },
  }),
  (random, { spec, provider }) => ({
    spec: { ...spec, minUptimeBps: 9500 + random.below(2) },
    provider: { ...provider, uptimeBps: random.pick([0x3fff, 9499, 9500, 10_000]) },
  }),
  (random, { spec, provider }) => ({
    spec: { ...spec, minReputationBps: 5000 + random.below(2) },
    provider: { ...provider, reputationBps: random.pick([0x3fff, 4999, 5000, 10_000]) },
  }),
  (random, { spec, provider }) => ({
    spec: { ...spec, maxSlashes: random.below(3) },
    provider: { ...provider, slashes: random.below(3) },
  }),
  (random, { spec, machine }) => ({ machine: { ...machine, freeCpuMilli: spec.cpuMilli - random.below(2) } }),
  (random, { spec, machine }) => ({ machine: { ...machine, freeMemoryMib: spec.memoryMib - random.below(2) } }),
  (random, { spec, machine }) => ({ machine: { ...machine, freeStorageGib: spec.storageGib - random.below(2) } }),
  (random, { machine }) => ({ machine: { ...machine, freeMilliGpu: devicesLike(random) } }),
  (random, { machine }) => ({ machine: { ...machine, freeMilliGpu: devicesLike(random), model: 5 } }),
  (random, { spec, offer }) => ({
    spec: { ...spec, maxPriceMicroPerHour: Math.max(1, Number(priceOf(spec, offer)) - 1 + random.below(3)) },
  }),
  (random, { provider }) => ({
    provider: { ...provider, stakeWhole: random.pick([0, 1, 99_999, 100_000, 0xffff_ffff]) },
  }),
  (random, { provider }) => ({
    provider: {
      ...provider,
      reports: [reportLike(random), reportLike(random), reportLike(random), reportLike(random)],
    },
  }),
  (random, { provider }) => ({
    provider: {
      ...provider,
      uptimeBps: random.below(10_001),
      reputationBps: random.below(10_001),
      stakeWhole: random.below(200_000),
    },
  }),
  (random, { offer }) => ({
    offer: {
      ...offer,
      gpuMicroPerHour: random.below(2_000_000),
      coreMicroPerHour: random.below(20_000),
      memoryGibMicroPerHour: random.below(5000),
      storageTibMicroPerHour: random.below(5000),
    },
  }),
  (_, { spec, offer }) => ({
    spec: { ...spec, maxPriceMicroPerHour: 2 ** 39 - 1 },
    offer: {
      ...offer,
      gpuMicroPerHour: 2 ** 36 - 1,
      coreMicroPerHour: 2 ** 30 - 1,
      memoryGibMicroPerHour: 2 ** 26 - 1,
      storageTibMicroPerHour: 2 ** 30 - 1,
    },
  }),
];

/** Orders met with one machine: words and spec in, reason or price, components and total out; and device choices. */
export function matchingVectors(random: PseudoRandom): Record<string, unknown> {
  return { facts: FACTS, ...casesUnder(POLICIES, random), devices: columnsOf(deviceChoices(random, 120, [null])) };
}

/**
 * The same under policies of version 2 of the rules, with their packing terms: what an order loses and may lose at most, and the devices
 * by the index of a policy.
 */
export function packingVectors(random: PseudoRandom): Record<string, unknown> {
  return {
    facts: FACTS,
    policies: columnsOf(
      PACKING_POLICIES.map((terms) => ({
        encoded: encodePolicy(terms),
        policyHash: hashPolicy(terms),
        packing: encodeAbiParameters(packingAbiParameters, [packingOf(terms)]),
        packingHash: hashPacking(packingOf(terms)),
      })),
    ),
    ...casesUnder(PACKING_POLICIES, random),
    devices: columnsOf(deviceChoices(random, 240, PACKING_POLICIES.map(packingOf))),
  };
}

const FACTS = {
  ...MATCHING_FACTS,
  seed: roundSeed(MATCHING_FACTS.snapshotHash, MATCHING_FACTS.round),
  orderId: ORDER_ID,
  machineId: MACHINE_ID,
  providerId: PROVIDER_ID,
} as const;

function casesUnder(policies: readonly Policy[], random: PseudoRandom): Record<'specs' | 'cases', unknown> {
  const specs = new Map<Hex, { index: number; specHash: Hex }>();
  const rows = Array.from({ length: 480 }, (_, index) => {
    // Every change once alone, then zero to two of them at random.
    const alone = CHANGES[Math.floor(index / 4)];
    const changes = alone === undefined ? Array.from({ length: random.below(3) }, () => random.pick(CHANGES)) : [alone];
    const current = changes.reduce<Case>(
      (state, change) => ({ ...state, ...change(random, state) }),
      passingCase(random),
    );
    const policyIndex = alone === undefined ? random.below(policies.length) : 0;
    const encoded = encodeAbiParameters(orderSpecAbiParameters, [current.spec]);
    const known = specs.get(encoded) ?? { index: specs.size, specHash: hashOrderSpec(current.spec) };
    specs.set(encoded, known);
    return { spec: known.index, policy: policyIndex, ...judged(current, policies[policyIndex]!) };
  });
  return {
    specs: columnsOf([...specs].map(([encoded, { specHash }]) => ({ encoded, specHash }))),
    cases: columnsOf(rows),
  };
}

/** Device choices under packing terms taken in turn; null is version 1, of which there is only one. */
function deviceChoices(
  random: PseudoRandom,
  count: number,
  packings: readonly (PackingTerms | null)[],
): Record<string, string | number | boolean>[] {
  return Array.from({ length: count }, (_, index) => {
    const packing = packings[index % packings.length] ?? null;
    const freeMilliGpu = devicesLike(random);
    const milliGpu = random.pick([0, 1, 200, 460, 500, 999, 1000, 2000, 3000, 4000, 8000]);
    const chosen = referenceDevices(freeMilliGpu, milliGpu, packing);
    return {
      machine: wordHex(encodeMachineWord({ ...passingCase(random).machine, freeMilliGpu })),
      milliGpu,
      ...(packing === null ? {} : { policy: index % packings.length }),
      fits: chosen !== undefined,
      mask: (chosen ?? []).reduce((mask, device) => mask | (1 << device), 0),
    };
  });
}

function packingOf({ packing }: Policy): PackingTerms {
  if (packing === null) throw new TypeError('a policy of version 1 has no packing terms');
  return packing;
}

function policy(changes: Partial<Policy>): Policy {
  return {
    rulesVersion: 1,
    weightPriceBps: 4500,
    weightStakeBps: 1500,
    weightFitBps: 1500,
    weightRegionBps: 1000,
    weightUptimeBps: 1000,
    weightReputationBps: 500,
    saturationWhole: 100_000,
    complianceCapBps: 12_000,
    jitterRange: 6_000_000_000,
    defaultUptimeBps: 9500,
    defaultReputationBps: 5000,
    maxMatches: 512,
    quorumBps: 6667,
    minTotalStake: 1n,
    maxTableAgeSeconds: 604_800,
    coolRounds: 10,
    selfMatchRounds: 30,
    weightPackingBps: 0,
    packing: null,
    ...changes,
  };
}

function passingCase(random: PseudoRandom): Case {
  const milliGpu = random.pick([0, 250, 1000, 2000]);
  const hasGpu = milliGpu > 0 || random.below(2) === 1;
  return {
    spec: {
      milliGpu,
      cpuMilli: 4000,
      memoryMib: 8193,
      storageGib: 11,
      models: [],
      regions: [],
      regionsExcluded: [],
      providersWanted: [],
      providersExcluded: [],
      tiers: 0,
      attributes: 0n,
      regionRequired: false,
      minUptimeBps: 0,
      minReputationBps: 0,
      maxSlashes: 255,
      tokenId: 1,
      maxPriceMicroPerHour: 3_000_001,
      durationMinutes: 60,
    },
    order: {
      untilRound: NO_ROUND,
      eligibleFromBlock: 1,
      maxPriceMicroPerHour: 0,
      bidCount: 1,
      milliGpu: 0,
      cpuMilli: 0,
      memoryMib: 0,
      storageGib: 0,
      state: OrderState.OPEN,
      tokenId: 0,
      expiresAtSeconds: 0xffff_ffff,
    },
    machine: {
      activeFromRound: 1,
      activeUntilRound: NO_ROUND,
      providerId: PROVIDER_ID,
      model: hasGpu ? 5 : 0,
      region: random.pick([0, 33, 1023]),
      offersWritten: 1,
      freeMemoryMib: 65_536,
      freeCpuMilli: 31_999,
      freeStorageGib: 1000,
      freeMilliGpu: hasGpu ? [1000, 1000, 460, 250, 1000, 0, 0, 700] : [0, 0, 0, 0, 0, 0, 0, 0],
    },
    provider: {
      stakeWhole: 33_333,
      status: 2,
      tier: 3,
      uptimeBps: 0x3fff,
      reputationBps: 0x3fff,
      slashes: 0,
      attributes: 1n | (1n << 27n),
      reports: [0, 0, 0, 0],
    },
    offer: {
      tokenId: 1,
      gpuMicroPerHour: 999_999,
      coreMicroPerHour: 9999,
      memoryGibMicroPerHour: 1023,
      storageTibMicroPerHour: 2047,
    },
    bid: undefined,
  };
}

function bidOn(random: PseudoRandom): NonNullable<Case['bid']> {
  return {
    priceMicroPerHour: random.pick([0, 1, 40_000, 48_000, 100_000, 1_048_000, 3_000_001, 3_000_002]),
    machineId: MACHINE_ID,
    providerId: PROVIDER_ID,
    untilRound: NO_ROUND,
  };
}

function devicesLike(random: PseudoRandom): number[] {
  return Array.from({ length: 8 }, () => random.pick([0, 0, 1, 200, 249, 250, 460, 460, 999, 1000, 1000]));
}

function reportLike(random: PseudoRandom): number {
  return encodeComplianceReport({
    standard: random.below(64),
    expiryDay: random.pick([0, TODAY - 1, TODAY, TODAY + 1, 65_535]),
    bps: random.pick([0, 1, 500, 1000]),
  });
}

function priceOf(spec: OrderSpec, offer: OfferFields): bigint {
  const term = (amount: number, unitPrice: number, per: bigint): bigint => (BigInt(amount) * BigInt(unitPrice)) / per;
  return (
    term(spec.milliGpu, offer.gpuMicroPerHour, 1000n) +
    term(spec.cpuMilli, offer.coreMicroPerHour, 1000n) +
    term(spec.memoryMib, offer.memoryGibMicroPerHour, 1024n) +
    term(spec.storageGib, offer.storageTibMicroPerHour, 1024n)
  );
}

/** The case's words and what the reference matcher makes of it. */
function judged(current: Case, terms: Policy): Record<string, string | number | boolean> {
  const { spec } = current;
  const orderWord = encodeOpenOrderWord({
    ...current.order,
    maxPriceMicroPerHour: spec.maxPriceMicroPerHour,
    milliGpu: spec.milliGpu,
    cpuMilli: spec.cpuMilli,
    memoryMib: spec.memoryMib,
    storageGib: spec.storageGib,
    tokenId: spec.tokenId,
  });
  const order = orderFrom(ORDER_ID, orderWord, spec);
  const market = new Market();
  market.setMachine(MACHINE_ID, current.machine);
  market.setOffer(MACHINE_ID, 0, current.offer);
  market.setProvider(PROVIDER_ID, current.provider);
  const bids: Bid[] = current.bid === undefined ? [] : [{ ...current.bid, orderId: ORDER_ID, bidIndex: 0 }];
  const snapshot: Snapshot = {
    round: MATCHING_FACTS.round,
    blockNumber: MATCHING_FACTS.snapshotBlock,
    snapshotHash: MATCHING_FACTS.snapshotHash,
    timestampSeconds: MATCHING_FACTS.timestamp,
    orders: [order],
    bids: new Map([[ORDER_ID, bids]]),
    market,
  };
  const machine = referenceMachines(snapshot, terms)[MACHINE_ID - 1]!;
  const verdict = referenceVerdict(snapshot, terms, order, bids, machine);
  const scored = 'base' in verdict ? verdict : undefined;
  const seed = roundSeed(MATCHING_FACTS.snapshotHash, MATCHING_FACTS.round);
  const jitter = referenceJitter(seed, ORDER_ID, PROVIDER_ID, terms.jitterRange);
  const [price, stake, fit, region, uptime, reputation] = (scored?.components ?? [0n, 0n, 0n, 0n, 0n, 0n]).map(Number);
  const packed = (packing: PackingTerms | null): Record<string, number> => {
    if (packing === null) return {};
    if (scored === undefined) return { loss: 0, greatestLoss: 0 };
    const { loss, most } = referencePacking(packing, order, machine);
    return { loss: Number(loss), greatestLoss: Number(most) };
  };
  return {
    order: wordHex(orderWord),
    machine: wordHex(encodeMachineWord(current.machine)),
    provider: wordHex(encodeProviderWord(current.provider)),
    offer: wordHex(encodeOfferWord({ ...current.offer, fromRound: 1 })),
    bid: wordHex(current.bid === undefined ? 0n : encodeBidWord({ ...current.bid, bondAndTime: 0n })),
    reason: verdict.reason,
    priceMicroPerHour: Number(scored?.price ?? 0n),
    fromBid: scored?.bidIndex !== undefined,
    price: price!,
    stake: stake!,
    fit: fit!,
    region: region!,
    uptime: uptime!,
    reputation: reputation!,
    compliance: Number(machine.complianceBps),
    ...packed(terms.packing),
    base: Number(scored?.base ?? 0n),
    total: scored === undefined ? 0 : Number(scored.base + jitter),
  };
}
