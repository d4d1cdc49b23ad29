import { z } from 'zod';
import type { Policy } from '../../engine/policy.js';
import type { EconomyParameters, MarketParameters } from './marketParameters.js';

const bps = z.int().min(0).max(10_000);
const uint16 = z.int().min(0).max(0xffff);
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

/** Reads a match policy from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parsePolicy(json: unknown): Policy {
  return policySchema.parse(json);
}

/** Reads the numbers of an economy from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parseEconomy(json: unknown): EconomyParameters {
  return economySchema.parse(json);
}

/** Reads the resource table from parsed JSON. Throws ZodError that names every field that is wrong. */
export function parseResources(json: unknown): MarketParameters['resources'] {
  return resourcesSchema.parse(json);
}
