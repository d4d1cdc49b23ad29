import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { AttributePlaces } from './attributePlaces.js';
import { LEAF_ROWS } from './leafRows.js';

const attributesArbitrary = fc.nat(0xffff);

test('a leaf tells the places in use whose rows have all that is asked for', () => {
  const leafArbitrary = fc.array(attributesArbitrary, { minLength: LEAF_ROWS, maxLength: LEAF_ROWS });
  fc.assert(
    fc.property(
      leafArbitrary,
      leafArbitrary,
      attributesArbitrary,
      attributesArbitrary,
      fc.nat(LEAF_ROWS),
      (before, after, one, other, count) => {
        const places = new AttributePlaces();
        places.grow(1);
        places.grow(3);
        before.forEach((attributes, place) => places.set(LEAF_ROWS + place, attributes));
        after.forEach((attributes, place) => places.set(LEAF_ROWS + place, attributes));
        after.forEach((attributes, place) => expect(places.of(LEAF_ROWS + place)).toBe(attributes));
        for (const asked of [0, one, one & other]) {
          const having = places.having(1, asked, count);
          for (let place = 0; place < LEAF_ROWS; place++) {
            const isHaving = place < count && (after[place]! & asked) === asked;
            expect((having >>> place) & 1).toBe(Number(isHaving));
          }
        }
        expect(places.of(LEAF_ROWS - 1) | places.of(2 * LEAF_ROWS)).toBe(0);
      },
    ),
  );
});

test('what is set is kept when there are more leaves', () => {
  const places = new AttributePlaces();
  places.grow(1);
  places.set(5, 0b1010_0000_0000_0001);
  places.grow(40);
  expect(places.of(5)).toBe(0b1010_0000_0000_0001);
  expect(places.having(0, 0b1, 6)).toBe(1 << 5);
  expect(places.byteLength).toBe(40 * 64);
});
