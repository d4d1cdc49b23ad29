import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  amountByte,
  ENVELOPE,
  ENVELOPE_HALVES,
  FIRST_NODE,
  floatBelow,
  foldAttributes27,
  NODE_BYTES,
  NODE_HALVES,
  NodeTable,
} from './nodeTable.js';
import { foldAttributes } from './attributePlaces.js';

test('an amount that is not less has a byte that is not less', () => {
  const amount = fc.nat(2 ** 24 - 1);
  fc.assert(
    fc.property(amount, amount, (one, other) => {
      if (one <= other) expect(amountByte(one)).toBeLessThanOrEqual(amountByte(other));
    }),
  );
  expect(amountByte(2 ** 24 - 1)).toBeLessThan(256);
  expect(amountByte(4000)).toBeGreaterThan(amountByte(3000));
});

test('a 32-bit float is never above the price that it stands for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 36 - 1 }), (price) => {
      expect(floatBelow(price)).toBeLessThanOrEqual(price);
      expect(price - floatBelow(price)).toBeLessThanOrEqual(price / 2 ** 23);
    }),
  );
});

test("who has all of an order's attributes has all of their folds", () => {
  const bits = fc.nat(2 ** 27 - 1);
  fc.assert(
    fc.property(bits, bits, bits, bits, (low, high, someLow, someHigh) => {
      for (const fold of [foldAttributes, foldAttributes27]) {
        const asked = fold(low & someLow, high & someHigh);
        expect(fold(low, high) & asked).toBe(asked);
      }
    }),
  );
  expect(foldAttributes(0b1, 0) & foldAttributes(0b10, 0)).toBe(0);
  expect(foldAttributes27(0b1, 0) & foldAttributes27(0b10, 0)).toBe(0);
});

const nodeArbitrary = fc.array(fc.nat(3), { minLength: NODE_BYTES, maxLength: NODE_BYTES });

test('a node covers another if and only if it stays as it is when it absorbs it', () => {
  let covered = 0;
  fc.assert(
    fc.property(nodeArbitrary, nodeArbitrary, fc.boolean(), (one, other, isWide) => {
      const nodes = new NodeTable(FIRST_NODE + 1);
      nodes.bytes.set(one, 0);
      nodes.bytes.set(other, NODE_BYTES);
      if (isWide) nodes.absorb(0, 1);
      nodes.copy(2, 0);
      const covers = nodes.covers(0, 1);
      if (covers) covered++;
      expect(nodes.absorb(2, 1)).toBe(!covers);
      expect(nodes.covers(2, 1)).toBe(true);
    }),
  );
  expect(covered).toBeGreaterThan(0);
});

test('the envelope sum rises by what is foretold', () => {
  fc.assert(
    fc.property(nodeArbitrary, nodeArbitrary, (one, other) => {
      const nodes = new NodeTable(FIRST_NODE);
      nodes.bytes.set(one, 0);
      nodes.bytes.set(other, NODE_BYTES);
      const foretold = nodes.envelopeSum(0) + nodes.envelopeRise(0, 1);
      nodes.absorbEnvelope(0, 1);
      expect(nodes.envelopeSum(0)).toBe(foretold);
    }),
  );
  const nodes = new NodeTable(FIRST_NODE);
  nodes.halves.fill(9, NODE_HALVES + ENVELOPE, NODE_HALVES + ENVELOPE + ENVELOPE_HALVES);
  expect(nodes.envelopeRise(0, 1)).toBeGreaterThan(0);
});
