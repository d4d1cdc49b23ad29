import { concat, keccak256, numberToHex, zeroHash } from 'viem';
import type { Hex } from 'viem';
import { wordLayout } from './wordLayout.js';

/** The rolling hash of all settled batches, and the last round that was settled. */
export interface SettlementWordFields {
  /** 224 bits. */
  readonly accumulator: bigint;
  readonly lastSettledRound: number;
}

/** What a settled batch adds to the settlement word; bit i % 256 of bitmap word i / 256 is record i. */
export interface BatchFold {
  readonly round: number;
  readonly messageHash: Hex;
  readonly recordsHash: Hex;
  readonly skipped: readonly bigint[];
  readonly benched: readonly bigint[];
}

/** Message hash of a round that a self-match or the growth of a lease took in the place of its batch; no batch has it. */
export const TAKEN_ROUND_HASH: Hex = zeroHash;

const layout = wordLayout('settlement', { lastSettledRound: [0, 32] }, { accumulator: [32, 224] });

/** Decodes the settlement word. */
export function decodeSettlementWord(word: bigint): SettlementWordFields {
  return layout.decode(word);
}

/** Encodes the settlement word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeSettlementWord(fields: SettlementWordFields): bigint {
  return layout.encode(fields);
}

/**
 * The settlement word after a batch: the top 224 bits of keccak256(word, messageHash, recordsHash, skipped, benched), and the batch's round.
 */
export function foldBatch(word: bigint, batch: BatchFold): bigint {
  const hash = BigInt(
    keccak256(
      concat([
        numberToHex(word, { size: 32 }),
        batch.messageHash,
        batch.recordsHash,
        ...[...batch.skipped, ...batch.benched].map((bitmap) => numberToHex(bitmap, { size: 32 })),
      ]),
    ),
  );
  return encodeSettlementWord({ accumulator: hash >> 32n, lastSettledRound: batch.round });
}

/** The settlement word after `round` was taken: folded as a batch without hashes and without bitmaps. */
export function foldTakenRound(word: bigint, round: number): bigint {
  return foldBatch(word, {
    round,
    messageHash: TAKEN_ROUND_HASH,
    recordsHash: TAKEN_ROUND_HASH,
    skipped: [],
    benched: [],
  });
}
