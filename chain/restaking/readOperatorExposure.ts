import { concat, numberToHex, type Address, type Hex } from 'viem';
import { isSameSet, type OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import type { Deployment } from '../deployment.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import { lowerCase } from '../rewards/rewardHistory.js';
import type { Rpc } from '../rpc/rpc.js';
import type { Block } from '../rpc/rpcCall.js';
import { readSlashability, type Slashability } from './slashability.js';

/** What an operator has at stake in one set and elsewhere, for one strategy. */
export interface OperatorExposure {
  readonly operator: Address;
  /** As operator tables name it: 20 bytes (ECDSA) or X and Y (BN254); null without one. */
  readonly signingKey: Hex | null;
  readonly slashability: Slashability;
  /** What it allocates to the set of its stake, and what all sets can share after slashes, both out of 1e18. */
  readonly magnitude: bigint;
  readonly maxMagnitude: bigint;
  readonly pending: { readonly magnitude: bigint; readonly effectBlock: number } | null;
  /** Blocks until a new allocation counts; null while none is in force. */
  readonly allocationDelayBlocks: number | null;
  /** Shares behind it, its own and delegated ones. */
  readonly shares: bigint;
  /** Shares that the set can slash now. */
  readonly slashableShares: bigint;
  /** Who must consent to delegations; null: anyone may delegate. */
  readonly delegationApprover: Address | null;
  /** Other sets that can slash the same stake for reasons of their own. */
  readonly otherSets: readonly { readonly operatorSet: OperatorSet; readonly magnitude: bigint }[];
}

type ExposureDeployment = Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'strategy' | 'quorum'>;

/** Reads an operator's stake behind the market's set as of block `head`. Throws EigenCallRevertedError and the errors of the RPC. */
export async function readOperatorExposure(
  deployment: ExposureDeployment,
  rpc: Rpc,
  { operator, head }: { readonly operator: Address; readonly head: Block },
): Promise<OperatorExposure> {
  const { eigenlayer, operatorSet, strategy } = deployment;
  const at = head.hash;
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const delegation = { address: eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const [allocation, maxMagnitude, [hasDelay, delay], [sets, allocations], [[slashableShares = 0n] = []]] =
    await Promise.all([
      readEigen(rpc, { ...manager, functionName: 'getAllocation', args: [operator, operatorSet, strategy] }, at),
      readEigen(rpc, { ...manager, functionName: 'getMaxMagnitude', args: [operator, strategy] }, at),
      readEigen(rpc, { ...manager, functionName: 'getAllocationDelay', args: [operator] }, at),
      readEigen(rpc, { ...manager, functionName: 'getStrategyAllocations', args: [operator, strategy] }, at),
      readEigen(
        rpc,
        {
          ...manager,
          functionName: 'getMinimumSlashableStake',
          args: [operatorSet, [operator], [strategy], head.number],
        },
        at,
      ),
    ]);
  const [[shares = 0n], approver, signingKey, slashability] = await Promise.all([
    readEigen(rpc, { ...delegation, functionName: 'getOperatorShares', args: [operator, [strategy]] }, at),
    readEigen(rpc, { ...delegation, functionName: 'delegationApprover', args: [operator] }, at),
    readSigningKey(deployment, rpc, { operator, at }),
    readSlashability(deployment, rpc, { operator, head }),
  ]);
  return {
    operator,
    signingKey,
    slashability,
    magnitude: allocation.currentMagnitude,
    maxMagnitude,
    pending:
      allocation.pendingDiff === 0n
        ? null
        : {
            magnitude: allocation.currentMagnitude + allocation.pendingDiff,
            effectBlock: allocation.effectBlock,
          },
    allocationDelayBlocks: hasDelay ? delay : null,
    shares,
    slashableShares,
    delegationApprover: BigInt(approver) === 0n ? null : approver,
    otherSets: sets.flatMap((set, index) => {
      const magnitude = allocations[index]?.currentMagnitude ?? 0n;
      return isSameSet(set, operatorSet) || magnitude === 0n ? [] : [{ operatorSet: set, magnitude }];
    }),
  };
}

async function readSigningKey(
  { eigenlayer, operatorSet, quorum }: ExposureDeployment,
  rpc: Rpc,
  { operator, at }: { readonly operator: Address; readonly at: Hex },
): Promise<Hex | null> {
  const registrar = { address: eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  const args = [operatorSet, operator] as const;
  if (quorum.curve === 'ecdsa') {
    const key = await readEigen(rpc, { ...registrar, functionName: 'getECDSAAddress', args }, at);
    return BigInt(key) === 0n ? null : lowerCase(key);
  }
  const [{ X, Y }] = await readEigen(rpc, { ...registrar, functionName: 'getBN254Key', args }, at);
  return X === 0n && Y === 0n ? null : concat([numberToHex(X, { size: 32 }), numberToHex(Y, { size: 32 })]);
}
