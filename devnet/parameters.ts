import { z } from 'zod';
import type { MarketParameters } from '../chain/deploy/deployMarket.js';
import type { Policy } from '../engine/policy.js';
import devnetNetwork from '../config/networks/devnet.json' with { type: 'json' };
import defaultPolicy from '../config/policies/default.json' with { type: 'json' };

const bps = z.int().min(0).max(10_000);
const uint32 = z.int().min(0).max(0xffff_ffff);

const policySchema = z.strictObject({
  rulesVersion: uint32,
  weightPriceBps: bps,
  weightStakeBps: bps,
  weightFitBps: bps,
  weightRegionBps: bps,
  weightUptimeBps: bps,
  weightReputationBps: bps,
  saturationWhole: uint32.min(1),
  complianceCapBps: z.int().min(10_000).max(65_535),
  jitterRange: z.int().min(0),
  defaultUptimeBps: bps,
  defaultReputationBps: bps,
  maxMatches: z.int().min(1).max(65_535),
  quorumBps: bps,
  minTotalStake: z
    .string()
    .regex(/^\d+$/, 'must be a whole number of weight units')
    .transform((text) => BigInt(text)),
  maxTableAgeSeconds: uint32,
  coolRounds: uint32,
  selfMatchRounds: uint32,
});

const networkSchema = z.strictObject({
  name: z.string().min(1),
  chainId: z.int().positive(),
  blockTimeMs: z.int().positive(),
  economicSecurity: z.boolean(),
  arbSys: z.boolean(),
  roundLengthBlocks: z.int().min(1).max(65_535),
  bidWindowBlocks: z.int().min(0),
  policy: z.literal('default'),
  autoApproveProviders: z.boolean(),
  stakeRequirement: z.strictObject({ wholePerDevice: uint32, wholePerCore: uint32, wholeMinimum: uint32 }),
});

/** The default match policy, config/policies/default.json. */
export function loadDefaultPolicy(): Policy {
  return policySchema.parse(defaultPolicy);
}

/** What a network file decides about a market, with its policy: config/networks/devnet.json. */
export function loadDevnetParameters(): Omit<
  MarketParameters,
  'stakingToken' | 'paymentTokens' | 'roles' | 'stakeSide'
> {
  const { policy: _, ...network } = networkSchema.parse(devnetNetwork);
  return { ...network, policy: loadDefaultPolicy() };
}
