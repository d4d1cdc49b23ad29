import { bn254 } from '@noble/curves/bn254.js';
import { describe, expect, test } from '@jest/globals';
import { concat, numberToHex, slice, type Hex } from 'viem';

import {
  BN254_FIELD,
  BN254_ORDER,
  decodeG1,
  decodeG2,
  encodeG1,
  encodeG2,
  PointInvalidError,
  sumG1,
  sumG2,
} from './bn254Points.js';

const word = (value: bigint): Hex => numberToHex(value, { size: 32 });
const generatorG1: Hex = concat([word(1n), word(2n)]);
/** As EIP-197 writes it: imaginary parts first. */
const generatorG2: Hex = concat([
  word(11559732032986387107991004021392285783925812861821192530917403151452391805634n),
  word(10857046999023057135944570762232829481370756359578518086990519993285655852781n),
  word(4082367875863433681332203403145435568316851327593401208105741076214120093531n),
  word(8495653923123431417604973247489272438418190587263600148770280649306958101930n),
]);

test('the orders are the curve library’s', () => {
  expect(BN254_FIELD).toBe(bn254.fields.Fp.ORDER);
  expect(BN254_ORDER).toBe(bn254.fields.Fr.ORDER);
});

test('points survive being written and read, and the generators are written as EIP-197 does', () => {
  expect(encodeG1(decodeG1(generatorG1))).toBe(generatorG1);
  expect(encodeG2(decodeG2(generatorG2))).toBe(generatorG2);
  const { x, y } = bn254.G2.Point.BASE.toAffine();
  expect(encodeG2({ X: [x.c1, x.c0], Y: [y.c1, y.c0] })).toBe(generatorG2);
});

describe('what is no point', () => {
  const shifted = (point: Hex): Hex => concat([word(BigInt(slice(point, 0, 32)) + BN254_FIELD), slice(point, 32)]);
  test.each<[string, () => unknown]>([
    ['of G1: another length', () => decodeG1(generatorG2)],
    ['of G1: no hex', () => decodeG1('0xzz')],
    ['of G1: infinity', () => decodeG1(`0x${'00'.repeat(64)}`)],
    ['of G1: off the curve', () => decodeG1(concat([word(1n), word(3n)]))],
    ['of G1: a coordinate not below the field order', () => decodeG1(shifted(generatorG1))],
    ['of G2: another length', () => decodeG2(generatorG1)],
    ['of G2: infinity', () => decodeG2(`0x${'00'.repeat(128)}`)],
    [
      'of G2: parts exchanged',
      () =>
        decodeG2(
          concat([
            slice(generatorG2, 32, 64),
            slice(generatorG2, 0, 32),
            slice(generatorG2, 96, 128),
            slice(generatorG2, 64, 96),
          ]),
        ),
    ],
    ['of G2: a coordinate not below the field order', () => decodeG2(shifted(generatorG2))],
    ['the sum of nothing in G1', () => sumG1([])],
    ['the sum of nothing in G2', () => sumG2([])],
    [
      'a sum that cancels out',
      () =>
        sumG1([
          { X: 1n, Y: 2n },
          { X: 1n, Y: BN254_FIELD - 2n },
        ]),
    ],
  ])('%s', (_name, read) => {
    expect(read).toThrow(PointInvalidError);
  });
});

test('sums are those of the scalars, also of equal points', () => {
  const g1 = decodeG1(generatorG1);
  const g2 = decodeG2(generatorG2);
  const three = bn254.G1.Point.BASE.multiply(3n).toAffine();
  expect(sumG1([g1, g1, g1])).toEqual({ X: three.x, Y: three.y });
  const two = bn254.G2.Point.BASE.multiply(2n).toAffine();
  expect(sumG2([g2, g2])).toEqual({ X: [two.x.c1, two.x.c0], Y: [two.y.c1, two.y.c0] });
  expect(sumG1([g1])).toEqual(g1);
});
