import { zeroAddress, type Address, type Hex } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import { iStrategyAbi } from '../contracts/generated/IStrategy.js';
import { matchmakerRegistrarAbi } from '../contracts/generated/MatchmakerRegistrar.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';
import { readEigen } from './eigenCall.js';
import { readDeparture, type OperatorDeparture } from './operatorDeparture.js';
import { readSigningKey } from './readSigningKey.js';
import { readSlashes, type Slash } from './slashHistory.js';

/** What the stake chain says of an operator and a market's operator set, in one block. */
export interface OperatorStatus {
  readonly operator: Address;
  readonly block: { readonly number: number; readonly timestampSeconds: number };
  readonly isOperator: boolean;
  /** Who must agree to delegations; null when anybody may delegate. */
  readonly delegationApprover: Address | null;
  /** In smallest units of the stake token. */
  readonly stake: {
    /** The operator's own deposit. */
    readonly own: bigint;
    /** All that stands behind the operator, its own included. */
    readonly total: bigint;
    /** What the set can slash now at least. */
    readonly slashable: bigint;
  };
  /** Blocks until a new allocation counts; null when none is in force. */
  readonly allocationDelayBlocks: number | null;
  /** Magnitudes out of 1e18. */
  readonly allocation: {
    readonly current: bigint;
    readonly pending: { readonly target: bigint; readonly effectBlock: number } | null;
    /** Free to allocate to any set. */
    readonly free: bigint;
    /** What slashes have left of 1e18. */
    readonly maximum: bigint;
  };
  /** The registered signing key as operator tables name it; null for none. */
  readonly signingKey: Hex | null;
  readonly isMember: boolean;
  /** Null unless it left and can still be slashed. */
  readonly departure: OperatorDeparture | null;
  readonly isSlashable: boolean;
  /** Published by our registrar; empty when it never joined. */
  readonly socket: string;
  readonly slashes: readonly Slash[];
}

/**
 * Reads everything the stake chain knows of an operator and the market's set, at the newest block.
 * Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readOperatorStatus(
  deployment: Deployment,
  operator: Address,
  { rpc }: { readonly rpc: Rpc },
): Promise<OperatorStatus> {
  const { eigenlayer, operatorSet, strategy, stake, quorum } = deployment;
  const { number, hash, timestamp } = await rpc.request(latestBlock());
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const delegation = { address: eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const toTokens = (shares: bigint): Promise<bigint> =>
    readEigen(
      rpc,
      { address: strategy, abi: iStrategyAbi, functionName: 'sharesToUnderlyingView', args: [shares] },
      hash,
    );

  const [isOperator, approver, [shares = 0n], ownShares, [hasDelay, delay], allocation, free, maximum] =
    await Promise.all([
      readEigen(rpc, { ...delegation, functionName: 'isOperator', args: [operator] }, hash),
      readEigen(rpc, { ...delegation, functionName: 'delegationApprover', args: [operator] }, hash),
      readEigen(rpc, { ...delegation, functionName: 'getOperatorShares', args: [operator, [strategy]] }, hash),
      readEigen(
        rpc,
        {
          address: eigenlayer.strategyManager,
          abi: iStrategyManagerAbi,
          functionName: 'stakerDepositShares',
          args: [operator, strategy],
        },
        hash,
      ),
      readEigen(rpc, { ...manager, functionName: 'getAllocationDelay', args: [operator] }, hash),
      readEigen(rpc, { ...manager, functionName: 'getAllocation', args: [operator, operatorSet, strategy] }, hash),
      readEigen(rpc, { ...manager, functionName: 'getAllocatableMagnitude', args: [operator, strategy] }, hash),
      readEigen(rpc, { ...manager, functionName: 'getMaxMagnitude', args: [operator, strategy] }, hash),
    ]);
  const [signingKey, isMember, isSlashable, [[slashableShares = 0n] = []], socket, slashes] = await Promise.all([
    readSigningKey({ eigenlayer, operatorSet, curve: quorum.curve }, operator, { rpc }, hash),
    readEigen(rpc, { ...manager, functionName: 'isMemberOfOperatorSet', args: [operator, operatorSet] }, hash),
    readEigen(rpc, { ...manager, functionName: 'isOperatorSlashable', args: [operator, operatorSet] }, hash),
    readEigen(
      rpc,
      {
        ...manager,
        functionName: 'getMinimumSlashableStake',
        args: [operatorSet, [operator], [strategy], number],
      },
      hash,
    ),
    readEigen(
      rpc,
      { address: stake.registrar, abi: matchmakerRegistrarAbi, functionName: 'getOperatorSocket', args: [operator] },
      hash,
    ),
    readSlashes({ eigenlayer, operatorSet, operator, fromBlock: stake.deploymentBlock, toBlock: number }, { rpc }),
  ]);
  const [own, total, slashable, departure] = await Promise.all([
    toTokens(ownShares),
    toTokens(shares),
    toTokens(slashableShares),
    isMember ? null : readDeparture({ eigenlayer, operatorSet, operator, head: number }, { rpc }),
  ]);
  return {
    operator,
    block: { number, timestampSeconds: timestamp },
    isOperator,
    delegationApprover: approver === zeroAddress ? null : approver,
    stake: { own, total, slashable },
    allocationDelayBlocks: hasDelay ? delay : null,
    allocation: {
      current: allocation.currentMagnitude,
      pending:
        allocation.pendingDiff === 0n
          ? null
          : {
              target: allocation.currentMagnitude + allocation.pendingDiff,
              effectBlock: allocation.effectBlock,
            },
      free,
      maximum,
    },
    signingKey,
    isMember,
    departure,
    isSlashable,
    socket,
    slashes,
  };
}
