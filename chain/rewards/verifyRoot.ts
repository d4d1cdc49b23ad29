import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { computeDistribution } from './computeDistribution.js';
import type { Distribution, KnownLeaves } from './computeDistribution.js';
import { rootIn } from './rewardHistory.js';
import type { ProposedRoot, RewardHistory } from './rewardHistory.js';

/** A proposed root beside what the rules give. */
export interface RootVerdict {
  readonly proposed: ProposedRoot;
  readonly computed: Distribution;
  /** What differs; empty for a root that should stand. */
  readonly differences: readonly ('root' | 'cumulativeTotal' | 'participationHash')[];
}

/**
 * Computes the era of a proposed root anew and compares. Throws RootNotFoundError when none was proposed, and what
 * `computeDistribution` throws.
 */
export async function verifyRoot(
  deployment: Deployment,
  rpc: Rpc,
  options: {
    readonly history: RewardHistory;
    readonly era: number;
    readonly known?: KnownLeaves;
    readonly rangeBlocks?: number;
  },
): Promise<RootVerdict> {
  const proposed = rootIn(options.history, options.era);
  const computed = await computeDistribution(deployment, rpc, options);
  const compared = ['root', 'cumulativeTotal', 'participationHash'] as const;
  return { proposed, computed, differences: compared.filter((field) => proposed[field] !== computed[field]) };
}
