import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../../engine/market.js';
import type { MachineFields, Market, OfferFields, ProviderFields } from '../../engine/market.js';
import { decodeMachineWord } from './machineWord.js';
import { decodeOfferWord } from './offerWord.js';
import type { OfferWordFields } from './offerWord.js';
import { wordOfLimbs } from './wordLimbs.js';
import type { WordLimbs } from './wordLimbs.js';

/**
 * The words that fill the engine's columns, between limbs and fields without big integers: what a node does for every fact of the
 * chain's history and every change after. machineWord.ts, offerWord.ts and providerWord.ts say the same by the layouts, and the tests
 * hold both together. Limb i holds bits 255 - 32 i down to 224 - 32 i.
 */

/** Fields that are written over for each word. */
type Mutable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };
export type MachineBuffer = Mutable<Omit<MachineFields, 'freeMilliGpu'>> & { readonly freeMilliGpu: number[] };
export type OfferBuffer = Mutable<OfferWordFields>;
export type ProviderBuffer = Mutable<Omit<ProviderFields, 'reports'>> & {
  readonly reports: [number, number, number, number];
};

const TEN_BITS = 0x3ff;
const WHOLE_DEVICE = 1000;

/** A machine of nothing, to be written over. */
export function machineBuffer(): MachineBuffer {
  return {
    activeFromRound: 0,
    activeUntilRound: 0,
    providerId: 0,
    model: 0,
    region: 0,
    offersWritten: 0,
    freeMemoryMib: 0,
    freeCpuMilli: 0,
    freeStorageGib: 0,
    freeMilliGpu: Array.from({ length: DEVICES_PER_MACHINE }, () => 0),
  };
}

/** An offer of nothing, to be written over. */
export function offerBuffer(): OfferBuffer {
  return {
    fromRound: 0,
    tokenId: 0,
    gpuMicroPerHour: 0,
    coreMicroPerHour: 0,
    memoryGibMicroPerHour: 0,
    storageTibMicroPerHour: 0,
  };
}

/** A provider of nothing, to be written over. */
export function providerBuffer(): ProviderBuffer {
  return {
    stakeWhole: 0,
    status: 0,
    tier: 0,
    uptimeBps: 0,
    reputationBps: 0,
    slashes: 0,
    attributes: 0n,
    reports: [0, 0, 0, 0],
  };
}

/** Decodes a machine's matching word into `machine`. Throws WordMalformedError as decodeMachineWord does. */
export function decodeMachineLimbs(limbs: WordLimbs, machine: MachineBuffer): void {
  const l0 = limbs[0]!;
  const l1 = limbs[1]!;
  const l2 = limbs[2]!;
  const l3 = limbs[3]!;
  const l4 = limbs[4]!;
  const l5 = limbs[5]!;
  const l6 = limbs[6]!;
  const l7 = limbs[7]!;
  machine.activeFromRound = l0;
  machine.activeUntilRound = l1;
  machine.providerId = l2 >>> 8;
  machine.model = ((l2 & 0xff) << 2) | (l3 >>> 30);
  machine.region = (l3 >>> 20) & TEN_BITS;
  machine.offersWritten = (l3 >>> 16) & 0xf;
  machine.freeMemoryMib = ((l3 & 0xffff) << 8) | (l4 >>> 24);
  machine.freeCpuMilli = (l4 >>> 4) & 0xf_ffff;
  machine.freeStorageGib = ((l4 & 0xf) << 16) | (l5 >>> 16);
  const devices = machine.freeMilliGpu;
  devices[0] = l7 & TEN_BITS;
  devices[1] = (l7 >>> 10) & TEN_BITS;
  devices[2] = (l7 >>> 20) & TEN_BITS;
  devices[3] = (l7 >>> 30) | ((l6 & 0xff) << 2);
  devices[4] = (l6 >>> 8) & TEN_BITS;
  devices[5] = (l6 >>> 18) & TEN_BITS;
  devices[6] = (l6 >>> 28) | ((l5 & 0x3f) << 4);
  devices[7] = (l5 >>> 6) & TEN_BITS;
  for (let device = 0; device < DEVICES_PER_MACHINE; device++) {
    // It throws, and says which device it is.
    if (devices[device]! > WHOLE_DEVICE) decodeMachineWord(wordOfLimbs(limbs));
  }
}

/** Encodes a machine's matching word. The caller has every field within its bits. */
export function encodeMachineLimbs(machine: MachineFields, limbs: WordLimbs): void {
  const devices = machine.freeMilliGpu;
  limbs[0] = machine.activeFromRound;
  limbs[1] = machine.activeUntilRound;
  limbs[2] = (machine.providerId << 8) | (machine.model >>> 2);
  limbs[3] =
    (machine.model << 30) | (machine.region << 20) | (machine.offersWritten << 16) | (machine.freeMemoryMib >>> 8);
  limbs[4] = (machine.freeMemoryMib << 24) | (machine.freeCpuMilli << 4) | (machine.freeStorageGib >>> 16);
  limbs[5] = (machine.freeStorageGib << 16) | (devices[7]! << 6) | (devices[6]! >>> 4);
  limbs[6] = (devices[6]! << 28) | (devices[5]! << 18) | (devices[4]! << 8) | (devices[3]! >>> 2);
  limbs[7] = (devices[3]! << 30) | (devices[2]! << 20) | (devices[1]! << 10) | devices[0]!;
}

/** Decodes an offer's word into `offer`. Throws WordMalformedError as decodeOfferWord does. */
export function decodeOfferLimbs(limbs: WordLimbs, offer: OfferBuffer): void {
  const l0 = limbs[0]!;
  const l1 = limbs[1]!;
  const l2 = limbs[2]!;
  const l3 = limbs[3]!;
  const l4 = limbs[4]!;
  const l5 = limbs[5]!;
  const l6 = limbs[6]!;
  const l7 = limbs[7]!;
  // Spare bits are set: it throws, and says so.
  if (l1 !== 0 || l2 > TEN_BITS || l7 !== 0) decodeOfferWord(wordOfLimbs(limbs));
  offer.fromRound = l0;
  offer.gpuMicroPerHour = l2 * 2 ** 26 + (l3 >>> 6);
  offer.coreMicroPerHour = ((l3 & 0x3f) << 24) | (l4 >>> 8);
  offer.memoryGibMicroPerHour = ((l4 & 0xff) << 18) | (l5 >>> 14);
  offer.storageTibMicroPerHour = ((l5 & 0x3fff) << 16) | (l6 >>> 16);
  offer.tokenId = l6 & 0xffff;
}

/** Encodes an offer's word. The caller has every field within its bits. */
export function encodeOfferLimbs(offer: OfferWordFields, limbs: WordLimbs): void {
  const gpuHigh = Math.floor(offer.gpuMicroPerHour / 2 ** 26);
  const gpuLow = offer.gpuMicroPerHour % 2 ** 26;
  limbs[0] = offer.fromRound;
  limbs[1] = 0;
  limbs[2] = gpuHigh;
  limbs[3] = (gpuLow << 6) | (offer.coreMicroPerHour >>> 24);
  limbs[4] = (offer.coreMicroPerHour << 8) | (offer.memoryGibMicroPerHour >>> 18);
  limbs[5] = (offer.memoryGibMicroPerHour << 14) | (offer.storageTibMicroPerHour >>> 16);
  limbs[6] = (offer.storageTibMicroPerHour << 16) | offer.tokenId;
  limbs[7] = 0;
}

/** Decodes a provider's score word into `provider`; all its bits have a meaning. */
export function decodeProviderLimbs(limbs: WordLimbs, provider: ProviderBuffer): void {
  const l0 = limbs[0]!;
  const l1 = limbs[1]!;
  const l2 = limbs[2]!;
  const l3 = limbs[3]!;
  const l4 = limbs[4]!;
  const l5 = limbs[5]!;
  const l6 = limbs[6]!;
  const l7 = limbs[7]!;
  provider.stakeWhole = l0;
  provider.status = l1 >>> 29;
  provider.tier = (l1 >>> 26) & 7;
  provider.uptimeBps = (l1 >>> 12) & 0x3fff;
  provider.reputationBps = ((l1 & 0xfff) << 2) | (l2 >>> 30);
  provider.slashes = (l2 >>> 22) & 0xff;
  provider.attributes = (BigInt(l2 & 0x3f_ffff) << 32n) | BigInt(l3);
  provider.reports[0] = l7;
  provider.reports[1] = l6;
  provider.reports[2] = l5;
  provider.reports[3] = l4;
}

/** Encodes a provider's score word. The caller has every field within its bits. */
export function encodeProviderLimbs(provider: ProviderFields, limbs: WordLimbs): void {
  limbs[0] = provider.stakeWhole;
  limbs[1] =
    (provider.status << 29) | (provider.tier << 26) | (provider.uptimeBps << 12) | (provider.reputationBps >>> 2);
  limbs[2] = (provider.reputationBps << 30) | (provider.slashes << 22) | Number(provider.attributes >> 32n);
  limbs[3] = Number(provider.attributes & 0xffff_ffffn);
  limbs[4] = provider.reports[3];
  limbs[5] = provider.reports[2];
  limbs[6] = provider.reports[1];
  limbs[7] = provider.reports[0];
}

/** Reads a machine out of the columns. */
export function readMachine(market: Market, machineId: number, machine: MachineBuffer): void {
  machine.activeFromRound = market.activeFromRound[machineId]!;
  machine.activeUntilRound = market.activeUntilRound[machineId]!;
  machine.providerId = market.providerId[machineId]!;
  machine.model = market.model[machineId]!;
  machine.region = market.region[machineId]!;
  machine.offersWritten = market.offersWritten[machineId]!;
  machine.freeMemoryMib = market.freeMemoryMib[machineId]!;
  machine.freeCpuMilli = market.freeCpuMilli[machineId]!;
  machine.freeStorageGib = market.freeStorageGib[machineId]!;
  for (let device = 0; device < DEVICES_PER_MACHINE; device++)
    machine.freeMilliGpu[device] = market.freeMilliGpu[machineId * DEVICES_PER_MACHINE + device]!;
}

/** Reads one of a machine's four offers out of the columns, which do not hold the round it counts from. */
export function readOffer(market: Market, machineId: number, offerIndex: number, offer: Mutable<OfferFields>): void {
  const row = machineId * OFFERS_PER_MACHINE + offerIndex;
  offer.tokenId = market.offerTokenId[row]!;
  offer.gpuMicroPerHour = market.offerGpuMicroPerHour[row]!;
  offer.coreMicroPerHour = market.offerCoreMicroPerHour[row]!;
  offer.memoryGibMicroPerHour = market.offerMemoryGibMicroPerHour[row]!;
  offer.storageTibMicroPerHour = market.offerStorageTibMicroPerHour[row]!;
}

/** Reads a provider out of the columns. */
export function readProvider(market: Market, providerId: number, provider: ProviderBuffer): void {
  provider.stakeWhole = market.stakeWhole[providerId]!;
  provider.status = market.status[providerId]!;
  provider.tier = market.tier[providerId]!;
  provider.uptimeBps = market.uptimeBps[providerId]!;
  provider.reputationBps = market.reputationBps[providerId]!;
  provider.slashes = market.slashes[providerId]!;
  provider.attributes = (BigInt(market.attributesHigh[providerId]!) << 27n) | BigInt(market.attributesLow[providerId]!);
  for (let report = 0; report < 4; report++) provider.reports[report] = market.reports[providerId * 4 + report]!;
}
