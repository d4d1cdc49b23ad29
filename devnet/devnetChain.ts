import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import { MinedBlocks } from '../chain/deploy/minedBlocks.js';
import { TransactionLane } from '../chain/deploy/transactionLane.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import { devAccounts, type DevAccount } from './devAccounts.js';
import { startAnvil, type Anvil, type AnvilOptions } from './startAnvil.js';

/** Wei per gas that ordinary transactions of a devnet tip. */
export const DEVNET_PRIORITY_FEE = 1_000_000_000n;
/** Wei per gas that settlements tip, so that a block full of orders can not keep them out. */
export const SETTLEMENT_PRIORITY_FEE = 10_000_000_000n;
/** Most that a devnet transaction offers, wei per gas. */
export const DEVNET_MAX_FEE = 1_000_000_000_000n;

/** A running devnet chain with funded accounts, each handed out once. */
export interface DevnetChain {
  readonly anvil: Anvil;
  readonly url: string;
  readonly chainId: number;
  readonly rpc: Rpc;
  readonly blocks: MinedBlocks;
  /** The next funded account that nobody has yet. */
  nextAccount(): DevAccount;
  /** A lane that sends with this key. One key must have one lane only. */
  lane(privateKey: Hex): TransactionLane;
  stop(): Promise<void>;
}

export interface DevnetChainOptions extends AnvilOptions {
  /** Milliseconds between looks at the head; default 15. */
  readonly pollIntervalMs?: number;
}

/** Monotonic milliseconds of this process. */
export function monotonicMs(): number {
  return performance.now();
}

/** Starts a chain and follows its blocks. Throws AnvilStartError. */
export async function startDevnetChain(options: DevnetChainOptions): Promise<DevnetChain> {
  const anvil = await startAnvil(options);
  const rpc = createRpc({ url: anvil.url, requestTimeoutMs: 20_000, chainId: anvil.chainId });
  const blocks = new MinedBlocks({ pollIntervalMs: options.pollIntervalMs ?? 15 }, { rpc, now: monotonicMs, sleep });
  try {
    await blocks.start();
  } catch (error) {
    await anvil.stop();
    throw error;
  }
  const accounts = devAccounts(options.mnemonic);
  let handedOut = 0;
  return {
    anvil,
    url: anvil.url,
    chainId: anvil.chainId,
    rpc,
    blocks,
    nextAccount: () => accounts(handedOut++),
    lane: (privateKey) =>
      new TransactionLane(
        { chainId: anvil.chainId, privateKey, priorityFeePerGas: DEVNET_PRIORITY_FEE, maxFeePerGas: DEVNET_MAX_FEE },
        { rpc, blocks, now: monotonicMs },
      ),
    async stop() {
      await blocks.stop();
      await anvil.stop();
    },
  };
}
