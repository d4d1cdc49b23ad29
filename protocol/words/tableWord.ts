import { wordLayout } from './wordLayout.js';

/** A recorded operator table; its hash is in the next slot. */
export interface TableWordFields {
  readonly fromRound: number;
  /** Reference timestamp that certificates name, seconds. */
  readonly tableTimestamp: number;
  readonly totalWeight: bigint;
}

const layout = wordLayout('table', { fromRound: [224, 32], tableTimestamp: [192, 32] }, { totalWeight: [0, 96] });

/** Decodes a table word. Throws WordMalformedError for set spare bits. */
export function decodeTableWord(word: bigint): TableWordFields {
  return layout.decode(word);
}

/** Encodes a table word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeTableWord(table: TableWordFields): bigint {
  return layout.encode(table);
}
