import { concat, isHex, keccak256, numberToHex, size, slice } from 'viem';
import type { Hex } from 'viem';
import { MatchmakerError } from '../engine/error.js';

/** Curve of the operators' signing keys. */
export type Curve = 'ecdsa' | 'bn254';

/** One operator in the quorum's table: its signing key and its stake weight. */
export interface TableEntry {
  /** ECDSA: the key's address, 20 bytes. BN254: the key in G1, X and Y, 64 bytes. */
  readonly key: Hex;
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

/** Bytes that are no operator table, or a key that can stand in none. */
export class TableMalformedError extends MatchmakerError<'TABLE_MALFORMED'> {
  constructor(problem: string) {
    super('TABLE_MALFORMED', `operator table: ${problem}`, { metadata: { problem } });
  }
}

/** Most operators a table may have: what a bitmap of one word can name. */
export const MAX_OPERATORS = 256;

const KEY_BYTES = { ecdsa: 20, bn254: 64 } as const satisfies Record<Curve, number>;
const WEIGHT_BYTES = 12;
const WEIGHT_LIMIT = 1n << 96n;

/** Packed entries: key and weight (uint96) of every operator, in the source's order. Throws WeightTooLargeError and TableMalformedError. */
export function packTable(entries: readonly TableEntry[]): Hex {
  return concat(
    entries.flatMap((entry) => {
      if (entry.weight < 0n || entry.weight >= WEIGHT_LIMIT) throw new WeightTooLargeError(entry);
      if (!isHex(entry.key) || !Object.values<number>(KEY_BYTES).includes(size(entry.key))) {
        throw new TableMalformedError(`${entry.key} is no key of 20 or 64 bytes`);
      }
      return [entry.key, numberToHex(entry.weight, { size: WEIGHT_BYTES })];
    }),
  );
}

/** The entries of a packed table, keys in lower case. Throws TableMalformedError. */
export function unpackTable(curve: Curve, packed: Hex): TableEntry[] {
  const keyBytes = KEY_BYTES[curve];
  const entryBytes = keyBytes + WEIGHT_BYTES;
  if (!isHex(packed) || size(packed) % entryBytes !== 0) {
    throw new TableMalformedError(`it is not made of entries of ${entryBytes} bytes`);
  }
  return Array.from({ length: size(packed) / entryBytes }, (_, index) => {
    const entry = slice(packed, index * entryBytes, (index + 1) * entryBytes);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- hex in lower case is hex
    const key = slice(entry, 0, keyBytes).toLowerCase() as Hex;
    return { key, weight: BigInt(slice(entry, keyBytes)) };
  });
}

/** tableHash: keccak256 of the packed entries. Throws WeightTooLargeError and TableMalformedError. */
export function hashTable(entries: readonly TableEntry[]): Hex {
  return keccak256(packTable(entries));
}

/** Sum of all weights. */
export function totalWeight(entries: readonly TableEntry[]): bigint {
  return entries.reduce((sum, entry) => sum + entry.weight, 0n);
}

/** Whether `signed` is more than `quorumBps` of `total`, cross-multiplied so that nothing is rounded. */
export function reachesQuorum(signed: bigint, total: bigint, quorumBps: number): boolean {
  return signed * 10_000n > total * BigInt(quorumBps);
}
