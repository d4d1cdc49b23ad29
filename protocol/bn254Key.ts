import { bn254 } from '@noble/curves/bn254.js';
import type { Hex } from 'viem';

import { MatchmakerError } from '../engine/error.js';
import { hashToG1 } from './bn254HashToG1.js';
import { BN254_ORDER, type G1Point, type G2Point } from './bn254Points.js';

/** A private key that is not a scalar of BN254's group. */
export class Bn254KeyInvalidError extends MatchmakerError<'BN254_KEY_INVALID'> {
  constructor() {
    super('BN254_KEY_INVALID', "a BN254 key must be between 1 and the order of the curve's group, less one");
  }
}

/** The public key, the scalar times each generator of the curve. Throws Bn254KeyInvalidError. */
export function bn254PublicKey(scalar: bigint): { readonly g1: G1Point; readonly g2: G2Point } {
  checkScalar(scalar);
  const g1 = bn254.G1.Point.BASE.multiply(scalar).toAffine();
  const g2 = bn254.G2.Point.BASE.multiply(scalar).toAffine();
  return { g1: { X: g1.x, Y: g1.y }, g2: { X: [g2.x.c1, g2.x.c0], Y: [g2.y.c1, g2.y.c0] } };
}

/** The signature of a 32-byte digest: the scalar times the digest's point. Throws Bn254KeyInvalidError. */
export function bn254Sign(scalar: bigint, digest: Hex): G1Point {
  checkScalar(scalar);
  const point = hashToG1(digest);
  const signature = bn254.G1.Point.fromAffine({ x: point.X, y: point.Y }).multiply(scalar).toAffine();
  return { X: signature.x, Y: signature.y };
}

function checkScalar(scalar: bigint): void {
  if (scalar < 1n || scalar >= BN254_ORDER) throw new Bn254KeyInvalidError();
}
