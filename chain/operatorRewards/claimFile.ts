import { isAddress, isHex, type Address, type Hex } from 'viem';
import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';
import type { CumulativeEarning, RewardsClaim } from '../../protocol/rewards/eigenClaimTree.js';

/** Names the format of a file of earnings; another one is refused. */
export const EARNINGS_FORMAT = 'matchmaker-earnings-1';

const hex = z.string().refine((text): text is Hex => isHex(text), 'must be hex');
const address = z.string().refine((text): text is Address => isAddress(text, { strict: false }), 'must be an address');
const whole = z.number().int().nonnegative();
const amount = z
  .string()
  .regex(/^\d{1,78}$/, 'must be a whole number in decimal digits')
  .transform(BigInt);

const earningsSchema = z.strictObject({
  format: z.literal(EARNINGS_FORMAT),
  chainId: z.number().int().positive(),
  rewardsCoordinator: address,
  root: hex,
  earnings: z.array(z.strictObject({ earner: address, token: address, cumulative: amount })),
});

const claimSchema = z.strictObject({
  rootIndex: whole,
  earnerIndex: whole,
  earnerTreeProof: hex,
  earnerLeaf: z.strictObject({ earner: address, earnerTokenRoot: hex }),
  tokenIndices: z.array(whole),
  tokenTreeProofs: z.array(hex),
  tokenLeaves: z.array(z.strictObject({ token: address, cumulativeEarnings: amount })),
});

/** Everything that a distribution root stands for. */
export interface EarningsFile {
  readonly chainId: number;
  readonly rewardsCoordinator: Address;
  readonly root: Hex;
  readonly earnings: readonly CumulativeEarning[];
}

/** A file that holds neither earnings nor a claim. */
export class ClaimFileError extends MatchmakerError<'CLAIM_FILE_INVALID'> {
  constructor(what: string, problems: readonly string[]) {
    super('CLAIM_FILE_INVALID', `the file is no ${what}:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      metadata: { what, problems },
    });
  }
}

/** Earnings as JSON, amounts as decimal strings. */
export function formatEarnings(file: EarningsFile): string {
  return JSON.stringify(
    { format: EARNINGS_FORMAT, ...file },
    (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  );
}

/** Reads a file of earnings from parsed JSON. Throws ClaimFileError with all problems at once. */
export function parseEarnings(json: unknown): EarningsFile {
  const parsed = earningsSchema.safeParse(json);
  if (!parsed.success) throw new ClaimFileError('file of earnings', problemsOf(parsed.error));
  const { format: _, ...file } = parsed.data;
  return file;
}

/** Reads a claim with the fields of RewardsCoordinator.processClaim from parsed JSON. Throws ClaimFileError with all problems at once. */
export function parseClaim(json: unknown): RewardsClaim {
  const parsed = claimSchema.safeParse(json);
  if (!parsed.success) throw new ClaimFileError('claim', problemsOf(parsed.error));
  return parsed.data;
}

function problemsOf(error: z.ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`);
}
