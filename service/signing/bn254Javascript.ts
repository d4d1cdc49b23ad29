import { bn254 } from '@noble/curves/bn254.js';

import { hashToG1 } from '../../protocol/bn254HashToG1.js';
import { bn254PublicKey, bn254Sign } from '../../protocol/bn254Key.js';
import {
  decodeG1,
  decodeG2,
  encodeG1,
  encodeG2,
  PointInvalidError,
  sumG1,
  sumG2,
  type G1Point,
  type G2Point,
} from '../../protocol/bn254Points.js';
import type { Bn254 } from './bn254.js';

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;

/** BN254 in JavaScript (noble). */
export function javascriptBn254(): Bn254 {
  return {
    backend: 'javascript',
    publicKey(secret) {
      const { g1, g2 } = bn254PublicKey(BigInt(secret));
      return { g1: encodeG1(g1), g2: encodeG2(g2) };
    },
    sign: (digest, secret) => encodeG1(bn254Sign(BigInt(secret), digest)),
    keysMatch: ({ g1, g2 }) =>
      unlessInvalid(() => {
        const key = nobleG2(decodeG2(g2));
        return key.isTorsionFree() && pairsEqual(nobleG1(decodeG1(g1)), G2.BASE, G1.BASE, key);
      }),
    verify: (digest, signatures, g2Keys) =>
      signatures.length === g2Keys.length &&
      unlessInvalid(() =>
        pairsEqual(
          nobleG1(sumG1(signatures.map(decodeG1))),
          G2.BASE,
          nobleG1(hashToG1(digest)),
          nobleG2(sumG2(g2Keys.map(decodeG2))),
        ),
      ),
  };
}

type PointG1 = ReturnType<typeof G1.fromAffine>;
type PointG2 = ReturnType<typeof G2.fromAffine>;

/** Whether e(a1, a2) is e(b1, b2). */
function pairsEqual(a1: PointG1, a2: PointG2, b1: PointG1, b2: PointG2): boolean {
  const { Fp12 } = bn254.fields;
  const product = bn254.pairingBatch([
    { g1: a1.negate(), g2: a2 },
    { g1: b1, g2: b2 },
  ]);
  return Fp12.eql(product, Fp12.ONE);
}

function unlessInvalid(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    if (error instanceof PointInvalidError) return false;
    throw error;
  }
}

function nobleG1({ X, Y }: G1Point): PointG1 {
  return G1.fromAffine({ x: X, y: Y });
}

function nobleG2({ X, Y }: G2Point): PointG2 {
  return G2.fromAffine({ x: { c0: X[1], c1: X[0] }, y: { c0: Y[1], c1: Y[0] } });
}
