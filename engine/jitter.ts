import { keccakState, permuteKeccak } from './keccak.js';
import type { Hex } from './snapshot.js';

/** Highest jitter range for which the residue below stays exact: 65536 x J must be below 2^53. */
export const MAX_JITTER_RANGE = 2 ** 37 - 1;

const SEED_WORDS = 8;
const DIGEST_WORDS = 8;
/** keccak256 absorbs 136 bytes, the message has 39: padding starts at byte 39 and ends at byte 135. */
const PADDING_START = 0x0100_0000;
const PADDING_END = 0x8000_0000;
const PADDING_END_WORD = 33;

/** Values kept; one for each provider id of an order, up to its lowest bits. */
const KEPT_VALUES = 1024;

/**
 * The seeded part of a total: keccak256(abi.encodePacked(bytes32 seed, uint32 orderId, uint24 providerId)) mod (J + 1).
 * The values of the providers last asked for are kept.
 */
export class Jitter {
  readonly #seedWords = new Uint32Array(SEED_WORDS);
  readonly #modulus: number;
  readonly #values = new Float64Array(KEPT_VALUES);
  /** Order (0 for none) and provider whose value is kept. */
  readonly #orders = new Uint32Array(KEPT_VALUES);
  readonly #providers = new Uint32Array(KEPT_VALUES);

  /** `range` is J, at most MAX_JITTER_RANGE. */
  constructor(seed: Hex, range: number) {
    for (let word = 0; word < SEED_WORDS; word++) {
      this.#seedWords[word] = byteSwapped(Number.parseInt(seed.slice(2 + 8 * word, 10 + 8 * word), 16));
    }
    this.#modulus = range + 1;
  }

  /** Jitter of a provider's machines for an order, 0..J. */
  of(orderId: number, providerId: number): number {
    const at = providerId % KEPT_VALUES;
    if (this.#orders[at] === orderId && this.#providers[at] === providerId) return this.#values[at]!;
    const value = this.#compute(orderId, providerId);
    this.#orders[at] = orderId;
    this.#providers[at] = providerId;
    this.#values[at] = value;
    return value;
  }

  #compute(orderId: number, providerId: number): number {
    const state = keccakState;
    state.fill(0);
    state.set(this.#seedWords);
    state[SEED_WORDS] = byteSwapped(orderId);
    state[SEED_WORDS + 1] = PADDING_START | (byteSwapped(providerId) >>> 8);
    state[PADDING_END_WORD] = PADDING_END;
    permuteKeccak();
    let residue = 0;
    for (let word = 0; word < DIGEST_WORDS; word++) {
      const bigEndian = byteSwapped(state[word]!);
      residue = remainder(residue * 0x1_0000 + (bigEndian >>> 16), this.#modulus);
      residue = remainder(residue * 0x1_0000 + (bigEndian & 0xffff), this.#modulus);
    }
    return residue;
  }
}

/** value mod modulus below 2^53, for which the floored quotient of doubles is exact; several times as fast as the operator. */
function remainder(value: number, modulus: number): number {
  return value - Math.floor(value / modulus) * modulus;
}

function byteSwapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
