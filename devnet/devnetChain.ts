import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, Hex } from 'viem';
import { MinedBlocks } from '../chain/deploy/minedBlocks.js';
import { TransactionLane } from '../chain/deploy/transactionLane.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import { chainId as chainIdCall } from '../chain/rpc/rpcCall.js';
import { devAccounts, type DevAccount } from './devAccounts.js';
import { startAnvil, type Anvil, type AnvilOptions } from './startAnvil.js';

/** Wei per gas that ordinary transactions of a devnet tip. */
export const DEVNET_PRIORITY_FEE = 1_000_000_000n;
/** Wei per gas that settlements tip, so that a block full of orders can not keep them out. */
export const SETTLEMENT_PRIORITY_FEE = 10_000_000_000n;
/** Most that a devnet transaction offers, wei per gas. */
export const DEVNET_MAX_FEE = 1_000_000_000_000n;

/** A development chain whose mnemonic's accounts are funded; each account is handed out once. */
export interface DevnetChain {
  readonly url: string;
  readonly chainId: number;
  readonly rpc: Rpc;
  readonly blocks: MinedBlocks;
  /** The next account of the mnemonic that nobody has yet. */
  nextAccount(): DevAccount;
  /** Private key of an account that `nextAccount` gave out. Throws RangeError for any other. */
  keyOf(address: Address): Hex;
  /** A lane that sends with this key. One key must have one lane only. */
  lane(privateKey: Hex): TransactionLane;
  stop(): Promise<void>;
}

/** A devnet chain that was started here and ends with `stop`. */
export interface StartedDevnetChain extends DevnetChain {
  readonly anvil: Anvil;
}

export interface DevnetChainConnection {
  readonly url: string;
  readonly mnemonic?: string;
  /** Milliseconds between looks at the head; default 15. */
  readonly pollIntervalMs?: number;
}

/** Monotonic milliseconds of this process. */
export function monotonicMs(): number {
  return performance.now();
}

/** Starts a chain and follows its blocks. Throws AnvilStartError. */
export async function startDevnetChain(
  options: AnvilOptions & Omit<DevnetChainConnection, 'url'>,
): Promise<StartedDevnetChain> {
  // One more than is handed out, see `nextAccount`.
  const anvil = await startAnvil(
    options.accounts === undefined ? options : { ...options, accounts: options.accounts + 1 },
  );
  try {
    const chain = await connectDevnetChain({ ...options, url: anvil.url });
    return {
      ...chain,
      anvil,
      async stop() {
        await chain.stop();
        await anvil.stop();
      },
    };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

/** Follows the blocks of a development chain that runs elsewhere. Throws what the RPC throws. */
export async function connectDevnetChain(connection: DevnetChainConnection): Promise<DevnetChain> {
  const { url } = connection;
  const chainId = await createRpc({ url, requestTimeoutMs: REQUEST_TIMEOUT_MS }).request(chainIdCall());
  const rpc = createRpc({ url, requestTimeoutMs: REQUEST_TIMEOUT_MS, chainId });
  const blocks = new MinedBlocks({ pollIntervalMs: connection.pollIntervalMs ?? 15 }, { rpc, now: monotonicMs, sleep });
  await blocks.start();
  const accounts = devAccounts(connection.mnemonic);
  // The first is fundAccount's alone: lanes count their own transactions, and a process beside this one may fund somebody.
  let handedOut = 1;
  const keys = new Map<string, Hex>();
  return {
    url,
    chainId,
    rpc,
    blocks,
    nextAccount: () => {
      const next = accounts(handedOut++);
      keys.set(next.account.address.toLowerCase(), next.privateKey);
      return next;
    },
    keyOf: (address) => {
      const key = keys.get(address.toLowerCase());
      if (key === undefined) throw new RangeError(`${address} is no account that the devnet handed out`);
      return key;
    },
    lane: (privateKey) =>
      new TransactionLane(
        { chainId, privateKey, priorityFeePerGas: DEVNET_PRIORITY_FEE, maxFeePerGas: DEVNET_MAX_FEE },
        { rpc, blocks, now: monotonicMs },
      ),
    stop: () => blocks.stop(),
  };
}

const REQUEST_TIMEOUT_MS = 20_000;
