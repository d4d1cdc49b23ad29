import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { numberToHex } from 'viem';
import { Market } from '../../engine/market.js';
import { decodeMachineWord } from './machineWord.js';
import {
  decodeMachineLimbs,
  decodeOfferLimbs,
  decodeProviderLimbs,
  encodeMachineLimbs,
  encodeOfferLimbs,
  encodeProviderLimbs,
  machineBuffer,
  offerBuffer,
  providerBuffer,
  readMachine,
  readOffer,
  readProvider,
} from './marketWords.js';
import { decodeOfferWord } from './offerWord.js';
import { decodeProviderWord } from './providerWord.js';
import { hexNumber, hexOfLimbs, LIMBS, limbsOf, wordOfLimbs } from './wordLimbs.js';

const WORD = (1n << 256n) - 1n;
const DEVICES = (1n << 80n) - 1n;
const OFFER_BITS = (((1n << 32n) - 1n) << 224n) | (((1n << 138n) - 1n) << 32n);
/** Single bits, all bits and random ones: every border between two limbs is met. */
const anyWord = fc.oneof(
  fc.bigInt({ min: 0n, max: WORD }),
  fc.nat(255).map((bit) => 1n << BigInt(bit)),
  fc.nat(255).map((bit) => WORD ^ (1n << BigInt(bit))),
);
const machineWord = fc
  .tuple(anyWord, fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 8, maxLength: 8 }))
  .map(([word, devices]) =>
    devices.reduce((all, free, device) => all | (BigInt(free) << BigInt(10 * device)), word & ~DEVICES),
  );

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

test('a word goes through limbs and hex unchanged', () => {
  fc.assert(
    fc.property(anyWord, fc.nat(51), (word, at) => {
      const hex = numberToHex(word, { size: 32 }).slice(2);
      const limbs = limbsOf(word);
      expect(wordOfLimbs(limbs)).toBe(word);
      expect(hexOfLimbs(limbs)).toBe(hex);
      for (const cased of [hex, hex.toUpperCase()])
        expect(hexNumber(cased, at, 13)).toBe(Number.parseInt(hex.slice(at, at + 13), 16));
    }),
  );
});

test('a machine word decodes as by its layout, whatever its bits, and goes through the columns unchanged', () => {
  const market = new Market();
  const machine = machineBuffer();
  const limbs = new Uint32Array(LIMBS);
  fc.assert(
    fc.property(fc.oneof(anyWord, machineWord), fc.integer({ min: 1, max: 90 }), (word, id) => {
      const decoded = outcome(() => {
        decodeMachineLimbs(limbsOf(word), machine);
        return structuredClone(machine);
      });
      expect(decoded).toEqual(outcome(() => decodeMachineWord(word)));
      if (typeof decoded === 'string') return;
      market.setMachine(id, machine);
      const read = machineBuffer();
      readMachine(market, id, read);
      expect(read).toEqual(machine);
      encodeMachineLimbs(read, limbs);
      expect(wordOfLimbs(limbs)).toBe(word);
    }),
    { numRuns: 2_000 },
  );
});

test('an offer word decodes as by its layout, whatever its bits, and goes through the columns unchanged', () => {
  const market = new Market();
  const offer = offerBuffer();
  const limbs = new Uint32Array(LIMBS);
  const offerWord = anyWord.map((word) => word & OFFER_BITS);
  fc.assert(
    fc.property(fc.oneof(anyWord, offerWord), fc.integer({ min: 1, max: 90 }), fc.nat(3), (word, id, index) => {
      const decoded = outcome(() => {
        decodeOfferLimbs(limbsOf(word), offer);
        return structuredClone(offer);
      });
      expect(decoded).toEqual(outcome(() => decodeOfferWord(word)));
      if (typeof decoded === 'string') return;
      market.setOffer(id, index, offer);
      const read = { ...offerBuffer(), fromRound: offer.fromRound };
      readOffer(market, id, index, read);
      expect(read).toEqual(offer);
      encodeOfferLimbs(read, limbs);
      expect(wordOfLimbs(limbs)).toBe(word);
    }),
    { numRuns: 2_000 },
  );
});

test('a provider word decodes as by its layout, and goes through the columns unchanged', () => {
  const market = new Market();
  const provider = providerBuffer();
  const limbs = new Uint32Array(LIMBS);
  fc.assert(
    fc.property(anyWord, fc.integer({ min: 1, max: 90 }), (word, id) => {
      decodeProviderLimbs(limbsOf(word), provider);
      expect(provider).toEqual(decodeProviderWord(word));
      market.setProvider(id, provider);
      const read = providerBuffer();
      readProvider(market, id, read);
      expect(read).toEqual(provider);
      encodeProviderLimbs(read, limbs);
      expect(wordOfLimbs(limbs)).toBe(word);
    }),
    { numRuns: 2_000 },
  );
});
