import { isAddressEqual, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { RewardsClaim } from '../../protocol/rewards/eigenClaimTree.js';
import { iRewardsCoordinatorAbi } from '../contracts/generated/IRewardsCoordinator.js';
import type { Deployment } from '../deployment.js';
import { readEigen, writeEigen, type EigenDependencies } from '../eigenlayer/eigenCall.js';
import { eventsOf } from '../eigenlayer/eigenEvents.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';

/** Tokens that a claim paid. */
export interface PaidRewards {
  readonly paid: readonly { readonly token: Address; readonly amount: bigint }[];
  readonly transactionHash: Hex;
}

/** A distribution root as it stands. */
export interface StandingRoot {
  readonly rootIndex: number;
  readonly root: Hex;
  /** Seconds since 1970: rewards up to then are in it. */
  readonly calculatedUntilSeconds: number;
  readonly activeFromSeconds: number;
  readonly isDisabled: boolean;
}

/** The root can not be claimed against now. */
export class RootNotClaimableError extends MatchmakerError<'ROOT_NOT_CLAIMABLE'> {
  constructor({ rootIndex, isDisabled, activeFromSeconds }: StandingRoot, nowSeconds: number) {
    super(
      'ROOT_NOT_CLAIMABLE',
      isDisabled
        ? `distribution root ${rootIndex} was taken back: claim against a newer one`
        : `distribution root ${rootIndex} is active from ${activeFromSeconds} on, and it is ${nowSeconds}: wait`,
      { metadata: { rootIndex, isDisabled, activeFromSeconds, nowSeconds }, retryable: !isDisabled },
    );
  }
}

/** Somebody else may claim for the earner. */
export class NotClaimerError extends MatchmakerError<'NOT_CLAIMER'> {
  constructor(earner: Address, claimer: Address, account: Address) {
    super('NOT_CLAIMER', `${claimer} claims for ${earner}, not ${account}: sign with its key`, {
      metadata: { earner, claimer, account },
    });
  }
}

/** The chain's distribution root with a hash. Throws EigenCallRevertedError (InvalidRoot) for one that it does not have, and the errors of the RPC. */
export async function findRoot(
  { eigenlayer }: Pick<Deployment, 'eigenlayer'>,
  rpc: Rpc,
  root: Hex,
): Promise<StandingRoot> {
  const coordinator = { address: eigenlayer.rewardsCoordinator, abi: iRewardsCoordinatorAbi };
  return readRoot(
    { eigenlayer },
    rpc,
    await readEigen(rpc, { ...coordinator, functionName: 'getRootIndexFromHash', args: [root] }),
  );
}

/** The chain's distribution root with a number. Throws EigenCallRevertedError and the errors of the RPC. */
export async function readRoot(
  { eigenlayer }: Pick<Deployment, 'eigenlayer'>,
  rpc: Rpc,
  rootIndex: number,
): Promise<StandingRoot> {
  const found = await readEigen(rpc, {
    address: eigenlayer.rewardsCoordinator,
    abi: iRewardsCoordinatorAbi,
    functionName: 'getDistributionRootAtIndex',
    args: [BigInt(rootIndex)],
  });
  return {
    rootIndex,
    root: found.root,
    calculatedUntilSeconds: found.rewardsCalculationEndTimestamp,
    activeFromSeconds: found.activatedAt,
    isDisabled: found.disabled,
  };
}

/**
 * Pays an earner what a distribution root gives it and it has not had, to `recipient`. The lane's account is the earner or its claimer.
 * Throws RootNotClaimableError, NotClaimerError, EigenCallRevertedError (EarningsNotGreaterThanClaimed when it has had everything),
 * TransactionRevertedError and the errors of the RPC.
 */
export async function claimOperatorRewards(
  { eigenlayer }: Pick<Deployment, 'eigenlayer'>,
  { claim, recipient }: { readonly claim: RewardsClaim; readonly recipient: Address },
  { lane, rpc }: EigenDependencies,
): Promise<PaidRewards> {
  const coordinator = { address: eigenlayer.rewardsCoordinator, abi: iRewardsCoordinatorAbi };
  const { earner } = claim.earnerLeaf;
  const [standing, { timestamp }, named] = await Promise.all([
    readRoot({ eigenlayer }, rpc, claim.rootIndex),
    rpc.request(latestBlock()),
    readEigen(rpc, { ...coordinator, functionName: 'claimerFor', args: [earner] }),
  ]);
  if (standing.isDisabled || timestamp < standing.activeFromSeconds) {
    throw new RootNotClaimableError(standing, timestamp);
  }
  const claimer = BigInt(named) === 0n ? earner : named;
  if (!isAddressEqual(claimer, lane.address)) throw new NotClaimerError(earner, claimer, lane.address);
  await readEigen(rpc, { ...coordinator, functionName: 'checkClaim', args: [claim] });
  const receipt = await writeEigen(lane, { ...coordinator, functionName: 'processClaim', args: [claim, recipient] });
  const paid = eventsOf(receipt.logs, { ...coordinator, eventName: 'RewardsClaimed' });
  return {
    paid: paid.map(({ args }) => ({ token: args.token, amount: args.claimedAmount })),
    transactionHash: receipt.transactionHash,
  };
}
