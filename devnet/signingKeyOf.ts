import { hexToBigInt, numberToHex, type Hex } from 'viem';
import { BN254_ORDER } from '../protocol/bn254Points.js';
import type { Curve } from '../protocol/operatorTable.js';

/** The key on a curve that a devnet account signs matches with: its own private key, for BN254 brought below the order of the group. */
export function signingKeyOf(curve: Curve, privateKey: Hex): Hex {
  return curve === 'ecdsa' ? privateKey : numberToHex(hexToBigInt(privateKey) % BN254_ORDER, { size: 32 });
}
