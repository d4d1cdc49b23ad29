import { encodeAbiParameters, keccak256 } from 'viem';
import type { Hex } from 'viem';
import type { Policy } from '../engine/policy.js';

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
    ],
  },
] as const;

/** policyHash: keccak256(abi.encode(policy)). */
export function hashPolicy(policy: Policy): Hex {
  return keccak256(encodeAbiParameters(policyAbiParameters, [{ ...policy, jitterRange: BigInt(policy.jitterRange) }]));
}
