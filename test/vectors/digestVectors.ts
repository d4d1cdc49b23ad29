import { numberToHex } from 'viem';
import type { Hex } from 'viem';
import type { Policy } from '../../engine/policy.js';
import { referenceJitter } from '../../engine/reference/referenceMatcher.js';
import { certificateDigest } from '../../protocol/certificate.js';
import { accruedAmount, lockAmount, LockTooLargeError } from '../../protocol/lock.js';
import { hashMatchBatch } from '../../protocol/matchBatch.js';
import { operatorSetKey } from '../../protocol/operatorSet.js';
import { hashTable } from '../../protocol/operatorTable.js';
import { encodePolicy, hashPolicy } from '../../protocol/policyHash.js';
import { fromRoundAt, openRoundAt, snapshotBlockOf } from '../../protocol/rounds.js';
import type { Schedule } from '../../protocol/rounds.js';
import { roundSeed } from '../../protocol/seed.js';
import { encodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import { columnsOf } from './columns.js';
import type { PseudoRandom } from './pseudoRandom.js';
import { wordHex } from './wordVectors.js';

/** Policies, operator tables, batches, certificates, seeds, with their hashes; jitter, locks and accruals. */
export function digestVectors(random: PseudoRandom, policies: readonly Policy[]): Record<string, unknown> {
  const address = (): Hex => numberToHex(random.wideBits(160), { size: 20 });
  const hash = (): Hex => wordHex(random.wideBits(256));
  const tables = [1, 2, 5, 25].map((count) =>
    Array.from({ length: count }, () => ({ key: address(), weight: random.wideBits(96) })),
  );
  const sets = Array.from({ length: 10 }, () => ({ avs: address(), id: random.bits(32) }));
  const seeds = Array.from({ length: 10 }, () => ({ snapshotHash: hash(), round: random.bits(32) }));
  const jitters = Array.from({ length: 100 }, () => ({
    seed: hash(),
    orderId: Math.max(1, random.bits(32)),
    providerId: Math.max(1, random.bits(24)),
    range: random.pick([0, 1, 6_000_000_000, 2 ** 36 - 1, random.below(2 ** 36)]),
  }));
  return {
    policy: columnsOf(policies.map((policy) => ({ encoded: encodePolicy(policy), policyHash: hashPolicy(policy) }))),
    table: tables.map((entries) => ({
      keys: entries.map(({ key }) => key),
      weights: entries.map(({ weight }) => wordHex(weight)),
      tableHash: hashTable(entries),
    })),
    operatorSet: columnsOf(sets.map((set) => ({ ...set, key: operatorSetKey(set) }))),
    seed: columnsOf(
      seeds.map(({ snapshotHash, round }) => ({ snapshotHash, round, seed: roundSeed(snapshotHash, round) })),
    ),
    batch: columnsOf(Array.from({ length: 20 }, () => batchCase(random, address, hash))),
    jitter: columnsOf(
      jitters.map((fields) => ({
        ...fields,
        jitter: Number(referenceJitter(fields.seed, fields.orderId, fields.providerId, fields.range)),
      })),
    ),
    amounts: columnsOf(Array.from({ length: 60 }, () => amountCase(random))),
  };
}

/** Blocks and rounds under schedules of one and two periods. */
export function roundsVectors(random: PseudoRandom): Record<string, unknown> {
  const rows = Array.from({ length: 12 }, (_, index) => scheduleCases(random, index % 2 === 1)).flat();
  return columnsOf(rows);
}

function batchCase(random: PseudoRandom, address: () => Hex, hash: () => Hex): Record<string, string | number> {
  const batch = {
    round: random.bits(32),
    snapshotBlock: random.bits(40),
    snapshotHash: hash(),
    policyHash: hash(),
    operatorSetKey: hash(),
    tableTimestamp: random.bits(32),
    tableHash: hash(),
    recordsHash: hash(),
    matchCount: random.bits(16),
  };
  const domain = { chainId: random.pick([1, 31_337, 42_161]), settlement: address() };
  const verifier = address();
  const messageHash = hashMatchBatch(batch, domain);
  const digest = certificateDigest({ verifier, referenceTimestamp: batch.tableTimestamp, messageHash });
  return { ...batch, ...domain, verifier, messageHash, digest };
}

function amountCase(random: PseudoRandom): Record<string, string | number> {
  const price = random.pick([1, 2 ** 39 - 1, 1 + random.below(2 ** 39 - 1)]);
  const minutes = random.pick([1, 59, 60, 61, 2 ** 24 - 1, 1 + random.below(100_000)]);
  const decimals = 6 + random.below(13);
  const seconds = random.pick([0, 1, 3599, 3600, 3601, random.below(2 ** 32)]);
  return {
    price,
    minutes,
    decimals,
    seconds,
    lock: lockOrZero(price, minutes, decimals),
    accrued: wordHex(accruedAmount(price, seconds, decimals)),
  };
}

/** The lock, or 0 (which no order has) where it is refused. */
function lockOrZero(price: number, minutes: number, decimals: number): Hex {
  try {
    return wordHex(lockAmount(price, minutes, decimals));
  } catch (error) {
    if (error instanceof LockTooLargeError) return wordHex(0n);
    throw error;
  }
}

function scheduleCases(random: PseudoRandom, hasPrevious: boolean): Record<string, string | number>[] {
  const first = { fromRound: 1, fromBlock: 1 + random.below(1000), lengthBlocks: 1 + random.below(16) };
  const fromRound = 3 + random.below(1000);
  const newest = {
    fromRound,
    fromBlock: first.fromBlock + (fromRound - 1) * first.lengthBlocks,
    lengthBlocks: 1 + random.below(16),
  };
  const schedule: Schedule = hasPrevious ? { newest, previous: first } : { newest: first, previous: null };
  const edge = schedule.newest.fromBlock;
  const near = first.fromBlock;
  const blocks = [
    0,
    near - 1,
    near,
    near + 1,
    edge - 1,
    edge,
    edge + 1,
    edge + schedule.newest.lengthBlocks,
    edge + 100_000,
  ];
  return [...new Set(blocks), near + random.below(20_000)].map((block) => {
    const fromRoundNow = fromRoundAt(schedule, block);
    return {
      word: wordHex(encodeScheduleWord(schedule)),
      block,
      fromRound: fromRoundNow,
      openRound: openRoundAt(schedule, block),
      snapshotBlock: snapshotBlockOf(schedule, fromRoundNow),
      nextSnapshotBlock: snapshotBlockOf(schedule, fromRoundNow + 1),
    };
  });
}
