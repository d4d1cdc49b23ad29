import type { Hex } from 'viem';
import { zeroHash } from 'viem';
import type { PackingTerms, Policy } from '../engine/policy.js';
import { hashPacking } from './packingHash.js';

/** ABI of the `Policy` struct, one tuple. */
export const policyAbiParameters = [
  {
    type: 'tuple',
    components: [
      { name: 'rulesVersion', type: 'uint32' },
      { name: 'weightPriceBps', type: 'uint16' },
      { name: 'weightStakeBps', type: 'uint16' },
      { name: 'weightFitBps', type: 'uint16' },
      { name: 'weightRegionBps', type: 'uint16' },
      { name: 'weightUptimeBps', type: 'uint16' },
      { name: 'weightReputationBps', type: 'uint16' },
      { name: 'saturationWhole', type: 'uint32' },
      { name: 'complianceCapBps', type: 'uint16' },
      { name: 'jitterRange', type: 'uint64' },
      { name: 'defaultUptimeBps', type: 'uint16' },
      { name: 'defaultReputationBps', type: 'uint16' },
      { name: 'maxMatches', type: 'uint16' },
      { name: 'quorumBps', type: 'uint16' },
      { name: 'minTotalStake', type: 'uint96' },
      { name: 'maxTableAgeSeconds', type: 'uint32' },
      { name: 'coolRounds', type: 'uint32' },
      { name: 'selfMatchRounds', type: 'uint32' },
      { name: 'weightPackingBps', type: 'uint16' },
      { name: 'packingHash', type: 'bytes32' },
    ],
  },
] as const;

/** The `Policy` struct as contracts take and give it. */
export interface PolicyStruct extends Omit<Policy, 'jitterRange' | 'packing'> {
  readonly jitterRange: bigint;
  readonly packingHash: Hex;
}

/** A policy as contracts take it. */
export function policyStructOf(policy: Policy): PolicyStruct {
  const { packing, ...numbers } = policy;
  return {
    ...numbers,
    jitterRange: BigInt(policy.jitterRange),
    packingHash: packing === null ? zeroHash : hashPacking(packing),
  };
}

/** A policy from what MatchPolicy tells of it. That the struct's `packingHash` is that of the terms shows by the policy's hash. */
export function policyFrom(struct: PolicyStruct, packing: PackingTerms): Policy {
  // The hash of version 1 does not cover what version 2 added.
  const hasPacking = struct.rulesVersion !== 1;
  return {
    rulesVersion: struct.rulesVersion,
    weightPriceBps: struct.weightPriceBps,
    weightStakeBps: struct.weightStakeBps,
    weightFitBps: struct.weightFitBps,
    weightRegionBps: struct.weightRegionBps,
    weightUptimeBps: struct.weightUptimeBps,
    weightReputationBps: struct.weightReputationBps,
    saturationWhole: struct.saturationWhole,
    complianceCapBps: struct.complianceCapBps,
    jitterRange: Number(struct.jitterRange),
    defaultUptimeBps: struct.defaultUptimeBps,
    defaultReputationBps: struct.defaultReputationBps,
    maxMatches: struct.maxMatches,
    quorumBps: struct.quorumBps,
    minTotalStake: struct.minTotalStake,
    maxTableAgeSeconds: struct.maxTableAgeSeconds,
    coolRounds: struct.coolRounds,
    selfMatchRounds: struct.selfMatchRounds,
    weightPackingBps: hasPacking ? struct.weightPackingBps : 0,
    packing: hasPacking ? packing : null,
  };
}
