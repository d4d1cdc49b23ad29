import { describe, expect, test } from '@jest/globals';
import { keccak256, stringToHex } from 'viem';
import { bn254 } from '@noble/curves/bn254.js';

import { hashToG1 } from './bn254HashToG1.js';
import { Bn254KeyInvalidError, bn254PublicKey, bn254Sign } from './bn254Key.js';

const KEY = 17682882145435770458057148458594738389122564204888644359150796663971919590951n;
const ORDER = bn254.fields.Fr.ORDER;

describe('the public key', () => {
  test('of 1 is the generators, imaginary parts first', () => {
    expect(bn254PublicKey(1n)).toEqual({
      g1: { X: 1n, Y: 2n },
      g2: {
        X: [
          11559732032986387107991004021392285783925812861821192530917403151452391805634n,
          10857046999023057135944570762232829481370756359578518086990519993285655852781n,
        ],
        Y: [
          4082367875863433681332203403145435568316851327593401208105741076214120093531n,
          8495653923123431417604973247489272438418190587263600148770280649306958101930n,
        ],
      },
    });
  });

  test.each([0n, -1n, ORDER])('refuses %p', (key) => {
    expect(() => bn254PublicKey(key)).toThrow(Bn254KeyInvalidError);
    expect(() => bn254Sign(key, keccak256('0x'))).toThrow(Bn254KeyInvalidError);
  });
});

test('a signature pairs with its key and with no other digest', () => {
  const digest = keccak256(stringToHex('a root'));
  const g1 = (point: { X: bigint; Y: bigint }) => bn254.G1.Point.fromAffine({ x: point.X, y: point.Y });
  const { g2 } = bn254PublicKey(KEY);
  const apk = bn254.G2.Point.fromAffine({
    x: { c0: g2.X[1], c1: g2.X[0] },
    y: { c0: g2.Y[1], c1: g2.Y[0] },
  });
  const left = bn254.pairing(g1(bn254Sign(KEY, digest)), bn254.G2.Point.BASE);
  const { Fp12 } = bn254.fields;
  expect(Fp12.eql(left, bn254.pairing(g1(hashToG1(digest)), apk))).toBe(true);
  expect(Fp12.eql(left, bn254.pairing(g1(hashToG1(keccak256(digest))), apk))).toBe(false);
});
