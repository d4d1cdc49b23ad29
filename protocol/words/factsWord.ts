import { byteSwapped, keccakState, permuteKeccak } from '../../engine/keccak.js';
import { LIMBS, setLimbs, wordOfLimbs } from './wordLimbs.js';
import type { WordLimbs } from './wordLimbs.js';

/** A facts word holds how many facts there were in its lowest 48 bits, and the rolling hash of them above. */
const COUNT_HIGH_LIMB = 6;
const COUNT_LOW_LIMB = 7;
const COUNT_HIGH_BITS = 0xffff;
/** keccak256 absorbs 136 bytes, the message has 96: padding starts at byte 96 and ends at byte 135. */
const PADDING_START_WORD = 3 * LIMBS;
const PADDING_START = 0x01;
const PADDING_END_WORD = 33;
const PADDING_END = 0x8000_0000;

/** A facts word that facts are folded into one by one; a node folds every fact of the chain's history. */
export class FactsWord {
  readonly #limbs: WordLimbs = new Uint32Array(LIMBS);

  /** The word of a contract that holds `word`, zero before the first fact. */
  constructor(word = 0n) {
    setLimbs(this.#limbs, word);
  }

  get word(): bigint {
    return wordOfLimbs(this.#limbs);
  }

  set word(word: bigint) {
    setLimbs(this.#limbs, word);
  }

  /** Takes in that `slot` now holds `value`: the top 208 bits of keccak256(word, slot, value), and the count one higher. */
  fold(slot: WordLimbs, value: WordLimbs): void {
    const limbs = this.#limbs;
    keccakState.fill(0);
    for (let limb = 0; limb < LIMBS; limb++) {
      keccakState[limb] = byteSwapped(limbs[limb]!);
      keccakState[limb + LIMBS] = byteSwapped(slot[limb]!);
      keccakState[limb + 2 * LIMBS] = byteSwapped(value[limb]!);
    }
    keccakState[PADDING_START_WORD] = PADDING_START;
    keccakState[PADDING_END_WORD] = PADDING_END;
    permuteKeccak();

    const countLow = limbs[COUNT_LOW_LIMB]! + 1;
    const countHigh = (limbs[COUNT_HIGH_LIMB]! & COUNT_HIGH_BITS) + (countLow > 0xffff_ffff ? 1 : 0);
    for (let limb = 0; limb < COUNT_LOW_LIMB; limb++) limbs[limb] = byteSwapped(keccakState[limb]!);
    limbs[COUNT_HIGH_LIMB] = (limbs[COUNT_HIGH_LIMB]! & ~COUNT_HIGH_BITS) | (countHigh & COUNT_HIGH_BITS);
    limbs[COUNT_LOW_LIMB] = countLow;
  }
}
