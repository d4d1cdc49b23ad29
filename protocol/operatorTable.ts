import { concat, encodePacked, keccak256 } from 'viem';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../engine/error.js';

/** One operator in the verifier's table: its signing key's address and its stake weight. */
export interface TableEntry {
  readonly key: Address;
  readonly weight: bigint;
}

/** An operator's weight does not fit the 96 bits that the table's hash has for it. */
export class WeightTooLargeError extends MatchmakerError<'WEIGHT_TOO_LARGE'> {
  constructor(entry: TableEntry) {
    super('WEIGHT_TOO_LARGE', `the weight of ${entry.key} is ${entry.weight}, which is no unsigned 96-bit number`, {
      metadata: { key: entry.key, weight: String(entry.weight) },
    });
  }
}

const WEIGHT_LIMIT = 1n << 96n;

/** tableHash: keccak256 over key (20 bytes) and weight (uint96) of all entries in the verifier's order. Throws WeightTooLargeError. */
export function hashTable(entries: readonly TableEntry[]): Hex {
  return keccak256(
    concat(
      entries.map((entry) => {
        if (entry.weight < 0n || entry.weight >= WEIGHT_LIMIT) throw new WeightTooLargeError(entry);
        return encodePacked(['address', 'uint96'], [entry.key, entry.weight]);
      }),
    ),
  );
}

/** Sum of all weights. */
export function totalWeight(entries: readonly TableEntry[]): bigint {
  return entries.reduce((sum, entry) => sum + entry.weight, 0n);
}

/** Whether `signed` is more than `quorumBps` of `total`, cross-multiplied so that nothing is rounded. */
export function reachesQuorum(signed: bigint, total: bigint, quorumBps: number): boolean {
  return signed * 10_000n > total * BigInt(quorumBps);
}
