import { concat, keccak256, type Hex } from 'viem';

/** Tells leaves of operator tables from inner nodes. */
const TABLE_LEAF_SALT = '0x8e';

/** The leaf of an operator table in the global tree: keccak256(0x8e || table bytes). */
export function operatorTableLeaf(tableBytes: Hex): Hex {
  return keccak256(concat([TABLE_LEAF_SALT, tableBytes]));
}
