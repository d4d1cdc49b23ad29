import { encodeAbiParameters, keccak256 } from 'viem';
import type { Hex } from 'viem';
import type { PackingTerms } from '../engine/policy.js';

/** ABI of the `PackingTerms` struct, one tuple. */
export const packingAbiParameters = [
  {
    type: 'tuple',
    components: [
      { name: 'fromMilli', type: 'uint16[]' },
      { name: 'value', type: 'uint16[]' },
      { name: 'deviceWeight', type: 'uint16' },
      { name: 'cpuWeight', type: 'uint16' },
      { name: 'memoryWeight', type: 'uint16' },
      { name: 'cpuRate', type: 'uint32' },
      { name: 'memoryRate', type: 'uint32' },
      { name: 'models', type: 'uint16[]' },
      { name: 'modelFactor', type: 'uint16[]' },
    ],
  },
] as const;

/** What contracts take beside a policy that has no packing terms. */
export const NO_PACKING: PackingTerms = {
  fromMilli: [],
  value: [],
  deviceWeight: 0,
  cpuWeight: 0,
  memoryWeight: 0,
  cpuRate: 0,
  memoryRate: 0,
  models: [],
  modelFactor: [],
};

/** packingHash: keccak256(abi.encode(terms)). */
export function hashPacking(terms: PackingTerms): Hex {
  return keccak256(encodeAbiParameters(packingAbiParameters, [terms]));
}
