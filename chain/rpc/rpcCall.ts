import type { Address, Hex } from 'viem';
import type { RawBlock } from './blockHeader.js';

/** One JSON-RPC question and how its answer is checked and read; `decode` throws when the answer is not one. */
export interface RpcCall<Answer> {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly decode: (raw: unknown) => Answer;
}

/** A block's header as the node tells it; `verifyBlockHeader` proves that it hashes to `hash`. */
export interface Block {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly logsBloom: Hex;
  /** Wei per gas; 0 on chains without a base fee. */
  readonly baseFeePerGas: bigint;
  readonly gasLimit: bigint;
  readonly raw: RawBlock;
}

/** A log as the node tells it; hex is lower case. */
export interface RpcLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: number;
}

/** Which logs to return: any of the addresses, and any of the first topics. */
export interface LogFilter {
  readonly addresses: readonly Address[];
  readonly topics: readonly Hex[];
}

/** Trie nodes that prove an account and slots of it under a state root. */
export interface AccountProof {
  readonly address: Address;
  readonly accountProof: readonly Hex[];
  readonly storageProof: readonly { readonly slot: bigint; readonly value: bigint; readonly proof: readonly Hex[] }[];
}

/** What became of a mined transaction. */
export interface Receipt {
  readonly transactionHash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly succeeded: boolean;
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly contractAddress: Address | null;
  readonly logs: readonly RpcLog[];
}

/** Which block a state is read at: by hash, so that a reorg can not change the answer, or the newest one. */
export type BlockPoint = Hex | 'latest';

/** The chain id. */
export function chainId(): RpcCall<number> {
  return { method: 'eth_chainId', params: [], decode: quantity };
}

/** What the node calls itself, such as `Geth/v1.16.2`. */
export function clientVersion(): RpcCall<string> {
  return {
    method: 'web3_clientVersion',
    params: [],
    decode: (raw) => {
      if (typeof raw !== 'string') throw new Error('no text');
      return raw;
    },
  };
}

/** The newest block. */
export function latestBlock(): RpcCall<Block> {
  return { method: 'eth_getBlockByNumber', params: ['latest', false], decode: block };
}

/** The block at a height on the node's present chain, null when it has none. */
export function blockByNumber(number: number): RpcCall<Block | null> {
  return {
    method: 'eth_getBlockByNumber',
    params: [toQuantity(number), false],
    decode: (raw) => {
      if (raw === null) return null;
      const answer = block(raw);
      if (answer.number !== number) throw new Error(`block ${answer.number} instead of ${number}`);
      return answer;
    },
  };
}

/** The block with a hash, null when the node does not have it. */
export function blockByHash(hash: Hex): RpcCall<Block | null> {
  return {
    method: 'eth_getBlockByHash',
    params: [hash, false],
    decode: (raw) => {
      if (raw === null) return null;
      const answer = block(raw);
      if (answer.hash !== hash) throw new Error(`block ${answer.hash} instead of ${hash}`);
      return answer;
    },
  };
}

/** Logs of one block, in their order. An unknown block is an error, never an empty list. */
export function logsInBlock(hash: Hex, filter: LogFilter): RpcCall<readonly RpcLog[]> {
  return {
    method: 'eth_getLogs',
    params: [{ blockHash: hash, address: filter.addresses, topics: [filter.topics] }],
    decode: (raw) => {
      const answer = logs(raw, filter);
      const stray = answer.find((log) => log.blockHash !== hash);
      if (stray !== undefined) throw new Error(`a log of block ${stray.blockHash} instead of ${hash}`);
      return answer;
    },
  };
}

/** Logs of a span of blocks, both ends included, in their order. */
export function logsInRange(fromBlock: number, toBlock: number, filter: LogFilter): RpcCall<readonly RpcLog[]> {
  return {
    method: 'eth_getLogs',
    params: [
      {
        fromBlock: toQuantity(fromBlock),
        toBlock: toQuantity(toBlock),
        address: filter.addresses,
        topics: [filter.topics],
      },
    ],
    decode: (raw) => {
      const answer = logs(raw, filter);
      const stray = answer.find((log) => log.blockNumber < fromBlock || log.blockNumber > toBlock);
      if (stray !== undefined) throw new Error(`a log of block ${stray.blockNumber} outside ${fromBlock}..${toBlock}`);
      return answer;
    },
  };
}

/** A storage word. */
export function storageAt(address: Address, slot: bigint, at: BlockPoint): RpcCall<bigint> {
  return { method: 'eth_getStorageAt', params: [address, toWord(slot), blockParameter(at)], decode: word };
}

/** Proof of an account and of some of its slots. Only its shape is checked here; `verifyAccountProof` verifies it. */
export function accountProof(address: Address, slots: readonly bigint[], at: BlockPoint): RpcCall<AccountProof> {
  return {
    method: 'eth_getProof',
    params: [address, slots.map(toWord), blockParameter(at)],
    decode: (raw) => {
      const answer = object(raw);
      return {
        address,
        accountProof: list(answer['accountProof']).map(bytes),
        storageProof: list(answer['storageProof']).map((entry) => {
          const { key, value, proof } = object(entry);
          return { slot: word(key), value: word(value), proof: list(proof).map(bytes) };
        }),
      };
    },
  };
}

/** Return data of a call. A revert is an RpcAnswerError with its data. */
export function callAt(call: { to: Address; data: Hex; from?: Address }, at: BlockPoint): RpcCall<Hex> {
  return { method: 'eth_call', params: [call, blockParameter(at)], decode: bytes };
}

/** Code that a creation would leave on the newest block, without making it. */
export function creationCode(creation: { from: Address; data: Hex }): RpcCall<Hex> {
  return { method: 'eth_call', params: [creation, 'latest'], decode: bytes };
}

/** Code of an account, '0x' for none. */
export function codeAt(address: Address, at: BlockPoint): RpcCall<Hex> {
  return { method: 'eth_getCode', params: [address, blockParameter(at)], decode: bytes };
}

/** Number of mined transactions of an account. */
export function transactionCount(address: Address): RpcCall<number> {
  return { method: 'eth_getTransactionCount', params: [address, 'latest'], decode: quantity };
}

/** The nonce of an account's next transaction, counting those that wait in the node's pool. */
export function pendingTransactionCount(address: Address): RpcCall<number> {
  return { method: 'eth_getTransactionCount', params: [address, 'pending'], decode: quantity };
}

/** Priority fee that the node proposes, wei per gas. */
export function maxPriorityFee(): RpcCall<bigint> {
  return { method: 'eth_maxPriorityFeePerGas', params: [], decode: bigQuantity };
}

/** Balance of an account, wei. */
export function balanceOf(address: Address): RpcCall<bigint> {
  return { method: 'eth_getBalance', params: [address, 'latest'], decode: bigQuantity };
}

/** Gas that a call would use. */
export function estimateGas(call: { from: Address; to?: Address; data: Hex }): RpcCall<bigint> {
  return { method: 'eth_estimateGas', params: [call], decode: bigQuantity };
}

/** Hands over a signed transaction; the answer is its hash. */
export function sendRawTransaction(raw: Hex): RpcCall<Hex> {
  return { method: 'eth_sendRawTransaction', params: [raw], decode: hash32 };
}

/** Receipt of a transaction, null while it is not mined. */
export function transactionReceipt(hash: Hex): RpcCall<Receipt | null> {
  return {
    method: 'eth_getTransactionReceipt',
    params: [hash],
    decode: (raw) => {
      if (raw === null) return null;
      const answer = receipt(raw);
      if (answer.transactionHash !== hash) throw new Error(`the receipt of another transaction than ${hash}`);
      return answer;
    },
  };
}

/** Receipts of all transactions of a block, in their order. An unknown block is an error. */
export function blockReceipts(hash: Hex): RpcCall<readonly Receipt[]> {
  return {
    method: 'eth_getBlockReceipts',
    params: [hash],
    decode: (raw) => {
      const answer = list(raw).map(receipt);
      const stray = answer.find((entry) => entry.blockHash !== hash);
      if (stray !== undefined) throw new Error(`a receipt of block ${stray.blockHash} instead of ${hash}`);
      return answer;
    },
  };
}

/** A block parameter: EIP-1898 for a hash, so that a node that does not know the block fails instead of answering from another. */
function blockParameter(at: BlockPoint): unknown {
  return at === 'latest' ? 'latest' : { blockHash: at };
}

function toQuantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}

function toWord(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

function block(raw: unknown): Block {
  const answer = object(raw);
  return {
    number: quantity(answer['number']),
    hash: hash32(answer['hash']),
    parentHash: hash32(answer['parentHash']),
    timestamp: quantity(answer['timestamp']),
    logsBloom: sized(answer['logsBloom'], 256),
    baseFeePerGas:
      answer['baseFeePerGas'] === undefined || answer['baseFeePerGas'] === null
        ? 0n
        : bigQuantity(answer['baseFeePerGas']),
    gasLimit: bigQuantity(answer['gasLimit']),
    raw: answer,
  };
}

function logs(raw: unknown, filter: LogFilter): RpcLog[] {
  const answer = list(raw).map(log);
  for (const entry of answer) {
    if (!filter.addresses.includes(entry.address) || !filter.topics.includes(entry.topics[0] ?? '0x')) {
      throw new Error(`a log that was not asked for, of ${entry.address}`);
    }
  }
  return answer.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
}

function receipt(raw: unknown): Receipt {
  const answer = object(raw);
  return {
    transactionHash: hash32(answer['transactionHash']),
    blockNumber: quantity(answer['blockNumber']),
    blockHash: hash32(answer['blockHash']),
    succeeded: quantity(answer['status']) === 1,
    gasUsed: bigQuantity(answer['gasUsed']),
    effectiveGasPrice: bigQuantity(answer['effectiveGasPrice']),
    contractAddress: typeof answer['contractAddress'] === 'string' ? address20(answer['contractAddress']) : null,
    logs: list(answer['logs']).map(log),
  };
}

function log(raw: unknown): RpcLog {
  const answer = object(raw);
  if (answer['removed'] === true) throw new Error('a removed log');
  return {
    address: address20(answer['address']),
    topics: list(answer['topics']).map(hash32),
    data: bytes(answer['data']),
    blockNumber: quantity(answer['blockNumber']),
    blockHash: hash32(answer['blockHash']),
    transactionHash: hash32(answer['transactionHash']),
    logIndex: quantity(answer['logIndex']),
  };
}

function object(raw: unknown): Record<string, unknown> {
  if (!isRecord(raw)) throw new Error('no object');
  return raw;
}

function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

function list(raw: unknown): unknown[] {
  if (!Array.isArray(raw)) throw new Error('no list');
  return raw;
}

function bytes(raw: unknown): Hex {
  // What nodes answer; a copy in lower case would cost as much as the rest of reading a log.
  if (isLowerCaseBytes(raw)) return raw;
  if (typeof raw !== 'string' || raw.length % 2 !== 0 || !/^0x[0-9a-fA-F]*$/.test(raw)) throw new Error('no hex bytes');
  return `0x${raw.slice(2).toLowerCase()}`;
}

function isLowerCaseBytes(raw: unknown): raw is Hex {
  return typeof raw === 'string' && raw.length % 2 === 0 && /^0x[0-9a-f]*$/.test(raw);
}

function sized(raw: unknown, length: number): Hex {
  const answer = bytes(raw);
  if (answer.length !== 2 + 2 * length) throw new Error(`hex of ${answer.length / 2 - 1} bytes instead of ${length}`);
  return answer;
}

function hash32(raw: unknown): Hex {
  return sized(raw, 32);
}

function address20(raw: unknown): Address {
  return sized(raw, 20);
}

/** Nodes give words with and without leading zeros. */
function word(raw: unknown): bigint {
  if (typeof raw !== 'string' || !/^0x[0-9a-fA-F]{0,64}$/.test(raw)) throw new Error('no storage word');
  return raw === '0x' ? 0n : BigInt(raw);
}

function bigQuantity(raw: unknown): bigint {
  if (typeof raw !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(raw)) throw new Error('no quantity');
  return BigInt(raw);
}

function quantity(raw: unknown): number {
  const value = Number(bigQuantity(raw));
  if (!Number.isSafeInteger(value)) throw new Error('a quantity over 2^53');
  return value;
}
