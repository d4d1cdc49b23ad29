import { concat, encodeAbiParameters, keccak256, zeroHash } from 'viem';
import type { Hex } from 'viem';
import { decodeG1 } from './bn254Points.js';
import { merkleProof, merkleRoot } from './eigenMerkleTree.js';
import type { TableEntry } from './operatorTable.js';

/** Tells the leaf of an operator from inner nodes of the tree and from leaves of other trees. */
const OPERATOR_INFO_LEAF_SALT = '0x75';

/** ABI of EigenLayer's BN254OperatorInfo. */
export const operatorInfoParameter = {
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
} as const;

/** Leaf of one BN254 operator: keccak256(0x75 || abi.encode(BN254OperatorInfo)). Throws PointInvalidError. */
export function operatorInfoLeaf({ key, weight }: TableEntry): Hex {
  const info = encodeAbiParameters([operatorInfoParameter], [{ pubkey: decodeG1(key), weights: [weight] }]);
  return keccak256(concat([OPERATOR_INFO_LEAF_SALT, info]));
}

/** Root of EigenLayer's tree over a BN254 table; zero for a table without operators. Throws PointInvalidError. */
export function operatorInfoRoot(entries: readonly TableEntry[]): Hex {
  return entries.length === 0 ? zeroHash : merkleRoot(entries.map(operatorInfoLeaf));
}

/** Proof of the entry at `index`: its siblings, bottom up, 32 bytes each. Throws RangeError and PointInvalidError. */
export function operatorInfoProof(entries: readonly TableEntry[], index: number): Hex {
  return merkleProof(entries.map(operatorInfoLeaf), index);
}
