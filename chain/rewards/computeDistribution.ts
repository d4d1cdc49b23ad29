import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { computeEra } from '../../protocol/rewards/computeEra.js';
import type { EarnerExplanation } from '../../protocol/rewards/computeEra.js';
import type { CumulativeReward, OperatorParticipation } from '../../protocol/rewards/eraInput.js';
import { participationHash } from '../../protocol/rewards/participation.js';
import { rewardRoot } from '../../protocol/rewards/rewardTree.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { readEraInput } from './readEraInput.js';
import { baseEraOf, closingIn, rootIn } from './rewardHistory.js';
import type { RewardHistory } from './rewardHistory.js';

/** An era's rewards with everything that a root's proposal names and its challengers need. */
export interface Distribution {
  readonly chainId: number;
  readonly rewarder: Hex;
  readonly era: number;
  /** Era of the root that this one builds on, null for none. */
  readonly baseEra: number | null;
  readonly closingBlock: { readonly number: number; readonly hash: Hex };
  readonly root: Hex;
  /** Reward token units. */
  readonly cumulativeTotal: bigint;
  readonly earnedTotal: bigint;
  readonly addedTotal: bigint;
  readonly limit: bigint;
  readonly participationHash: Hex;
  readonly participation: readonly OperatorParticipation[];
  readonly uncountedRounds: readonly number[];
  readonly leaves: readonly CumulativeReward[];
  readonly explanations: readonly EarnerExplanation[];
}

/** What is known about the root that the next one builds on. */
export type KnownLeaves = Pick<Distribution, 'era' | 'leaves'>;

/** The leaves at hand for a root that stands are not that root's. */
export class BaseRootMismatchError extends MatchmakerError<'BASE_ROOT_MISMATCH'> {
  constructor(era: number, given: Hex, standing: Hex) {
    super(
      'BASE_ROOT_MISMATCH',
      `the root of era ${era} on the chain is ${standing}, these leaves give ${given}: pass the list that was published for it`,
      { metadata: { era, given, standing } },
    );
  }
}

/**
 * Computes the distribution of a closed era from the chain alone. The roots before it are computed too, back to the first or to the
 * `known` one, and each must come out as it stands on the chain.
 * Throws BaseRootMismatchError when one does not, EraNotClosedError, EraSupersededError and what the RPC throws.
 */
export async function computeDistribution(
  deployment: Deployment,
  rpc: Rpc,
  options: {
    readonly history: RewardHistory;
    readonly era: number;
    readonly known?: KnownLeaves;
    readonly rangeBlocks?: number;
  },
): Promise<Distribution> {
  const { history, known } = options;
  const domain = { chainId: deployment.chainId, rewarder: deployment.contracts.rewarder };
  closingIn(history, options.era);
  const eras = [options.era];
  let baseLeaves: readonly CumulativeReward[] = [];
  for (let base = baseEraOf(history, options.era); base !== null; base = baseEraOf(history, base)) {
    if (known?.era === base) {
      requireRoot(history, base, rewardRoot(known.leaves, domain));
      baseLeaves = known.leaves;
      break;
    }
    eras.unshift(base);
  }
  for (const era of eras.slice(0, -1)) {
    const { root, leaves } = await computeOne(deployment, rpc, { ...options, era, baseLeaves });
    requireRoot(history, era, root);
    baseLeaves = leaves;
  }
  return await computeOne(deployment, rpc, { ...options, baseLeaves });
}

async function computeOne(
  deployment: Deployment,
  rpc: Rpc,
  options: {
    readonly history: RewardHistory;
    readonly era: number;
    readonly baseLeaves: readonly CumulativeReward[];
    readonly rangeBlocks?: number;
  },
): Promise<Distribution> {
  const { input, closing, uncountedRounds } = await readEraInput(deployment, rpc, options);
  const rewards = computeEra(input);
  const { chainId, rewarder, era } = input;
  return {
    chainId,
    rewarder,
    era,
    baseEra: input.base.era,
    closingBlock: { number: closing.blockNumber, hash: closing.blockHash },
    root: rewardRoot(rewards.leaves, { chainId, rewarder }),
    cumulativeTotal: rewards.cumulativeTotal,
    earnedTotal: rewards.earnedTotal,
    addedTotal: rewards.addedTotal,
    limit: rewards.limit,
    participationHash: participationHash(input.operators),
    participation: input.operators,
    uncountedRounds,
    leaves: rewards.leaves,
    explanations: rewards.explanations,
  };
}

function requireRoot(history: RewardHistory, era: number, root: Hex): void {
  const standing = rootIn(history, era).root;
  if (root !== standing) throw new BaseRootMismatchError(era, root, standing);
}
