import { hexToBytes, type Address, type Hex } from 'viem';
import { minedTransaction } from '../chain/rewards/transactionCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { Receipt, RpcCall } from '../chain/rpc/rpcCall.js';

/** What a transaction does that the gas schedule has a price for, whoever writes the contract. */
export interface ScheduleItems {
  readonly input: Uint8Array;
  /** Accounts besides sender, target, the block's beneficiary and precompiles; proxies' code included. */
  readonly coldAccounts: number;
  /** Storage slots read or written. */
  readonly slots: number;
  /** Those of them that hold another word afterwards; none was empty before. */
  readonly rewritten: number;
  /** Topics and bytes of data of each log. */
  readonly logs: readonly { readonly topics: number; readonly bytes: number }[];
  /** 32-byte words of the records, which are hashed. */
  readonly recordWords: number;
  /** ECDSA signatures that are recovered. */
  readonly signatures: number;
}

const TRANSACTION = 21_000;
const BYTE = { zero: 4, other: 16 };
/** EIP-7623. */
const FLOOR_BYTE = { zero: 10, other: 40 };
const COLD_ACCOUNT = 2_600;
const COLD_SLOT = 2_100;
const REWRITE = 2_900;
const LOG = 375;
const LOG_BYTE = 8;
const HASH = 30;
const HASH_WORD = 6;
const ECRECOVER = 3_000;

/** The least gas of a transaction by the fee schedule (Cancun, and EIP-7623): first touches only, no computation, copying or memory. */
export function scheduleFloor(items: ScheduleItems): number {
  const zeros = items.input.filter((byte) => byte === 0).length;
  const others = items.input.length - zeros;
  const logs = items.logs.reduce((sum, { topics, bytes }) => sum + LOG * (1 + topics) + LOG_BYTE * bytes, 0);
  const usual =
    TRANSACTION +
    zeros * BYTE.zero +
    others * BYTE.other +
    items.coldAccounts * COLD_ACCOUNT +
    items.slots * COLD_SLOT +
    items.rewritten * REWRITE +
    logs +
    HASH +
    HASH_WORD * items.recordWords +
    items.signatures * ECRECOVER;
  return Math.max(usual, TRANSACTION + zeros * FLOOR_BYTE.zero + others * FLOOR_BYTE.other);
}

/**
 * The floor of a mined settlement, counted from the transaction itself; `target` is whom it called.
 * Throws what the RPC throws; the node must answer debug_traceTransaction with a prestateTracer.
 */
export async function settlementFloor(
  rpc: Rpc,
  receipt: Receipt,
  settled: { target: Address; records: number; signatures: number },
): Promise<number> {
  const [transaction, touched, changed] = await Promise.all([
    rpc.request(minedTransaction(receipt.transactionHash)),
    rpc.request(storageTouchedBy(receipt.transactionHash)),
    rpc.request(storageChangedBy(receipt.transactionHash)),
  ]);
  // The beneficiary of a devnet's blocks is the zero address.
  const own = new Set<string>([transaction.from, settled.target.toLowerCase(), `0x${'0'.repeat(40)}`]);
  const cold = [...touched.keys()].filter((account) => !own.has(account) && BigInt(account) > LAST_PRECOMPILE);
  return scheduleFloor({
    input: hexToBytes(transaction.input),
    coldAccounts: cold.length,
    slots: sum(touched),
    rewritten: sum(changed),
    logs: receipt.logs.map(({ topics, data }) => ({ topics: topics.length, bytes: (data.length - 2) / 2 })),
    recordWords: settled.records,
    signatures: settled.signatures,
  });
}

const LAST_PRECOMPILE = 0xffn;

/** How many slots of each account a transaction read or wrote. */
function storageTouchedBy(hash: Hex): RpcCall<ReadonlyMap<string, number>> {
  return { ...trace(hash, false), decode: (raw) => slotsByAccount(raw) };
}

/** How many slots of each account a transaction left with another word. */
function storageChangedBy(hash: Hex): RpcCall<ReadonlyMap<string, number>> {
  return {
    ...trace(hash, true),
    decode: (raw) => {
      if (!isRecord(raw)) throw new Error('no trace');
      return slotsByAccount(raw['post']);
    },
  };
}

function trace(hash: Hex, diffMode: boolean): { method: string; params: readonly unknown[] } {
  return { method: 'debug_traceTransaction', params: [hash, { tracer: 'prestateTracer', tracerConfig: { diffMode } }] };
}

function slotsByAccount(raw: unknown): ReadonlyMap<string, number> {
  if (!isRecord(raw)) throw new Error('no trace');
  return new Map(
    Object.entries(raw).map(([account, state]) => {
      const storage = isRecord(state) ? state['storage'] : undefined;
      return [account.toLowerCase(), isRecord(storage) ? Object.keys(storage).length : 0];
    }),
  );
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null;
}
