import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Market } from '../market.js';
import type { Bid, Order } from '../order.js';
import type { PackingTerms, Policy } from '../policy.js';
import type { MatchRecord } from '../record.js';
import type { Hex, Snapshot } from '../snapshot.js';

/** A machine as the rules name it, with its provider and live offers, read from the market's columns. */
export interface ReferenceMachine {
  readonly machineId: number;
  readonly providerId: number;
  readonly activeFromRound: number;
  readonly activeUntilRound: number;
  readonly model: number;
  readonly region: number;
  freeCpuMilli: number;
  freeMemoryMib: number;
  freeStorageGib: number;
  readonly devices: number[];
  readonly offers: readonly ReferenceOffer[];
  readonly status: number;
  readonly tier: number;
  readonly attributes: bigint;
  readonly stakeWhole: bigint;
  readonly uptimeBps: bigint;
  readonly reputationBps: bigint;
  readonly slashes: number;
  readonly complianceBps: bigint;
}

interface ReferenceOffer {
  readonly tokenId: number;
  readonly gpu: bigint;
  readonly core: bigint;
  readonly memoryGib: bigint;
  readonly storageTib: bigint;
}

/** What the rules say about one machine and one order. */
export type ReferenceVerdict =
  | { readonly reason: number }
  | {
      readonly reason: 0;
      readonly price: bigint;
      readonly offerIndex: number;
      readonly bidIndex: number | undefined;
      readonly components: readonly [
        price: bigint,
        stake: bigint,
        fit: bigint,
        region: bigint,
        uptime: bigint,
        reputation: bigint,
        packing: bigint,
      ];
      /** complianceBps x weighted sum of the components. */
      readonly base: bigint;
    };

const S = 10_000n;
const ACTIVE = 2;

/**
 * The match of a round by brute force in BigInt, written from the rules alone: every order against every machine, no shortcut but that
 * a machine whose base cannot be lifted to the highest base by the jitter gets none. The yardstick that `matchRound` is measured by.
 */
export function referenceMatchRound(snapshot: Snapshot, policy: Policy, seed: Hex): MatchRecord[] {
  const machines = referenceMachines(snapshot, policy);
  const orders = [...snapshot.orders].sort((a, b) => a.orderId - b.orderId);
  const records: MatchRecord[] = [];
  for (const order of orders) {
    if (records.length === policy.maxMatches) break;
    const match = referenceMatch(snapshot, policy, seed, order, machines);
    if (match === undefined) continue;
    const { machine, record } = match;
    for (let device = 0; device < machine.devices.length; device++) {
      if ((record.deviceMask >> device) % 2 === 1) machine.devices[device]! -= Math.min(order.milliGpu, 1000);
    }
    machine.freeCpuMilli -= order.cpuMilli;
    machine.freeMemoryMib -= order.memoryMib;
    machine.freeStorageGib -= order.storageGib;
    records.push(record);
  }
  return records;
}

/** What the rules give one order among `machines`, with what these have free; undefined when none of them can take it. */
export function referenceMatch(
  snapshot: Snapshot,
  policy: Policy,
  seed: Hex,
  order: Order,
  machines: readonly ReferenceMachine[],
): { readonly machine: ReferenceMachine; readonly record: MatchRecord; readonly total: bigint } | undefined {
  const bids = snapshot.bids.get(order.orderId) ?? [];
  const candidates = machines.flatMap((machine) => {
    const verdict = referenceVerdict(snapshot, policy, order, bids, machine);
    return 'base' in verdict ? [{ machine, verdict }] : [];
  });
  const highest = candidates.reduce((most, { verdict }) => (verdict.base > most ? verdict.base : most), -1n);
  const winner = candidates
    .filter(({ verdict }) => verdict.base + BigInt(policy.jitterRange) >= highest)
    .map(({ machine, verdict }) => ({
      machine,
      verdict,
      total: verdict.base + referenceJitter(seed, order.orderId, machine.providerId, policy.jitterRange),
    }))
    .sort((a, b) => {
      if (a.total !== b.total) return a.total > b.total ? -1 : 1;
      return a.machine.providerId - b.machine.providerId || a.machine.machineId - b.machine.machineId;
    })[0];
  if (winner === undefined) return undefined;
  const { machine, verdict, total } = winner;
  const devices = referenceDevices(machine.devices, order.milliGpu, policy.packing) ?? [];
  return {
    machine,
    total,
    record: {
      orderId: order.orderId,
      machineId: machine.machineId,
      priceMicroPerHour: Number(verdict.price),
      deviceMask: devices.reduce((mask, device) => mask + 2 ** device, 0),
      milliGpu: order.milliGpu,
      cpuMilli: order.cpuMilli,
      memoryMib: order.memoryMib,
      storageGib: order.storageGib,
      offerIndex: verdict.offerIndex,
      fromBid: verdict.bidIndex !== undefined,
      tokenId: order.tokenId,
      providerId: machine.providerId,
      bidIndex: verdict.bidIndex ?? 0,
    },
  };
}

/** Every machine of a snapshot, with what the round's policy makes of its provider. */
export function referenceMachines(snapshot: Snapshot, policy: Policy): ReferenceMachine[] {
  return Array.from({ length: snapshot.market.machineCount }, (_, index) =>
    referenceMachine(snapshot, policy, index + 1),
  );
}

/** One machine of a snapshot, with what the round's policy makes of its provider. */
export function referenceMachine(snapshot: Snapshot, policy: Policy, machineId: number): ReferenceMachine {
  const { market } = snapshot;
  const day = BigInt(snapshot.timestampSeconds) / 86_400n;
  const providerId = market.providerId[machineId]!;
  return {
    machineId,
    providerId,
    activeFromRound: market.activeFromRound[machineId]!,
    activeUntilRound: market.activeUntilRound[machineId]!,
    model: market.model[machineId]!,
    region: market.region[machineId]!,
    freeCpuMilli: market.freeCpuMilli[machineId]!,
    freeMemoryMib: market.freeMemoryMib[machineId]!,
    freeStorageGib: market.freeStorageGib[machineId]!,
    devices: Array.from(market.freeMilliGpu.slice(machineId * 8, machineId * 8 + 8)),
    offers: offersOf(market, machineId),
    status: market.status[providerId] ?? 0,
    tier: market.tier[providerId] ?? 0,
    attributes:
      BigInt(market.attributesLow[providerId] ?? 0) + BigInt(market.attributesHigh[providerId] ?? 0) * 2n ** 27n,
    stakeWhole: BigInt(market.stakeWhole[providerId] ?? 0),
    uptimeBps: measuredOr(market.uptimeBps[providerId] ?? 0, policy.defaultUptimeBps),
    reputationBps: measuredOr(market.reputationBps[providerId] ?? 0, policy.defaultReputationBps),
    slashes: market.slashes[providerId] ?? 0,
    complianceBps: complianceOf(market, providerId, day, BigInt(policy.complianceCapBps)),
  };
}

/** Filters 1 to 19 in their order, then the components and the base of a machine that passes them all. */
export function referenceVerdict(
  snapshot: Snapshot,
  policy: Policy,
  order: Order,
  bids: readonly Bid[],
  machine: ReferenceMachine,
): ReferenceVerdict {
  const { round } = snapshot;
  const isEligible =
    order.isOpen &&
    order.eligibleFromBlock <= snapshot.blockNumber &&
    round < order.untilRound &&
    snapshot.timestampSeconds < order.expiresAtSeconds;
  if (!isEligible) return { reason: 1 };
  if (!(machine.activeFromRound <= round && round < machine.activeUntilRound)) return { reason: 2 };
  if (machine.status !== ACTIVE) return { reason: 3 };
  if (order.providersExcluded.includes(machine.providerId)) return { reason: 4 };
  if (order.providersWanted.length > 0 && !order.providersWanted.includes(machine.providerId)) return { reason: 5 };
  const offerIndex = machine.offers.findIndex((offer) => offer.tokenId === order.tokenId);
  const offer = machine.offers[offerIndex];
  const bid = bids
    .filter((candidate) => candidate.machineId === machine.machineId && candidate.providerId === machine.providerId)
    .filter((candidate) => round < candidate.untilRound)
    .sort((a, b) => a.priceMicroPerHour - b.priceMicroPerHour || a.bidIndex - b.bidIndex)[0];
  if (offer === undefined && bid === undefined) return { reason: 6 };
  if (order.models.length > 0 && !order.models.includes(machine.model)) return { reason: 7 };
  if (order.regionsExcluded.includes(machine.region)) return { reason: 8 };
  const isListed = order.regions.length === 0 || order.regions.includes(machine.region);
  if (order.regionRequired && !isListed) return { reason: 9 };
  if (order.tiers !== 0 && !tiersIn(order.tiers).includes(machine.tier)) return { reason: 10 };
  if ((machine.attributes & order.attributes) !== order.attributes) return { reason: 11 };
  if (machine.uptimeBps < BigInt(order.minUptimeBps)) return { reason: 12 };
  if (machine.reputationBps < BigInt(order.minReputationBps)) return { reason: 13 };
  if (machine.slashes > order.maxSlashes) return { reason: 14 };
  if (machine.freeCpuMilli < order.cpuMilli) return { reason: 15 };
  if (machine.freeMemoryMib < order.memoryMib) return { reason: 16 };
  if (machine.freeStorageGib < order.storageGib) return { reason: 17 };
  if (referenceDevices(machine.devices, order.milliGpu, policy.packing) === undefined) return { reason: 18 };

  const offered = offer === undefined ? undefined : referencePrice(order, offer);
  const bidden = bid === undefined ? undefined : BigInt(bid.priceMicroPerHour);
  const takesBid = bidden !== undefined && (offered === undefined || bidden < offered);
  const price = (takesBid ? bidden : offered)!;
  const max = BigInt(order.maxPriceMicroPerHour);
  if (price > max) return { reason: 19 };

  const saturated = (machine.stakeWhole * S) / BigInt(policy.saturationWhole);
  const packed = policy.packing === null ? NOT_PACKED : referencePacking(policy.packing, order, machine);
  const components = [
    ((max - price) * S) / max,
    saturated < S ? saturated : S,
    referenceFit(order, machine),
    isListed ? S : order.regions.some((region) => region >> 5 === machine.region >> 5) ? S / 2n : 0n,
    machine.uptimeBps,
    machine.reputationBps,
    (S * (packed.most - packed.loss)) / packed.most,
  ] as const;
  const weights = [
    policy.weightPriceBps,
    policy.weightStakeBps,
    policy.weightFitBps,
    policy.weightRegionBps,
    policy.weightUptimeBps,
    policy.weightReputationBps,
  ];
  const sum = weights.reduce((total, weight, index) => total + components[index]! * BigInt(weight), 0n);
  // The packing component is weighted before it is floored.
  const weightedPacking = (BigInt(policy.weightPackingBps) * S * (packed.most - packed.loss)) / packed.most;
  return {
    reason: 0,
    price,
    offerIndex: takesBid ? 0 : offerIndex,
    bidIndex: takesBid ? bid?.bidIndex : undefined,
    components,
    base: machine.complianceBps * (sum + weightedPacking),
  };
}

/** keccak256(seed, uint32 order, uint24 provider) mod (J + 1). */
export function referenceJitter(seed: Hex, orderId: number, providerId: number, range: number): bigint {
  const packed = seed.slice(2) + orderId.toString(16).padStart(8, '0') + providerId.toString(16).padStart(6, '0');
  const digest = keccak_256(Uint8Array.from(packed.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
  return digest.reduce((value, byte) => value * 256n + BigInt(byte), 0n) % (BigInt(range) + 1n);
}

/** Indices of the devices that take `milliGpu`, undefined when they cannot. */
export function referenceDevices(
  devices: readonly number[],
  milliGpu: number,
  packing: PackingTerms | null,
): number[] | undefined {
  if (milliGpu === 0) return [];
  const indexed = devices.map((free, index) => ({ free, index }));
  if (milliGpu < 1000) {
    const lost = (free: number): number =>
      packing === null ? 0 : Number(deviceValue(packing, free) - deviceValue(packing, free - milliGpu));
    const fitting = indexed
      .filter(({ free }) => free >= milliGpu)
      .sort((a, b) => lost(a.free) - lost(b.free) || a.free - b.free || a.index - b.index);
    return fitting[0] === undefined ? undefined : [fitting[0].index];
  }
  const whole = indexed.filter(({ free }) => free === 1000).map(({ index }) => index);
  const needed = milliGpu / 1000;
  return whole.length < needed ? undefined : whole.slice(0, needed);
}

/** Loss and its bound where there is no packing: nothing of anything. */
const NOT_PACKED = { loss: 1n, most: 1n };

/** What the order costs the machine in potential, and the most that it can cost one. */
export function referencePacking(
  packing: PackingTerms,
  order: Pick<Order, 'milliGpu' | 'cpuMilli' | 'memoryMib'>,
  machine: Pick<ReferenceMachine, 'model' | 'freeCpuMilli' | 'freeMemoryMib' | 'devices'>,
): { readonly loss: bigint; readonly most: bigint } {
  const used = referenceDevices(machine.devices, order.milliGpu, packing)!;
  const after = machine.devices.map((free, index) =>
    used.includes(index) ? free - Math.min(order.milliGpu, 1000) : free,
  );
  const before = potential(packing, machine.devices, machine.freeCpuMilli, machine.freeMemoryMib);
  const left = potential(
    packing,
    after,
    machine.freeCpuMilli - order.cpuMilli,
    machine.freeMemoryMib - order.memoryMib,
  );
  const listed = packing.models.indexOf(machine.model);
  const factor = BigInt(listed === -1 ? 1024 : packing.modelFactor[listed]!);
  const isShare = order.milliGpu > 0 && order.milliGpu < 1000;
  const deviceWeight = BigInt(packing.deviceWeight);
  const cpuWeight = BigInt(packing.cpuWeight);
  const memoryWeight = BigInt(packing.memoryWeight);
  return {
    loss: ((before - left) * factor) / 1024n + (isShare ? BigInt(after[used[0]!]!) : 0n),
    most:
      (deviceWeight + cpuWeight + memoryWeight) *
        deviceValue(packing, 1000) *
        BigInt(Math.ceil(order.milliGpu / 1000)) +
      cpuWeight * ((BigInt(order.cpuMilli) * BigInt(packing.cpuRate)) / 65_536n + 1n) +
      memoryWeight * ((BigInt(order.memoryMib) * BigInt(packing.memoryRate)) / 65_536n + 1n) +
      1000n,
  };
}

function potential(packing: PackingTerms, devices: readonly number[], cpuMilli: number, memoryMib: number): bigint {
  const inDevices = devices.reduce((sum, free) => sum + deviceValue(packing, free), 0n);
  const byCpu = (BigInt(cpuMilli) * BigInt(packing.cpuRate)) / 65_536n;
  const byMemory = (BigInt(memoryMib) * BigInt(packing.memoryRate)) / 65_536n;
  return (
    BigInt(packing.deviceWeight) * inDevices +
    BigInt(packing.cpuWeight) * (byCpu < inDevices ? byCpu : inDevices) +
    BigInt(packing.memoryWeight) * (byMemory < inDevices ? byMemory : inDevices)
  );
}

/** V: the value of the last step that starts at or below what the device has free. */
function deviceValue(packing: PackingTerms, free: number): bigint {
  return BigInt(packing.value[packing.fromMilli.findLastIndex((from) => from <= free)] ?? 0);
}

/** The four floored terms of the price formula. */
export function referencePrice(
  order: Pick<Order, 'milliGpu' | 'cpuMilli' | 'memoryMib' | 'storageGib'>,
  offer: ReferenceOffer,
): bigint {
  return (
    (BigInt(order.milliGpu) * offer.gpu) / 1000n +
    (BigInt(order.cpuMilli) * offer.core) / 1000n +
    (BigInt(order.memoryMib) * offer.memoryGib) / 1024n +
    (BigInt(order.storageGib) * offer.storageTib) / 1024n
  );
}

function referenceFit(order: Order, machine: ReferenceMachine): bigint {
  if (order.milliGpu > 0) {
    return (BigInt(order.milliGpu) * S) / BigInt(machine.devices.reduce((sum, free) => sum + free, 0));
  }
  if (machine.model !== 0) return 0n;
  return (BigInt(order.cpuMilli) * S) / BigInt(machine.freeCpuMilli);
}

function offersOf(market: Market, machineId: number): ReferenceOffer[] {
  return [0, 1, 2, 3].map((index) => {
    const row = machineId * 4 + index;
    return {
      tokenId: market.offerTokenId[row]!,
      gpu: BigInt(market.offerGpuMicroPerHour[row]!),
      core: BigInt(market.offerCoreMicroPerHour[row]!),
      memoryGib: BigInt(market.offerMemoryGibMicroPerHour[row]!),
      storageTib: BigInt(market.offerStorageTibMicroPerHour[row]!),
    };
  });
}

function measuredOr(bps: number, defaultBps: number): bigint {
  return BigInt(bps === 0x3fff ? defaultBps : bps);
}

function complianceOf(market: Market, providerId: number, day: bigint, cap: bigint): bigint {
  let sum = 10_000n;
  for (const report of market.reports.slice(providerId * 4, providerId * 4 + 4)) {
    const expiryDay = (BigInt(report) / 1024n) % 65_536n;
    if (day <= expiryDay) sum += BigInt(report) % 1024n;
  }
  return sum < cap ? sum : cap;
}

function tiersIn(bitmap: number): number[] {
  return [1, 2, 3, 4, 5, 6, 7].filter((tier) => Math.floor(bitmap / 2 ** (tier - 1)) % 2 === 1);
}
