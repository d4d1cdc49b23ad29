import { bn254 as noble } from '@noble/curves/bn254.js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { bytesToHex, concat, numberToHex, type Hex } from 'viem';

import { Bn254KeyInvalidError } from '../../protocol/bn254Key.js';
import { BN254_FIELD, BN254_ORDER, decodeG1, encodeG1, encodeG2 } from '../../protocol/bn254Points.js';
import type { Bn254 } from './bn254.js';
import { javascriptBn254 } from './bn254Javascript.js';
import { loadBn254, type LoadedBn254 } from './loadBn254.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 12, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((value) => bytesToHex(value));
const secret = fc.bigInt({ min: 1n, max: BN254_ORDER - 1n }).map((scalar): Hex => numberToHex(scalar, { size: 32 }));

const javascript = javascriptBn254();
let loaded: LoadedBn254;
let wasm: Bn254;
beforeAll(async () => {
  loaded = await loadBn254();
  wasm = loaded.curve;
});

test('mcl is what runs here', () => {
  expect(loaded.fallbackReason).toBeUndefined();
  expect(wasm.backend).toBe('wasm');
});

test('both derive and sign alike, and take what the other signed', () => {
  fc.assert(
    fc.property(secret, bytes32, bytes32, (scalar, digest, other) => {
      const key = wasm.publicKey(scalar);
      expect(javascript.publicKey(scalar)).toEqual(key);
      const signature = wasm.sign(digest, scalar);
      expect(javascript.sign(digest, scalar)).toBe(signature);
      for (const curve of [wasm, javascript]) {
        expect(curve.keysMatch(key)).toBe(true);
        expect(curve.verify(digest, [signature], [key.g2])).toBe(true);
        expect(curve.verify(other, [signature], [key.g2])).toBe(other === digest);
      }
    }),
    parameters,
  );
});

test.each(['wasm', 'javascript'])(
  '%s: many signatures are one check, and one wrong one among them shows',
  (backend) => {
    const curve = backend === 'wasm' ? wasm : javascript;
    const digest: Hex = `0x${'5a'.repeat(32)}`;
    const secrets = [1n, 2n, 3n, BN254_ORDER - 1n, 77n].map((scalar) => numberToHex(scalar, { size: 32 }));
    const keys = secrets.map((scalar) => wasm.publicKey(scalar));
    const signatures = secrets.map((scalar) => wasm.sign(digest, scalar));
    const g2s = keys.map(({ g2 }) => g2);
    expect(curve.verify(digest, signatures, g2s)).toBe(true);
    expect(curve.verify(digest, signatures, g2s.toReversed())).toBe(true);
    expect(curve.verify(digest, signatures.slice(1), g2s.slice(1))).toBe(true);
    expect(curve.verify(digest, signatures.slice(1), g2s)).toBe(false);
    expect(curve.verify(digest, signatures.slice(1), g2s.slice(0, -1))).toBe(false);
    expect(curve.verify(digest, [signatures[1]!, ...signatures.slice(1)], g2s)).toBe(false);
    expect(curve.verify(digest, [], [])).toBe(false);
    // Keys 1 and -1 cancel out: a sum at infinity says nothing.
    expect(curve.verify(digest, [signatures[0]!, signatures[3]!], [g2s[0]!, g2s[3]!])).toBe(false);
  },
);

describe('what is no signature or key', () => {
  const digest: Hex = `0x${'5a'.repeat(32)}`;
  const two = numberToHex(2, { size: 32 });
  const word = (value: bigint): Hex => numberToHex(value, { size: 32 });
  const key = javascript.publicKey(two);
  const signature = javascript.sign(digest, two);
  const shifted = concat([word(decodeG1(signature).X + BN254_FIELD), `0x${signature.slice(66)}`]);
  const exchanged: Hex = `0x${[1, 0, 3, 2].map((index) => key.g2.slice(2 + 64 * index, 66 + 64 * index)).join('')}`;

  test.each(['wasm', 'javascript'])('%s refuses', (backend) => {
    const curve = backend === 'wasm' ? wasm : javascript;
    expect(curve.verify(digest, [signature], [key.g2])).toBe(true);
    const wrong: Hex[] = [
      '0x',
      `0x${'00'.repeat(64)}`,
      `0x${'ff'.repeat(64)}`,
      `${signature}00`,
      concat([word(1n), word(3n)]),
      shifted,
      key.g1,
      encodeG1({ ...decodeG1(signature), Y: BN254_FIELD - decodeG1(signature).Y }),
    ];
    for (const bytes of wrong) expect(curve.verify(digest, [bytes], [key.g2])).toBe(false);
    for (const g2 of [exchanged, '0x', `0x${'00'.repeat(128)}`, `0x${'ff'.repeat(128)}`] as Hex[]) {
      expect(curve.verify(digest, [signature], [g2])).toBe(false);
      expect(curve.keysMatch({ g1: key.g1, g2 })).toBe(false);
    }
    expect(curve.keysMatch({ g1: signature, g2: key.g2 })).toBe(false);
    expect(curve.keysMatch({ g1: shifted, g2: key.g2 })).toBe(false);
    for (const scalar of [0n, BN254_ORDER]) {
      expect(() => curve.publicKey(word(scalar))).toThrow(Bn254KeyInvalidError);
      expect(() => curve.sign(digest, word(scalar))).toThrow(Bn254KeyInvalidError);
    }
  });

  test.each(['wasm', 'javascript'])("%s refuses a point of G2's curve that is outside the group", (backend) => {
    const curve = backend === 'wasm' ? wasm : javascript;
    const g2 = outsideOfG2();
    expect(curve.keysMatch({ g1: key.g1, g2 })).toBe(false);
  });
});

test('without mcl the other runs, and says why', async () => {
  const { curve, fallbackReason } = await loadBn254(() => Promise.reject(new Error('no wasm')));
  expect(curve.backend).toBe('javascript');
  expect(fallbackReason).toBe('no wasm');
});

test('a library that computes wrongly is not used', async () => {
  const lies: Bn254 = { ...javascript, backend: 'wasm', verify: () => true };
  const { curve, fallbackReason } = await loadBn254(() => Promise.resolve(lies));
  expect(curve.backend).toBe('javascript');
  expect(fallbackReason).toContain('pairs wrongly');
});

/** The curve of G2 has many more points than the group: nearly any x that has a y leads outside. */
function outsideOfG2(): Hex {
  const { Fp2 } = noble.fields;
  for (let real = 1n; ; real++) {
    const x = Fp2.create({ c0: real, c1: 0n });
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), noble.G2.Point.CURVE().b);
    let y;
    try {
      y = Fp2.sqrt(square);
    } catch {
      continue;
    }
    const point = noble.G2.Point.fromAffine({ x, y });
    if (!point.isTorsionFree()) return encodeG2({ X: [x.c1, x.c0], Y: [y.c1, y.c0] });
  }
}
