import { numberToHex } from 'viem';
import type { Hex } from 'viem';
import type { MachineFields, ProviderFields } from '../../engine/market.js';
import type { MatchRecord } from '../../engine/record.js';
import { encodeRecord, encodeRecords, hashRecords } from '../../protocol/records.js';
import {
  leaseWordOf,
  machineWordAfterMatch,
  machineWordAfterRelease,
  machineWordBenched,
} from '../../protocol/settlementEffects.js';
import { encodeBidWord } from '../../protocol/words/bidWord.js';
import { FactsWord } from '../../protocol/words/factsWord.js';
import { limbsOf } from '../../protocol/words/wordLimbs.js';
import { encodeMachineTotalsWord, encodeMachineWord } from '../../protocol/words/machineWord.js';
import { encodeOfferWord } from '../../protocol/words/offerWord.js';
import { encodeOpenOrderWord, encodeOrderOwnerWord, OrderState } from '../../protocol/words/orderWord.js';
import { encodeProviderOwnerWord, encodeProviderWord } from '../../protocol/words/providerWord.js';
import { foldBatch } from '../../protocol/words/settlementWord.js';
import { bidSlot, machineSlot, orderSlot, providerSlot } from '../../protocol/words/slots.js';
import * as slots from '../../protocol/words/slots.js';
import { encodeTableWord } from '../../protocol/words/tableWord.js';
import { columnsOf } from './columns.js';
import type { PseudoRandom } from './pseudoRandom.js';

const CASES = 40;

/** A 256-bit word as 32 bytes of hex. */
export function wordHex(word: bigint): Hex {
  return numberToHex(word, { size: 32 });
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** A machine of any fields its word can hold. */
export function anyMachine(random: PseudoRandom): MachineFields {
  return {
    activeFromRound: random.bits(32),
    activeUntilRound: random.bits(32),
    providerId: random.bits(24),
    model: random.bits(10),
    region: random.bits(10),
    offersWritten: random.bits(4),
    freeMemoryMib: random.bits(24),
    freeCpuMilli: random.bits(20),
    freeStorageGib: random.bits(20),
    freeMilliGpu: many(8, () => random.pick([0, 1, 999, 1000, random.below(1001)])),
  };
}

/** A provider of any fields its word can hold. */
export function anyProvider(random: PseudoRandom): ProviderFields {
  return {
    stakeWhole: random.bits(32),
    status: random.below(6),
    tier: random.below(8),
    uptimeBps: random.bits(14),
    reputationBps: random.bits(14),
    slashes: random.bits(8),
    attributes: random.wideBits(54),
    reports: [random.bits(32), random.bits(32), random.bits(32), random.bits(32)],
  };
}

/** A record of any fields its word can hold. */
export function anyRecord(random: PseudoRandom): MatchRecord {
  const fromBid = random.below(2) === 1;
  return {
    orderId: random.bits(32),
    machineId: random.bits(32),
    priceMicroPerHour: random.bits(40),
    deviceMask: random.bits(8),
    milliGpu: random.bits(14),
    cpuMilli: random.bits(24),
    memoryMib: random.bits(24),
    storageGib: random.bits(24),
    offerIndex: fromBid ? 0 : random.bits(2),
    fromBid,
    tokenId: random.bits(16),
    providerId: random.bits(24),
    bidIndex: fromBid ? random.bits(8) : 0,
  };
}

/** Layouts of all words: each with the word and its fields, in columns. */
export function wordVectors(random: PseudoRandom): Record<string, unknown> {
  const address = (): Hex => numberToHex(random.wideBits(160), { size: 20 });
  const machines = many(CASES, () => anyMachine(random));
  const totals = many(CASES, () => ({
    totalMemoryMib: random.bits(24),
    totalCpuMilli: random.bits(20),
    totalStorageGib: random.bits(20),
    deviceCount: random.bits(4),
    requiredStakeWhole: random.bits(40),
    openLeases: 0,
    registeredAtSeconds: random.bits(40),
  }));
  const offers = many(CASES, () => ({
    fromRound: random.bits(32),
    gpuMicroPerHour: random.bits(36),
    coreMicroPerHour: random.bits(30),
    memoryGibMicroPerHour: random.bits(26),
    storageTibMicroPerHour: random.bits(30),
    tokenId: random.bits(16),
  }));
  const providers = many(CASES, () => anyProvider(random));
  const providerOwners = many(CASES, () => ({
    owner: address(),
    requiredStakeWhole: random.bits(40),
    machineCount: random.bits(24),
  }));
  const orders = many(CASES, () => ({
    untilRound: random.bits(32),
    eligibleFromBlock: random.bits(32),
    maxPriceMicroPerHour: random.bits(40),
    bidCount: random.bits(8),
    milliGpu: random.bits(16),
    cpuMilli: random.bits(24),
    memoryMib: random.bits(24),
    storageGib: random.bits(24),
    state: random.pick([OrderState.OPEN, OrderState.CLOSED]),
    tokenId: random.bits(16),
    expiresAtSeconds: random.bits(32),
  }));
  const orderOwners = many(CASES, () => ({
    tenant: address(),
    maxPriceMicroPerHour: random.bits(40),
    durationMinutes: random.bits(24),
    expiresAtSeconds: random.bits(32),
  }));
  const bids = many(CASES, () => ({
    untilRound: random.bits(32),
    machineId: random.bits(32),
    priceMicroPerHour: random.bits(40),
    bondAndTime: random.wideBits(120),
    providerId: random.bits(24),
  }));
  const tables = many(10, () => ({
    fromRound: random.bits(32),
    tableTimestamp: random.bits(32),
    totalWeight: random.wideBits(96),
  }));
  const records = many(CASES, () => anyRecord(random));
  return {
    slots: slotVectors(random),
    machine: columnsOf(
      machines.map(({ freeMilliGpu, ...machine }) => ({
        word: wordHex(encodeMachineWord({ ...machine, freeMilliGpu })),
        ...machine,
        ...Object.fromEntries(freeMilliGpu.map((free, device) => [`device${device}`, free])),
      })),
    ),
    machineTotals: columnsOf(totals.map((fields) => ({ word: wordHex(encodeMachineTotalsWord(fields)), ...fields }))),
    offer: columnsOf(offers.map((fields) => ({ word: wordHex(encodeOfferWord(fields)), ...fields }))),
    provider: columnsOf(
      providers.map(({ reports, ...fields }) => ({
        word: wordHex(encodeProviderWord({ ...fields, reports })),
        ...fields,
        ...Object.fromEntries(reports.map((report, index) => [`report${index}`, report])),
      })),
    ),
    providerOwner: columnsOf(
      providerOwners.map((fields) => ({ word: wordHex(encodeProviderOwnerWord(fields)), ...fields })),
    ),
    openOrder: columnsOf(orders.map((fields) => ({ word: wordHex(encodeOpenOrderWord(fields)), ...fields }))),
    orderOwner: columnsOf(orderOwners.map((fields) => ({ word: wordHex(encodeOrderOwnerWord(fields)), ...fields }))),
    bid: columnsOf(bids.map((fields) => ({ word: wordHex(encodeBidWord(fields)), ...fields }))),
    table: columnsOf(tables.map((fields) => ({ word: wordHex(encodeTableWord(fields)), ...fields }))),
    record: columnsOf(records.map((fields) => ({ word: wordHex(encodeRecord(fields)), ...fields }))),
    facts: columnsOf(many(20, () => factCase(random))),
    settlement: columnsOf(many(20, () => batchFoldCase(random))),
    effects: columnsOf(many(CASES, () => effectCase(random))),
  };
}

/** Lists of records with their hash, and bytes that are no list of records. */
export function recordsVectors(random: PseudoRandom): Record<string, unknown> {
  const ascending = (count: number): MatchRecord[] => {
    let orderId = 0;
    return many(count, () => {
      orderId += 1 + random.below(1000);
      return { ...anyRecord(random), orderId };
    });
  };
  const lists = [1, 2, 3, 8, 32].map((count) => encodeRecords(ascending(count)));
  const first = wordHex(encodeRecord({ ...anyRecord(random), orderId: 1 }));
  const second = wordHex(encodeRecord({ ...anyRecord(random), orderId: 2 }));
  return {
    batches: columnsOf(lists.map((records) => ({ records, recordsHash: hashRecords(records) }))),
    malformed: columnsOf([
      { records: first.slice(0, -2), problem: 'a byte is missing' },
      { records: `${first}00`, problem: 'a byte too many' },
      { records: second + first.slice(2), problem: 'order ids descend' },
      { records: first + first.slice(2), problem: 'an order id occurs twice' },
      ...[3, 4, 5, 6, 7].map((bit) => ({
        records: wordHex(BigInt(first) | (1n << BigInt(48 + bit))),
        problem: `spare flag bit ${bit}`,
      })),
    ]),
  };
}

function slotVectors(random: PseudoRandom): Record<string, unknown> {
  const ids = [1, 2, 0xff_ffff, random.below(0xff_ffff) + 1, random.below(0xff_ffff) + 1];
  return {
    fixed: {
      registryFacts: wordHex(slots.REGISTRY_FACTS_SLOT),
      registryCounters: wordHex(slots.REGISTRY_COUNTERS_SLOT),
      ordersFacts: wordHex(slots.ORDERS_FACTS_SLOT),
      ordersCounter: wordHex(slots.ORDERS_COUNTER_SLOT),
      settlement: wordHex(slots.SETTLEMENT_SLOT),
      table: wordHex(slots.TABLE_SLOT),
      tableHash: wordHex(slots.TABLE_HASH_SLOT),
      previousTable: wordHex(slots.PREVIOUS_TABLE_SLOT),
      previousTableHash: wordHex(slots.PREVIOUS_TABLE_HASH_SLOT),
      schedule: wordHex(slots.SCHEDULE_SLOT),
      policyHash: wordHex(slots.POLICY_HASH_SLOT),
      previousPolicyHash: wordHex(slots.PREVIOUS_POLICY_HASH_SLOT),
    },
    byId: columnsOf(
      ids.map((id) => ({
        id,
        machine: wordHex(machineSlot(id, slots.MACHINE_WORD)),
        machineTotals: wordHex(machineSlot(id, slots.MACHINE_TOTALS_WORD)),
        offer3: wordHex(machineSlot(id, slots.MACHINE_OFFER_WORD + 3)),
        previousOffer3: wordHex(machineSlot(id, slots.MACHINE_PREVIOUS_OFFER_WORD + 3)),
        provider: wordHex(providerSlot(id, slots.PROVIDER_WORD)),
        providerOwner: wordHex(providerSlot(id, slots.PROVIDER_OWNER_WORD)),
        order: wordHex(orderSlot(id, slots.ORDER_WORD)),
        orderOwner: wordHex(orderSlot(id, slots.ORDER_OWNER_WORD)),
        orderSpec: wordHex(orderSlot(id, slots.ORDER_SPEC_WORD)),
        bid254: wordHex(bidSlot(id, 254)),
      })),
    ),
  };
}

function factCase(random: PseudoRandom): Record<string, Hex> {
  const word = random.wideBits(208) * 2n ** 48n + BigInt(random.below(2 ** 40));
  const slot = random.wideBits(256);
  const value = random.wideBits(256);
  const facts = new FactsWord(word);
  facts.fold(limbsOf(slot), limbsOf(value));
  return {
    word: wordHex(word),
    slot: wordHex(slot),
    value: wordHex(value),
    folded: wordHex(facts.word),
  };
}

function batchFoldCase(random: PseudoRandom): Record<string, Hex | number> {
  const word = random.wideBits(256);
  const messageHash = wordHex(random.wideBits(256));
  const recordsHash = wordHex(random.wideBits(256));
  const words = random.pick([1, 2]);
  const skipped = many(words, () => random.wideBits(256));
  const benched = skipped.map((bits) => bits & random.wideBits(256));
  const round = random.bits(32);
  const folded = foldBatch(word, { round, messageHash, recordsHash, skipped, benched });
  return {
    word: wordHex(word),
    messageHash,
    recordsHash,
    round,
    words,
    skipped0: wordHex(skipped[0] ?? 0n),
    skipped1: wordHex(skipped[1] ?? 0n),
    benched0: wordHex(benched[0] ?? 0n),
    benched1: wordHex(benched[1] ?? 0n),
    folded: wordHex(folded),
  };
}

/** A record that fits a machine, and what settlement, bench and release make of the words. */
function effectCase(random: PseudoRandom): Record<string, Hex | number> {
  const milliGpu = random.pick([0, 1, 250, 999, 1000, 2000, 8000]);
  const needed = milliGpu < 1000 ? Math.min(milliGpu, 1) : milliGpu / 1000;
  const deviceMask = needed === 8 ? 255 : ((1 << needed) - 1) << random.below(9 - needed);
  const record = { ...anyRecord(random), milliGpu, deviceMask, cpuMilli: random.bits(20), storageGib: random.bits(20) };
  const roomy = {
    ...anyMachine(random),
    freeMemoryMib: record.memoryMib + random.below(2 ** 24 - record.memoryMib),
    freeCpuMilli: record.cpuMilli + random.below(2 ** 20 - record.cpuMilli),
    freeStorageGib: record.storageGib + random.below(2 ** 20 - record.storageGib),
  };
  const machine = encodeMachineWord({
    ...roomy,
    freeMilliGpu: roomy.freeMilliGpu.map((free, device) => ((deviceMask >> device) & 1 ? 1000 : free)),
  });
  const matchedAt = random.bits(32);
  const benchFromRound = random.bits(32);
  const lease = leaseWordOf(record, matchedAt);
  const matched = machineWordAfterMatch(machine, record);
  return {
    record: wordHex(encodeRecord(record)),
    matchedAt,
    lease: wordHex(lease),
    machine: wordHex(machine),
    matched: wordHex(matched),
    released: wordHex(machineWordAfterRelease(matched, lease)),
    benchFromRound,
    benched: wordHex(machineWordBenched(machine, benchFromRound)),
  };
}
