import { z } from 'zod';

const bps = z.int().min(1).max(10_000);
const seconds = z.int().min(1).max(0xffff_ffff);

const avsTermsSchema = z.strictObject({
  /** How long an operator table may be used after its block; at least EigenLayer's cadence. */
  maxStalenessSeconds: seconds,
  /** How long after its snapshot a batch can be proven wrong. */
  challengeWindowSeconds: seconds,
  /** What signing two batches of one round costs, of the stake that the operator has allocated to the set. */
  equivocationBps: bps,
  /** What signing a batch that breaks the rules costs, of the same. */
  wrongBatchBps: bps,
  /** Share of what was slashed that goes to whoever proved it. */
  challengerBps: bps,
  /** The most of it that goes to the wronged tenant, so that a quorum that wrongs a tenant of its own does not get it back. */
  victimBps: bps,
  /** How long after its proof an offence's victim can be named. */
  claimPeriodSeconds: seconds,
  /** Shares of the staked strategy, its own and its delegators', that an operator needs to join the set with. */
  minimumShares: z
    .string()
    .regex(/^\d+$/, 'must be a whole number of shares, as a string')
    .transform((text) => BigInt(text)),
});

/** Under which terms operators of the set lose stake: config/avs. */
export type AvsTerms = Readonly<z.infer<typeof avsTermsSchema>>;

/** Reads the terms from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parseAvsTerms(json: unknown): AvsTerms {
  return avsTermsSchema.parse(json);
}
