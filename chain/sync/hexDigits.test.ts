import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { numberToHex } from 'viem';
import { LIMBS, limbsOf } from '../../protocol/words/wordLimbs.js';
import { isZeroOctet, layOutDigits, octetAt, readHexWord, WINDOW_WORDS, WORD_OCTETS } from './hexDigits.js';

const sparse = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_ffff })), { minLength: LIMBS, maxLength: LIMBS })
  .map((limbs) => limbs.reduce((word, limb) => (word << 32n) | BigInt(limb), 0n));
const anyWord = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), sparse);

test('a word is read whatever its digits and their case', () => {
  const limbs = new Uint32Array(LIMBS);
  fc.assert(
    fc.property(anyWord, (word) => {
      const hex = numberToHex(word, { size: 32 });
      readHexWord(hex, limbs);
      expect(limbs).toEqual(limbsOf(word));
      limbs.fill(0);
      readHexWord(`0X${hex.slice(2).toUpperCase()}`, limbs);
      expect(limbs).toEqual(limbsOf(word));
    }),
  );
});

test('every pair of digits writes its byte', () => {
  const limbs = new Uint32Array(LIMBS);
  for (let first = 0; first < 256; first += 32) {
    const bytes = Array.from({ length: 32 }, (_, index) => first + index);
    readHexWord(`0x${Buffer.from(bytes).toString('hex')}`, limbs);
    expect([...limbs]).toEqual(Array.from({ length: LIMBS }, (_, limb) => Buffer.from(bytes).readUInt32BE(4 * limb)));
  }
});

test('octets of the words laid out are those of the latest, and as many words as there is room for', () => {
  fc.assert(
    fc.property(fc.array(anyWord, { minLength: 1, maxLength: WINDOW_WORDS + 2 }), (words) => {
      layOutDigits(`0x${words.map((word) => numberToHex(word, { size: 32 }).slice(2)).join('')}`);
      for (const [index, word] of words.slice(0, WINDOW_WORDS).entries()) {
        for (const [limb, bits] of limbsOf(word).entries()) {
          expect(octetAt(index * WORD_OCTETS + limb)).toBe(bits);
          expect(isZeroOctet(index * WORD_OCTETS + limb)).toBe(bits === 0);
        }
      }
    }),
  );
});
