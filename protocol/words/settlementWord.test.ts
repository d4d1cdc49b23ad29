import { expect, test } from '@jest/globals';
import { concat, keccak256, numberToHex, zeroHash } from 'viem';
import { decodeSettlementWord, foldBatch, foldTakenRound, TAKEN_ROUND_HASH } from './settlementWord.js';

const word = foldBatch(0n, {
  round: 7,
  messageHash: keccak256('0x01'),
  recordsHash: keccak256('0x02'),
  skipped: [1n],
  benched: [0n],
});

test('a taken round is folded with zero hashes and no bitmaps, and sets the last round', () => {
  const hash = BigInt(keccak256(concat([numberToHex(word, { size: 32 }), zeroHash, zeroHash])));
  expect(decodeSettlementWord(foldTakenRound(word, 41))).toEqual({ accumulator: hash >> 32n, lastSettledRound: 41 });
});

test('a taken round is no batch without matches: the bitmaps of a batch have words', () => {
  const empty = { round: 41, messageHash: TAKEN_ROUND_HASH, recordsHash: TAKEN_ROUND_HASH };
  expect(foldTakenRound(word, 41)).not.toBe(foldBatch(word, { ...empty, skipped: [0n], benched: [0n] }));
});
