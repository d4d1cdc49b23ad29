import { expect, test } from '@jest/globals';
import type { Hex } from 'viem';
import { signingRecord, type SignedRound } from './signingRecord.js';

const key = (index: number): Hex => `0x${index.toString(16).padStart(40, 'a')}`;
const hash = (index: number): Hex => `0x${index.toString(16).padStart(64, '0')}`;
const entries = [1, 2, 3].map((index) => ({ key: key(index), weight: BigInt(index) }));
const round = (number: number, signers: readonly number[], table = entries): SignedRound => ({
  round: number,
  messageHash: hash(number),
  entries: table,
  signers,
});

test('counts the settled rounds that a key could sign and did', () => {
  const settled = [round(1, [0, 1]), round(2, [1, 2]), round(3, [0], entries.slice(0, 1))];
  const shouted: Hex = `0x${key(2).slice(2).toUpperCase()}`;
  expect(signingRecord(key(1), settled, null)).toEqual({ rounds: 3, signed: 2, disagreed: null, conflicted: null });
  expect(signingRecord(shouted, settled, null)).toMatchObject({ rounds: 2, signed: 2 });
  expect(signingRecord(key(9), settled, null)).toMatchObject({ rounds: 0, signed: 0 });
});

test('names the rounds of another batch or of two, each once', () => {
  const settled = [round(4, [0]), round(5, [0]), round(6, [0])];
  const vote = (number: number, messageHash: Hex, conflicts: readonly Hex[] = []) => ({
    round: number,
    participants: [{ signer: key(2), messageHash }],
    conflicts,
  });
  const votes = [vote(6, hash(99)), vote(5, hash(5)), vote(4, hash(98), [key(2)]), vote(4, hash(98), [key(2)])];
  expect(signingRecord(key(2), settled, votes)).toEqual({ rounds: 3, signed: 0, disagreed: [4, 6], conflicted: [4] });
  expect(signingRecord(key(1), settled, votes)).toMatchObject({ disagreed: [], conflicted: [] });
});

test('an aggregator’s word about a round that was not settled is no disagreement', () => {
  const votes = [{ round: 7, participants: [{ signer: key(1), messageHash: hash(1) }], conflicts: [] }];
  expect(signingRecord(key(1), [round(6, [0])], votes)).toMatchObject({ disagreed: [] });
});
