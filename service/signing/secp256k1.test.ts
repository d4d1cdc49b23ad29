import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { bytesToHex, concat, recoverAddress, slice, type Hex } from 'viem';
import { sign } from 'viem/accounts';

import { javascriptSecp256k1, loadSecp256k1 } from './secp256k1.js';

// fast-check prints seed and path of a failing run; set FC_SEED to run the same cases again.
const parameters = { numRuns: 60, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) };
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => bytesToHex(value));
const privateKey = bytes(32).filter((key) => {
  const scalar = BigInt(key);
  return scalar > 0n && scalar < 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
});
const digest = bytes(32);

const loaded = loadSecp256k1();
const javascript = javascriptSecp256k1();

test('the native binding is what runs here', () => {
  expect(loaded.fallbackReason).toBeUndefined();
  expect(loaded.curve.backend).toBe('native');
});

test('both sign alike, as viem does, and recover each other', async () => {
  await fc.assert(
    fc.asyncProperty(privateKey, digest, async (key, hash) => {
      const signature = loaded.curve.sign(hash, key);
      expect(javascript.sign(hash, key)).toBe(signature);
      expect(await sign({ hash, privateKey: key, to: 'hex' })).toBe(signature);
      const address = loaded.curve.addressOf(key);
      expect(javascript.addressOf(key)).toBe(address);
      expect(loaded.curve.recover(hash, signature)).toBe(address);
      expect(javascript.recover(hash, signature)).toBe(address);
      expect(await recoverAddress({ hash, signature })).toBe(address);
    }),
    { ...parameters, numRuns: 20 },
  );
});

test('of whatever else is posted both recover the same, mostly nothing', () => {
  const v = fc.constantFrom<Hex>('0x1b', '0x1c');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(bytes(32), bytes(32), v).map((parts) => concat(parts)),
        fc
          .tuple(fc.constantFrom<Hex>(`0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`), bytes(32), v)
          .map((parts) => concat(parts)),
        fc
          .tuple(bytes(32), fc.constantFrom<Hex>(`0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`), v)
          .map((parts) => concat(parts)),
        bytes(65),
        bytes(64),
      ),
      digest,
      (signature, hash) => {
        expect(loaded.curve.recover(hash, signature)).toBe(javascript.recover(hash, signature));
      },
    ),
    parameters,
  );
});

test.each<Hex>(['0x00', '0x01', '0x1d'])('a v of %s recovers nothing', (v) => {
  const hash: Hex = `0x${'01'.repeat(32)}`;
  const signature = concat([slice(loaded.curve.sign(hash, hash), 0, 64), v]);
  expect(loaded.curve.recover(hash, signature)).toBeUndefined();
  expect(javascript.recover(hash, signature)).toBeUndefined();
});

test('without the binding the other runs, and says why', () => {
  const { curve, fallbackReason } = loadSecp256k1(() => {
    throw new Error('No native build was found');
  });
  expect(curve.backend).toBe('javascript');
  expect(fallbackReason).toBe('No native build was found');
});

test('a binding that computes wrongly is not used', () => {
  const wrong = {
    publicKeyCreate: () => new Uint8Array(65).fill(4),
    ecdsaSign: () => ({ signature: new Uint8Array(64), recid: 0 }),
    ecdsaRecover: () => new Uint8Array(65),
  };
  const { curve, fallbackReason } = loadSecp256k1(() => wrong);
  expect(curve.backend).toBe('javascript');
  expect(fallbackReason).toContain('wrong address');
});
