import { z } from 'zod';
import type { PackingTerms, Policy } from '../../engine/policy.js';
import type { EconomyParameters, MarketParameters } from './marketParameters.js';

const bps = z.int().min(0).max(10_000);
const uint16 = z.int().min(0).max(0xffff);
const uint32 = z.int().min(0).max(0xffff_ffff);

const milli = z.int().min(1).max(1000);
const packingSchema = z.strictObject({
  fromMilli: z.array(milli).max(16),
  value: z.array(milli).max(16),
  deviceWeight: z.int().min(0).max(64),
  cpuWeight: z.int().min(0).max(64),
  memoryWeight: z.int().min(0).max(16),
  cpuRate: z.int().min(0).max(16_384),
  memoryRate: z.int().min(0).max(4_096),
  models: z.array(z.int().min(1).max(1023)).max(32),
  modelFactor: z.array(z.int().min(1).max(1024)).max(32),
});

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
  weightPackingBps: bps.default(0),
  packing: packingSchema.nullable().default(null),
});

const microUsd = z.int().min(1);
const wholeTokens = z.int().min(0);
const sevenTiers = z.tuple([bps, bps, bps, bps, bps, bps, bps]);
const sevenMultipliers = z.tuple([uint16, uint16, uint16, uint16, uint16, uint16, uint16]);

const economySchema = z.strictObject({
  admission: z.strictObject({ autoApproval: z.boolean(), councilQuorum: uint16 }),
  stake: z.strictObject({
    wholePerDevice: uint32,
    wholePerCore: uint32,
    wholeMinimumPerMachine: uint32,
    wholeMinimumPerProvider: uint32,
    unbondingSeconds: uint32,
    maxCommissionBps: bps,
    maxMisconductBps: bps,
    maxDowntimeBps: bps,
    downtimeCooldownSeconds: uint32,
  }),
  auditorBond: z.strictObject({ minimumWhole: wholeTokens, bondSeconds: uint32 }),
  fees: z.strictObject({
    userFeeBps: z.int().min(0).max(1_000),
    providerFeeBps: z.int().min(0).max(1_000),
    foundationFeeBps: z.int().min(0).max(5_000),
    nativeTokenId: uint16,
  }),
  bids: z.strictObject({
    maxBidsPerOrder: z.int().min(0).max(200),
    maxBidsPerProvider: z.int().min(1).max(10_000),
    bondMicro: z.int().min(0).max(0xff_ffff_ffff),
  }),
  leases: z.strictObject({
    readySeconds: uint32,
    manifestSeconds: uint32,
    confirmSeconds: uint32,
    minimumChargeSeconds: uint32,
  }),
  rewards: z.strictObject({
    eraSeconds: uint32.min(1),
    gpuPointsMilli: uint32,
    cpuPointsMilli: uint32,
    tierMultiplierBps: sevenMultipliers,
    slashLineBps: sevenTiers,
    complianceCapBps: z.int().min(10_000).max(20_000),
    cooldownSeconds: uint32,
    pointMicroUsd: z.int().min(0),
    operatorPoolMicroUsd: z.int().min(0),
    maxRefundGasPriceWei: z.int().min(0),
    maxRefundGas: uint32,
    maxPerEraWhole: wholeTokens,
    activationSeconds: uint32,
    contestBondWhole: wholeTokens,
  }),
  feeds: z.strictObject({
    rewardHeartbeatSeconds: uint32.min(1),
    nativeHeartbeatSeconds: uint32.min(1),
    sequencerGraceSeconds: uint32,
    rewardMinMicroUsd: microUsd,
    rewardMaxMicroUsd: microUsd,
    nativeMinMicroUsd: microUsd,
    nativeMaxMicroUsd: microUsd,
  }),
  delays: z.strictObject({ governorSeconds: uint32, parametersSeconds: uint32, upgraderSeconds: uint32 }),
});

const resourcesSchema = z.array(
  z.strictObject({ category: z.enum(['cpu', 'gpu']), name: z.string().min(1), multiplierBps: uint32 }),
);

const versionedPolicySchema = policySchema.superRefine(({ rulesVersion, weightPackingBps, packing }, context) => {
  const problem = (field: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [field], message });
  if (rulesVersion === 1) {
    if (packing !== null) problem('packing', 'must be left out, as version 1 of the rules has no packing terms');
    if (weightPackingBps !== 0) problem('weightPackingBps', 'must be 0 or left out in version 1 of the rules');
  } else if (packing === null) problem('packing', 'must be given from version 2 of the rules on');
});

/**
 * Reads a match policy from parsed JSON; `weightPackingBps` and `packing` are left out in version 1 of the rules.
 * Throws ZodError that names every field that is wrong.
 */
export function parsePolicy(json: unknown): Policy {
  return versionedPolicySchema.parse(json);
}

/** Reads packing terms from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parsePacking(json: unknown): PackingTerms {
  return packingSchema.parse(json);
}

/** Reads the numbers of an economy from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parseEconomy(json: unknown): EconomyParameters {
  return economySchema.parse(json);
}

/** Reads the resource table from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parseResources(json: unknown): MarketParameters['resources'] {
  return resourcesSchema.parse(json);
}
