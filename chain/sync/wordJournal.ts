import { LIMBS } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';

/** What was written over: a word of a machine, of an offer or of a provider. */
export interface WordBefore {
  readonly kind: 'machine' | 'offer' | 'provider';
  readonly id: number;
  /** Of the offer, else 0. */
  readonly index: number;
  /** Machines or providers there were before. */
  readonly count: number;
}

const KINDS = ['machine', 'offer', 'provider'] as const;
const HEADER = 3;
const ENTRY = HEADER + LIMBS;
const FIRST_ENTRIES = 8;

/** The words that a block wrote over, in one typed array: a block of a busy market changes thousands of them. */
export class WordJournal {
  #entries = new Uint32Array(0);
  #length = 0;

  /** Notes the word that is about to be written over. */
  note({ kind, id, index, count }: WordBefore, before: WordLimbs): void {
    if (this.#length === this.#entries.length) {
      const bigger = new Uint32Array(Math.max(FIRST_ENTRIES * ENTRY, 2 * this.#length));
      bigger.set(this.#entries);
      this.#entries = bigger;
    }
    const at = this.#length;
    this.#entries[at] = KINDS.indexOf(kind) * 4 + index;
    this.#entries[at + 1] = id;
    this.#entries[at + 2] = count;
    this.#entries.set(before, at + HEADER);
    this.#length = at + ENTRY;
  }

  /** Hands over all noted words, the last first. */
  takeBack(put: (what: WordBefore, before: WordLimbs) => void): void {
    for (let at = this.#length - ENTRY; at >= 0; at -= ENTRY) {
      const tag = this.#entries[at]!;
      const what = {
        kind: KINDS[tag >> 2]!,
        id: this.#entries[at + 1]!,
        index: tag & 3,
        count: this.#entries[at + 2]!,
      };
      put(what, this.#entries.subarray(at + HEADER, at + ENTRY));
    }
    this.#length = 0;
  }
}
