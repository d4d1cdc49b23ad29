import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { concat, keccak256, numberToHex } from 'viem';
import { FactsWord } from './factsWord.js';
import { limbsOf } from './wordLimbs.js';

const COUNT = 1n << 48n;
const word = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });

test('folds as the contracts do: top 208 bits of keccak256(word, slot, value), and the count one higher', () => {
  fc.assert(
    fc.property(
      word,
      fc.constantFrom(0n, 0xffff_fffen, 0xffff_ffffn, 0x1_0000_0000n, COUNT - 2n),
      fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 3 }),
      (accumulator, count, facts) => {
        let expected = (accumulator / COUNT) * COUNT + count;
        const folded = new FactsWord(expected);
        for (const [slot, value] of facts.slice(0, Number(COUNT - 1n - count > 3n ? 3n : COUNT - 1n - count))) {
          const hash = BigInt(
            keccak256(concat([expected, slot, value].map((part) => numberToHex(part, { size: 32 })))),
          );
          expected = (hash / COUNT) * COUNT + (expected % COUNT) + 1n;
          folded.fold(limbsOf(slot), limbsOf(value));
          expect(folded.word).toBe(expected);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('goes back to a word it is set to', () => {
  const facts = new FactsWord();
  expect(facts.word).toBe(0n);
  facts.fold(limbsOf(1n), limbsOf(2n));
  const once = facts.word;
  facts.fold(limbsOf(3n), limbsOf(4n));
  facts.word = once;
  expect(facts.word).toBe(once);
});
