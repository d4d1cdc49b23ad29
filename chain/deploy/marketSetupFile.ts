import { zeroAddress } from 'viem';
import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';
import { addressSchema } from '../addressSchema.js';

const account = addressSchema.refine((address) => address !== zeroAddress, 'must not be the zero address');
const noAddress = z.null().transform(() => zeroAddress);

const marketSetupSchema = z.strictObject({
  /** The set whose operators sign: the AVS's account on the stake chain, and the id that `deploy stake` will make. */
  operatorSet: z.strictObject({ avs: account, id: z.int().min(0).max(0xffff_ffff) }),
  quorum: z
    .strictObject({
      curve: z.enum(['ecdsa', 'bn254']),
      checkedBy: z.enum(['eigenlayer', 'table']).default('table'),
      /** Where tables arrive on a chain that EigenLayer does not serve. */
      receiver: account.optional(),
    })
    .transform(({ receiver, ...quorum }) => ({ ...quorum, ...(receiver === undefined ? {} : { receiver }) })),
  stakingToken: account,
  rewardToken: account,
  paymentTokens: z
    .array(
      z.strictObject({
        address: account,
        minimumDeposit: z
          .string()
          .regex(/^[1-9]\d*$/, "must be a whole number of the token's smallest unit, from 1 on, as a string")
          .transform((text) => BigInt(text)),
      }),
    )
    .min(1, 'must name one token at least'),
  feeds: z.strictObject({
    rewardToken: account,
    native: account,
    /** null where the chain has no sequencer whose uptime is fed. */
    sequencer: z.union([account, noAddress]),
  }),
  roles: z.strictObject({
    governor: account,
    providerVerifier: account,
    scoreOracle: account,
    complianceOfficer: account,
    providerApprover: account,
    council: z.array(account),
    slasher: account,
    parameters: account,
    upgrader: account,
    guardian: account,
    rewardPoster: account,
    rewardGuardian: account,
  }),
  treasury: account,
  foundation: account,
  /** Start of era 0, seconds since 1970; default: the block before the deployment. */
  eraZero: z.int().min(0).max(0xff_ffff_ffff).optional(),
});

/** Whose a market is and what it trades in: what `deploy market` asks for besides a network. */
export type MarketSetup = Readonly<z.infer<typeof marketSetupSchema>>;

/** A setup that a market cannot be deployed with; `metadata.problems` lists every one with its path. */
export class MarketSetupInvalidError extends MatchmakerError<'MARKET_SETUP_INVALID'> {
  constructor(problems: readonly string[]) {
    super('MARKET_SETUP_INVALID', `no market can have this setup:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      metadata: { problems },
    });
  }
}

/**
 * Reads a market's setup from parsed JSON. Unknown keys are refused.
 * Throws MarketSetupInvalidError with all problems at once.
 */
export function parseMarketSetup(json: unknown): MarketSetup {
  const result = marketSetupSchema.safeParse(json);
  if (result.success) return result.data;
  throw new MarketSetupInvalidError(
    result.error.issues.map(
      ({ path, message }) =>
        `${path.join('.') || '(root)'}: ${message.endsWith('received undefined') ? 'is missing' : message}`,
    ),
  );
}
