import { bn254 } from '@noble/curves/bn254.js';
import { concat, isHex, numberToHex, size, slice, type Hex } from 'viem';

import { MatchmakerError } from '../engine/error.js';

/** A point of G1 as EigenLayer's structs hold it. */
export interface G1Point {
  readonly X: bigint;
  readonly Y: bigint;
}

/** A point of G2 as EigenLayer's structs hold it: each coordinate is [imaginary, real]. */
export interface G2Point {
  readonly X: readonly [bigint, bigint];
  readonly Y: readonly [bigint, bigint];
}

/** Bytes that are no point of BN254, or the point at infinity, which no key or signature may be. */
export class PointInvalidError extends MatchmakerError<'POINT_INVALID'> {
  constructor(group: 'G1' | 'G2', problem: string) {
    super('POINT_INVALID', `not a point of BN254's ${group}: ${problem}`, { metadata: { group, problem } });
  }
}

/** Order of BN254's base field. */
export const BN254_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** Order of BN254's groups; keys are between 1 and this, less one. */
export const BN254_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const G1_BYTES = 64;
const G2_BYTES = 128;

/** X and Y, 32 bytes each. */
export function encodeG1({ X, Y }: G1Point): Hex {
  return concat([X, Y].map((coordinate) => numberToHex(coordinate, { size: 32 })));
}

/** X imaginary, X real, Y imaginary, Y real, 32 bytes each. */
export function encodeG2({ X, Y }: G2Point): Hex {
  return concat([...X, ...Y].map((coordinate) => numberToHex(coordinate, { size: 32 })));
}

/** The point of G1 in 64 bytes; the curve's cofactor is 1, so that lying on it is all there is to check. Throws PointInvalidError. */
export function decodeG1(bytes: Hex): G1Point {
  const [X, Y] = coordinatesOf('G1', bytes, G1_BYTES) as [bigint, bigint];
  if ((Y * Y - X * X * X - 3n) % BN254_FIELD !== 0n) throw new PointInvalidError('G1', 'it is not on the curve');
  return { X, Y };
}

/**
 * The point in 128 bytes, on the curve of G2; whether it is in the group of prime order costs a multiplication and is not
 * checked here. Throws PointInvalidError.
 */
export function decodeG2(bytes: Hex): G2Point {
  const [xImaginary, xReal, yImaginary, yReal] = coordinatesOf('G2', bytes, G2_BYTES) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const point: G2Point = { X: [xImaginary, xReal], Y: [yImaginary, yReal] };
  const { x, y } = affineG2(point);
  const { Fp2 } = bn254.fields;
  if (!Fp2.eql(Fp2.sqr(y), Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b))) {
    throw new PointInvalidError('G2', 'it is not on the curve');
  }
  return point;
}

/** Sum of points of G1. Throws PointInvalidError when it is the point at infinity, as that of no points is. */
export function sumG1(points: readonly G1Point[]): G1Point {
  let sum = bn254.G1.Point.ZERO;
  for (const { X, Y } of points) sum = sum.add(bn254.G1.Point.fromAffine({ x: X, y: Y }));
  if (sum.is0()) throw new PointInvalidError('G1', 'it is the point at infinity');
  const { x, y } = sum.toAffine();
  return { X: x, Y: y };
}

/** Sum of points of G2. Throws PointInvalidError when it is the point at infinity, as that of no points is. */
export function sumG2(points: readonly G2Point[]): G2Point {
  let sum = bn254.G2.Point.ZERO;
  for (const point of points) sum = sum.add(bn254.G2.Point.fromAffine(affineG2(point)));
  if (sum.is0()) throw new PointInvalidError('G2', 'it is the point at infinity');
  const { x, y } = sum.toAffine();
  return { X: [x.c1, x.c0], Y: [y.c1, y.c0] };
}

type Fp2Element = ReturnType<typeof bn254.fields.Fp2.create>;

function affineG2({ X, Y }: G2Point): { x: Fp2Element; y: Fp2Element } {
  return { x: { c0: X[1], c1: X[0] }, y: { c0: Y[1], c1: Y[0] } };
}

function coordinatesOf(group: 'G1' | 'G2', bytes: Hex, length: number): bigint[] {
  if (!isHex(bytes) || size(bytes) !== length) throw new PointInvalidError(group, `it is not ${length} bytes of hex`);
  const coordinates: bigint[] = [];
  for (let start = 0; start < length; start += 32) coordinates.push(BigInt(slice(bytes, start, start + 32)));
  if (coordinates.some((coordinate) => coordinate >= BN254_FIELD)) {
    throw new PointInvalidError(group, "a coordinate is not below the field's order");
  }
  if (coordinates.every((coordinate) => coordinate === 0n)) {
    throw new PointInvalidError(group, 'it is the point at infinity');
  }
  return coordinates;
}
