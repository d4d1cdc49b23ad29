import { concat, encodeAbiParameters, keccak256, type Hex } from 'viem';
import { bn254PublicKey } from '../../protocol/bn254Key.js';
import type { G1Point } from '../../protocol/bn254Points.js';

/** What a certificate verifier must know about a generator of one key. */
export interface GeneratorInfo {
  readonly operatorInfoTreeRoot: Hex;
  readonly numOperators: bigint;
  readonly aggregatePubkey: G1Point;
  readonly totalWeights: readonly [bigint];
}

/** Tells the leaf of an operator from inner nodes of the tree and from leaves of other trees. */
const OPERATOR_INFO_LEAF_SALT = '0x75';
const operatorInfoAbi = [
  {
    type: 'tuple',
    components: [
      {
        name: 'pubkey',
        type: 'tuple',
        components: [
          { name: 'X', type: 'uint256' },
          { name: 'Y', type: 'uint256' },
        ],
      },
      { name: 'weights', type: 'uint256[]' },
    ],
  },
] as const;

/**
 * The operator table of a generator of one key with weight 1.
 * Throws Bn254KeyInvalidError.
 */
export function generatorInfo(key: bigint): GeneratorInfo {
  const { g1 } = bn254PublicKey(key);
  const leaf = encodeAbiParameters(operatorInfoAbi, [{ pubkey: g1, weights: [1n] }]);
  return {
    operatorInfoTreeRoot: keccak256(concat([OPERATOR_INFO_LEAF_SALT, leaf])),
    numOperators: 1n,
    aggregatePubkey: g1,
    totalWeights: [1n],
  };
}
