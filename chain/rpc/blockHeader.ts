import { keccak256 } from 'viem';
import type { Hex } from 'viem';
import { Rlp } from 'ox';
import { MatchmakerError } from '../../engine/error.js';
import type { Block } from './rpcCall.js';

/** A block as the node's JSON gives it. */
export type RawBlock = Readonly<Record<string, unknown>>;

/** The node's fields of a block do not hash to the block's hash: it lies, or the chain has header fields this client does not know. */
export class BlockHeaderError extends MatchmakerError<'BLOCK_HEADER'> {
  constructor(hash: Hex, what: string) {
    super('BLOCK_HEADER', `header of block ${hash}: ${what}`, { metadata: { hash } });
  }
}

/** Fields of a header in the order of their RLP list; `number` fields lose their leading zeros. */
const FIELDS: readonly (readonly [name: string, kind: 'bytes' | 'number'])[] = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'number'],
  ['number', 'number'],
  ['gasLimit', 'number'],
  ['gasUsed', 'number'],
  ['timestamp', 'number'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
];

/** Fields that later forks appended, in the order they came; a header ends where the first of them is missing. */
const APPENDED: readonly (readonly [name: string, kind: 'bytes' | 'number'])[] = [
  ['baseFeePerGas', 'number'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'number'],
  ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
  ['blockAccessListHash', 'bytes'],
];

/** The RLP of a block's header from the node's JSON. Throws BlockHeaderError when a field is missing or is no hex. */
export function encodeBlockHeader(raw: RawBlock, hash: Hex): Hex {
  const items: Hex[] = FIELDS.map(([name, kind]) => field(raw, name, kind, hash));
  for (const [name, kind] of APPENDED) {
    if (raw[name] === undefined || raw[name] === null) break;
    items.push(field(raw, name, kind, hash));
  }
  return Rlp.fromHex(items);
}

/**
 * Proves that the fields the node told hash to the block's hash, which the parent link and settlement pin.
 * Returns the header's RLP and its state root. Throws BlockHeaderError otherwise.
 */
export function verifyBlockHeader(block: Pick<Block, 'hash' | 'raw'>): { headerRlp: Hex; stateRoot: Hex } {
  const headerRlp = encodeBlockHeader(block.raw, block.hash);
  if (keccak256(headerRlp) !== block.hash) throw new BlockHeaderError(block.hash, 'its fields do not hash to it');
  return { headerRlp, stateRoot: field(block.raw, 'stateRoot', 'bytes', block.hash) };
}

function field(raw: RawBlock, name: string, kind: 'bytes' | 'number', hash: Hex): Hex {
  const value = raw[name];
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]*$/.test(value) || (kind === 'bytes' && value.length % 2 !== 0))
    throw new BlockHeaderError(hash, `${name} is missing`);
  if (kind === 'bytes') return `0x${value.slice(2)}`;
  const digits = value.slice(2).replace(/^0+/, '');
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
}
