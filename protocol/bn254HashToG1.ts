import type { Hex } from 'viem';

import { BN254_FIELD, type G1Point } from './bn254Points.js';

const ROOT_EXPONENT = (BN254_FIELD + 1n) / 4n;

/** EigenLayer's hash to the curve: the first x from digest mod p on for which y^2 = x^3 + 3 has a root, with y = (x^3 + 3)^((p + 1) / 4). */
export function hashToG1(digest: Hex): G1Point {
  for (let X = BigInt(digest) % BN254_FIELD; ; X = (X + 1n) % BN254_FIELD) {
    const square = (X * X * X + 3n) % BN254_FIELD;
    const Y = power(square, ROOT_EXPONENT);
    if ((Y * Y) % BN254_FIELD === square) return { X, Y };
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % BN254_FIELD;
    factor = (factor * factor) % BN254_FIELD;
  }
  return result;
}
