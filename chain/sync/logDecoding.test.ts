import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeEventLog, encodeAbiParameters, encodeEventTopics, numberToHex } from 'viem';
import type { Hex } from 'viem';
import { orderSpecAbiParameters } from '../../protocol/orderSpec.js';
import { hexOfLimbs, LIMBS } from '../../protocol/words/wordLimbs.js';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../contracts/generated/OrderRequest.js';
import { providerRegistryAbi } from '../contracts/generated/ProviderRegistry.js';
import { decodeBatchSettled, decodeFact, decodeOrderCreated, decodeRoundTaken } from './logDecoding.js';

interface Log {
  readonly topics: [Hex, ...Hex[]];
  readonly data: Hex;
}

const word = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }).map((value) => numberToHex(value, { size: 32 }));
const uint = (bits: number) =>
  fc.oneof(fc.constant(0), fc.constant(2 ** bits - 1), fc.integer({ min: 0, max: 2 ** bits - 1 }));
const list = (bits: number) => fc.array(uint(bits), { maxLength: 9 });
const address = fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }).map((value) => numberToHex(value, { size: 20 }));

const orderSpec = fc.record({
  milliGpu: uint(16),
  cpuMilli: uint(24),
  memoryMib: uint(24),
  storageGib: uint(24),
  models: list(16),
  regions: list(16),
  regionsExcluded: list(16),
  providersWanted: list(24),
  providersExcluded: list(24),
  tiers: uint(8),
  attributes: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  regionRequired: fc.boolean(),
  minUptimeBps: uint(16),
  minReputationBps: uint(16),
  maxSlashes: uint(8),
  tokenId: uint(16),
  maxPriceMicroPerHour: uint(40),
  durationMinutes: uint(24),
});

const orderCreated = fc
  .record({ orderId: uint(32), tenant: address, eligibleFromBlock: uint(32), expiresAt: uint(32), spec: orderSpec })
  .map(({ orderId, tenant, eligibleFromBlock, expiresAt, spec }): Log => ({
    topics: topics(encodeEventTopics({ abi: orderRequestAbi, eventName: 'OrderCreated', args: { orderId, tenant } })),
    data: encodeAbiParameters(
      [{ type: 'uint32' }, { type: 'uint32' }, orderSpecAbiParameters[0]],
      [eligibleFromBlock, expiresAt, spec],
    ),
  }));

const bitmaps = fc.array(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), { maxLength: 3 });
const batchSettled = fc
  .record({
    round: fc.oneof(uint(32).map(BigInt), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
    messageHash: word,
    records: fc.uint8Array({ maxLength: 200 }),
    skipped: bitmaps,
    benched: bitmaps,
  })
  .map(({ round, messageHash, records, skipped, benched }): Log => ({
    topics: topics(
      encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled', args: { round, messageHash } }),
    ),
    data: encodeAbiParameters(
      [{ type: 'bytes' }, { type: 'uint256[]' }, { type: 'uint256[]' }],
      [`0x${Buffer.from(records).toString('hex')}`, skipped, benched],
    ),
  }));

/** The log with one place of its data or topics changed, cut, lengthened or left out: what only a node that lies has. */
function damaged(logs: fc.Arbitrary<Log>): fc.Arbitrary<Log> {
  const change = fc.record({
    kind: fc.constantFrom('digit', 'word', 'cut', 'longer', 'topicDigit', 'noTopic', 'noData', 'longTopic'),
    at: fc.nat(100_000),
    digit: fc.nat(15),
    value: fc.oneof(
      uint(12),
      fc.integer({ min: 0, max: 40 }).map((words) => 32 * words),
      fc.constant(2 ** 40),
    ),
  });
  return fc.tuple(logs, change).map(([log, { kind, at, digit, value }]): Log => {
    const { data } = log;
    const digits = data.length - 2;
    const topic = 1 + (at % (log.topics.length - 1));
    switch (kind) {
      case 'digit':
        return { ...log, data: replaced(data, 2 + (at % digits), digit.toString(16)) };
      case 'word':
        return { ...log, data: replaced(data, 2 + 64 * (at % Math.floor(digits / 64)), hex64(value)) };
      case 'cut':
        return { ...log, data: data.slice(0, 2 + 2 * (at % (digits / 2))) as Hex };
      case 'longer':
        return { ...log, data: `${data}${'0'.repeat(2 * (1 + (at % 40)))}` };
      case 'topicDigit':
        return {
          ...log,
          topics: withTopic(log, topic, replaced(log.topics[topic] as Hex, 2 + (at % 64), digit.toString(16))),
        };
      case 'longTopic':
        return { ...log, topics: withTopic(log, topic, `${log.topics[topic] as Hex}00`) };
      case 'noTopic':
        return { ...log, topics: log.topics.slice(0, topic) as [Hex, ...Hex[]] };
      default:
        return { ...log, data: '0x' };
    }
  });
}

function replaced(hex: Hex, at: number, by: string): Hex {
  return `${hex.slice(0, at)}${by}${hex.slice(at + by.length)}` as Hex;
}

function withTopic({ topics: all }: Log, index: number, topic: Hex): [Hex, ...Hex[]] {
  return all.map((other, at) => (at === index ? topic : other)) as [Hex, ...Hex[]];
}

function hex64(value: number): string {
  return value.toString(16).padStart(64, '0');
}

function topics(encoded: readonly (Hex | readonly Hex[] | null)[]): [Hex, ...Hex[]] {
  return encoded as [Hex, ...Hex[]];
}

function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    return { refused: String(error) };
  }
}

test('OrderCreated is decoded and refused as viem does it', () => {
  const seen = { values: 0, refusals: 0 };
  fc.assert(
    fc.property(fc.oneof(orderCreated, damaged(orderCreated)), (log) => {
      const byViem = outcome(() => {
        const { args } = decodeEventLog({ abi: orderRequestAbi, eventName: 'OrderCreated', ...log });
        const { orderId, eligibleFromBlock, expiresAt, spec } = args;
        return { orderId, eligibleFromBlock, expiresAtSeconds: expiresAt, spec };
      });
      if ('value' in (byViem as object)) seen.values += 1;
      else seen.refusals += 1;
      expect(outcome(() => decodeOrderCreated(log))).toEqual(byViem);
    }),
    { numRuns: 2_000 },
  );
  expect(seen.values).toBeGreaterThan(700);
  expect(seen.refusals).toBeGreaterThan(50);
}, 60_000);

test('BatchSettled is decoded and refused as viem does it', () => {
  const seen = { values: 0, refusals: 0 };
  fc.assert(
    fc.property(fc.oneof(batchSettled, damaged(batchSettled)), (log) => {
      const byViem = outcome(() => {
        const { args } = decodeEventLog({ abi: matchSettlementAbi, eventName: 'BatchSettled', ...log });
        return { ...args, round: Number(args.round) };
      });
      if ('value' in (byViem as object)) seen.values += 1;
      else seen.refusals += 1;
      expect(outcome(() => decodeBatchSettled(log))).toEqual(byViem);
    }),
    { numRuns: 2_000 },
  );
  expect(seen.values).toBeGreaterThan(700);
  expect(seen.refusals).toBeGreaterThan(50);
}, 60_000);

test('Fact is decoded as viem does it, and refused without slot or value', () => {
  const slot = new Uint32Array(LIMBS);
  const value = new Uint32Array(LIMBS);
  const [selector] = encodeEventTopics({ abi: providerRegistryAbi, eventName: 'Fact' });
  fc.assert(
    fc.property(word, word, (slotTopic, data) => {
      const log: Log = { topics: [selector, slotTopic], data };
      decodeFact(log, slot, value);
      const { args } = decodeEventLog({ abi: providerRegistryAbi, eventName: 'Fact', ...log });
      expect(BigInt(`0x${hexOfLimbs(slot)}`)).toBe(args.slot);
      expect(`0x${hexOfLimbs(value)}`).toBe(args.value);
    }),
  );
  const one = numberToHex(1, { size: 32 });
  for (const log of [
    { topics: [selector], data: one },
    { topics: [selector, one.slice(0, -2) as Hex], data: one },
    { topics: [selector, `${one}00` as Hex], data: one },
    { topics: [selector, one], data: '0x' as Hex },
  ])
    expect(() => decodeFact(log, slot, value)).toThrow(/slot or value/);
});

test('RoundTaken tells its round, and a log without topics is refused', () => {
  const caller = numberToHex(7, { size: 20 });
  const encoded = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'RoundTaken', args: { round: 12n, caller } });
  expect(decodeRoundTaken({ topics: topics(encoded), data: '0x' })).toBe(12);
  expect(() => decodeRoundTaken({ topics: [], data: '0x' })).toThrow(/without topics/);
});
