import { encodeAbiParameters, keccak256, slice } from 'viem';
import type { Hex } from 'viem';
import type { Policy } from '../engine/policy.js';
import { policyAbiParameters, policyStructOf } from './policyStruct.js';

/** Version 1 of the rules knows the first 18 words of the struct. */
const FIRST_VERSION_BYTES = 18 * 32;

/** The bytes that a policy's hash covers: the ABI encoding of its struct, in version 1 of the rules of its first 18 words. */
export function encodePolicy(policy: Policy): Hex {
  const encoded = encodeAbiParameters(policyAbiParameters, [policyStructOf(policy)]);
  return policy.rulesVersion === 1 ? slice(encoded, 0, FIRST_VERSION_BYTES) : encoded;
}

/** policyHash: keccak256 of `encodePolicy`. */
export function hashPolicy(policy: Policy): Hex {
  return keccak256(encodePolicy(policy));
}
