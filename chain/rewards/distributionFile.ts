import type { Address, Hex } from 'viem';
import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';
import { participationHash } from '../../protocol/rewards/participation.js';
import { rewardRoot } from '../../protocol/rewards/rewardTree.js';
import type { Distribution } from './computeDistribution.js';

/** Names the format of a distribution file; another one is refused. */
export const DISTRIBUTION_FORMAT = 'matchmaker-rewards-1';

const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/, 'must be a 20-byte address in lower-case hex')
  .transform((text): Address => `0x${text.slice(2)}`);
const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/, 'must be 32 bytes in lower-case hex')
  .transform((text): Hex => `0x${text.slice(2)}`);
const amount = z
  .string()
  .regex(/^\d{1,39}$/, 'must be a whole number in decimal digits')
  .transform(BigInt);
const whole = z.number().int().nonnegative();

const schema = z.strictObject({
  format: z.literal(DISTRIBUTION_FORMAT),
  chainId: z.number().int().positive(),
  rewarder: address,
  era: whole,
  baseEra: whole.nullable(),
  closingBlock: z.strictObject({ number: whole, hash }),
  root: hash,
  cumulativeTotal: amount,
  earnedTotal: amount,
  addedTotal: amount,
  limit: amount,
  participationHash: hash,
  participation: z.array(z.strictObject({ operator: address, batches: whole })),
  uncountedRounds: z.array(whole),
  leaves: z.array(z.strictObject({ earner: address, cumulative: amount })),
  /** For people; what is proposed and claimed follows from the leaves. */
  explanations: z.array(z.unknown()),
});

/** A distribution as a file holds it; explanations are not read back. */
export type PublishedDistribution = Omit<Distribution, 'explanations'>;

/** A file that is no distribution, or whose root is not that of its leaves. */
export class DistributionInvalidError extends MatchmakerError<'DISTRIBUTION_INVALID'> {
  constructor(problems: readonly string[]) {
    super(
      'DISTRIBUTION_INVALID',
      `the distribution file is not one:\n${problems.map((line) => `  ${line}`).join('\n')}`,
      {
        metadata: { problems },
      },
    );
  }
}

/** A distribution as JSON: what `RootProposed.uri` serves. Amounts are decimal strings. */
export function formatDistribution(distribution: Distribution): string {
  return JSON.stringify(
    { format: DISTRIBUTION_FORMAT, ...distribution },
    (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  );
}

/**
 * Reads a distribution from parsed JSON, and computes root, total and participation hash anew.
 * Throws DistributionInvalidError with all problems at once.
 */
export function parseDistribution(json: unknown): PublishedDistribution {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new DistributionInvalidError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`),
    );
  }
  const { format: _, explanations: __, ...distribution } = parsed.data;
  const problems: string[] = [];
  const root = rewardRoot(distribution.leaves, distribution);
  if (root !== distribution.root) problems.push(`root: the leaves give ${root}`);
  const total = distribution.leaves.reduce((sum, { cumulative }) => sum + cumulative, 0n);
  if (total !== distribution.cumulativeTotal) problems.push(`cumulativeTotal: the leaves add up to ${total}`);
  const list = participationHash(distribution.participation);
  if (list !== distribution.participationHash) problems.push(`participationHash: the list gives ${list}`);
  if (new Set(distribution.leaves.map(({ earner }) => earner)).size !== distribution.leaves.length) {
    problems.push('leaves: an earner occurs twice');
  }
  if (problems.length > 0) throw new DistributionInvalidError(problems);
  return distribution;
}
