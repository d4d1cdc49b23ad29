import type { Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import { latestBlock } from '../rpc/rpcCall.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** All of an operator's stake in a strategy, before any slash. */
export const WHOLE_MAGNITUDE = 10n ** 18n;

/** How much of an operator's stake in a strategy a set may slash: a target, not a change. */
export interface StakeAllocation {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>;
  readonly operatorSet: OperatorSet;
  readonly strategy: Address;
  readonly operator: Address;
  /** Out of 1e18; `free` is everything that no other set holds. */
  readonly magnitude: bigint | 'free';
}

/** What an allocation is and will be. */
export interface AllocationChange {
  /** Whether a transaction was sent; not when the allocation is that already, or is on its way to it. */
  readonly isNew: boolean;
  /** Slashable now, out of 1e18. */
  readonly current: bigint;
  readonly target: bigint;
  /** Block of the stake chain from which `target` holds. */
  readonly effectBlock: number;
}

/** The operator was registered without an allocation delay, or its delay is not in force yet. */
export class AllocationDelayMissingError extends MatchmakerError<'ALLOCATION_DELAY_MISSING'> {
  constructor(operator: Address, configurationDelayBlocks: number) {
    super(
      'ALLOCATION_DELAY_MISSING',
      `${operator} has no allocation delay in force, so it cannot allocate: set one with \`matchmaker operator allocate --set-delay BLOCKS\` and wait ${configurationDelayBlocks} blocks, or wait if one was set`,
      { metadata: { operator, configurationDelayBlocks }, retryable: true },
    );
  }
}

/** Another change of the allocation has not taken effect; EigenLayer allows one at a time. */
export class AllocationPendingError extends MatchmakerError<'ALLOCATION_PENDING'> {
  constructor(pending: bigint, effectBlock: number, head: number) {
    super(
      'ALLOCATION_PENDING',
      `a change to ${percentOf(pending)} % is pending until block ${effectBlock}, ${effectBlock - head} blocks from now: allocate again after it`,
      { metadata: { pending: pending.toString(), effectBlock, head }, retryable: true },
    );
  }
}

/** The operator does not have so much left to allocate. */
export class MagnitudeUnavailableError extends MatchmakerError<'MAGNITUDE_UNAVAILABLE'> {
  constructor(wanted: bigint, available: bigint, maximum: bigint) {
    const slashed = maximum === WHOLE_MAGNITUDE ? '' : `; slashes have left ${percentOf(maximum)} % of the stake`;
    super(
      'MAGNITUDE_UNAVAILABLE',
      `${percentOf(wanted)} % cannot be allocated: ${percentOf(available)} % is free for this set${slashed}. Allocate at most that, or take some from another set`,
      { metadata: { wanted: wanted.toString(), available: available.toString(), maximum: maximum.toString() } },
    );
  }
}

/**
 * Sets how much of an operator's stake a set may slash. Up takes the operator's allocation delay, down EigenLayer's
 * deallocation delay, or nothing while the set could not slash the operator anyway.
 * Throws AllocationDelayMissingError, AllocationPendingError, MagnitudeUnavailableError, EigenCallRevertedError,
 * TransactionRevertedError and the errors of the RPC.
 */
export async function allocateStake(
  allocation: StakeAllocation,
  { lane, rpc }: EigenDependencies,
): Promise<AllocationChange> {
  const { operatorSet, strategy, operator } = allocation;
  const manager = { address: allocation.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const { number: head, hash } = await rpc.request(latestBlock());
  const [[hasDelay], present, free, maximum] = await Promise.all([
    readEigen(rpc, { ...manager, functionName: 'getAllocationDelay', args: [operator] }, hash),
    readEigen(rpc, { ...manager, functionName: 'getAllocation', args: [operator, operatorSet, strategy] }, hash),
    readEigen(rpc, { ...manager, functionName: 'getAllocatableMagnitude', args: [operator, strategy] }, hash),
    readEigen(rpc, { ...manager, functionName: 'getMaxMagnitude', args: [operator, strategy] }, hash),
  ]);
  const current = present.currentMagnitude;
  const pending = current + present.pendingDiff;
  // What is pending upwards is encumbered already; what is pending downwards still is until it takes effect.
  const held = present.pendingDiff > 0n ? pending : current;
  const available = free + held;
  const target = allocation.magnitude === 'free' ? available : allocation.magnitude;
  if (present.pendingDiff !== 0n) {
    if (target === pending) return { isNew: false, current, target, effectBlock: present.effectBlock };
    throw new AllocationPendingError(pending, present.effectBlock, head);
  }
  if (target === current) return { isNew: false, current, target, effectBlock: head };
  if (!hasDelay) {
    const delay = await readEigen(rpc, { ...manager, functionName: 'ALLOCATION_CONFIGURATION_DELAY', args: [] });
    throw new AllocationDelayMissingError(operator, delay);
  }
  if (target > available) throw new MagnitudeUnavailableError(target, available, maximum);
  const receipt = await writeEigen(lane, {
    ...manager,
    functionName: 'modifyAllocations',
    args: [operator, [{ operatorSet, strategies: [strategy], newMagnitudes: [target] }]],
  });
  const after = await readEigen(
    rpc,
    { ...manager, functionName: 'getAllocation', args: [operator, operatorSet, strategy] },
    receipt.blockHash,
  );
  return {
    isNew: true,
    current: after.currentMagnitude,
    target,
    effectBlock: after.pendingDiff === 0n ? receipt.blockNumber : after.effectBlock,
  };
}

/** A magnitude as a percentage of all stake, with at most four decimals, rounded down. */
export function percentOf(magnitude: bigint): string {
  const hundredths = (magnitude * 1_000_000n) / WHOLE_MAGNITUDE;
  const text = `${hundredths / 10_000n}.${(hundredths % 10_000n).toString().padStart(4, '0')}`;
  return text.replace(/\.?0+$/, '');
}
