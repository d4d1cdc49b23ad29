import { isAddressEqual, type Address, type Hex } from 'viem';
import { isSameSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iMatchmakerSlasherAbi } from '../contracts/generated/IMatchmakerSlasher.js';
import type { Deployment } from '../deployment.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import { eventsBetween } from '../eigenlayer/eigenEvents.js';
import { LOG_RANGE_BLOCKS } from '../rewards/rewardHistory.js';
import type { Rpc } from '../rpc/rpc.js';
import type { Block } from '../rpc/rpcCall.js';
import { FAULTS } from './readSetTerms.js';

/** One slash of an operator by the set. */
export interface Slash {
  readonly operator: Address;
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  /** Of all of the operator's stake in each strategy, out of 1e18. */
  readonly parts: readonly { readonly strategy: Address; readonly wad: bigint }[];
  readonly description: string;
}

/** A fault that was proven to the slasher. */
export interface ProvenOffence {
  readonly offenceId: Hex;
  readonly fault: (typeof FAULTS)[number] | null;
  readonly round: number;
  readonly orderId: number;
  readonly challenger: Address;
  readonly blockNumber: number;
  /** Who lost stake for it so far. */
  readonly slashed: readonly Address[];
}

/** What was proven against a set's operators, and what they lost. */
export interface SlashHistory {
  readonly slashes: readonly Slash[];
  /** Empty where the slasher is not the judge's. */
  readonly offences: readonly ProvenOffence[];
}

/**
 * Reads every slash of the set since `fromBlock` (default: the stake side's first block), and the offences at its slasher.
 * Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readSlashes(
  deployment: Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'stake'>,
  rpc: Rpc,
  options: {
    readonly head: Block;
    readonly slasher: Address | null;
    readonly fromBlock?: number;
    readonly rangeBlocks?: number;
  },
): Promise<SlashHistory> {
  const { eigenlayer, operatorSet, stake } = deployment;
  const { head, slasher } = options;
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi } as const;
  const span = {
    fromBlock: options.fromBlock ?? stake.deploymentBlock,
    toBlock: head.number,
    rangeBlocks: options.rangeBlocks ?? LOG_RANGE_BLOCKS,
  };
  const count = await readEigen(rpc, { ...manager, functionName: 'getSlashCount', args: [operatorSet] }, head.hash);
  const found = count === 0n ? [] : await eventsBetween(rpc, span, { ...manager, eventName: 'OperatorSlashed' });
  const slashes = found
    .filter(({ args }) => isSameSet(args.operatorSet, operatorSet))
    .map(({ args, log }) => ({
      operator: args.operator,
      blockNumber: log.blockNumber,
      transactionHash: log.transactionHash,
      parts: args.strategies.map((strategy, index) => ({ strategy, wad: args.wadSlashed[index] ?? 0n })),
      description: args.description,
    }));
  return { slashes, offences: slasher === null ? [] : await readOffences(rpc, span, slasher) };
}

async function readOffences(
  rpc: Rpc,
  span: { readonly fromBlock: number; readonly toBlock: number; readonly rangeBlocks: number },
  slasher: Address,
): Promise<readonly ProvenOffence[]> {
  const contract = { address: slasher, abi: iMatchmakerSlasherAbi } as const;
  const [proven, slashed] = await Promise.all([
    eventsBetween(rpc, span, { ...contract, eventName: 'OffenceProven' }),
    eventsBetween(rpc, span, { ...contract, eventName: 'SignerSlashed' }),
  ]);
  return proven.map(({ args, log }) => ({
    offenceId: args.offenceId,
    fault: FAULTS[args.fault] ?? null,
    round: Number(args.round),
    orderId: args.orderId,
    challenger: args.challenger,
    blockNumber: log.blockNumber,
    slashed: slashed.filter((row) => row.args.offenceId === args.offenceId).map((row) => row.args.operator),
  }));
}

/** An operator's part of a list of slashes. */
export function slashesOf(slashes: readonly Slash[], operator: Address): readonly Slash[] {
  return slashes.filter((slash) => isAddressEqual(slash.operator, operator));
}
