import { encodeAbiParameters, keccak256 } from 'viem';
import type { Hex } from 'viem';
import type { OperatorParticipation } from './eraInput.js';

const LIST = [
  {
    type: 'tuple[]',
    components: [
      { name: 'operator', type: 'address' },
      { name: 'batches', type: 'uint32' },
    ],
  },
] as const;

/** participationHash: keccak256(abi.encode((address operator, uint32 batches)[])), ascending by operator. */
export function participationHash(operators: readonly OperatorParticipation[]): Hex {
  const ascending = [...operators].sort((a, b) => (BigInt(a.operator) < BigInt(b.operator) ? -1 : 1));
  return keccak256(encodeAbiParameters(LIST, [ascending]));
}
