import { LEAF_ROWS, LEAF_SHIFT, PLACE_BITS } from './leafRows.js';

/** Attribute bits that are told apart, one word of a leaf each: together a cache line. */
const BITS = 16;

/** 54 attribute bits in 16: a provider has all bits of an order only if its fold has all of the order's fold. */
export function foldAttributes(low: number, high: number): number {
  return (low & 0xffff) | (low >>> 16) | (high & 0xffff) | (high >>> 16);
}

/**
 * Attributes of rows, as `foldAttributes` folds them, leaf by leaf: for each bit the places in the leaf whose rows have it. So a few
 * words tell which rows of a leaf have all that an order requires, and they lie apart from what is read of a row that has it.
 */
export class AttributePlaces {
  #words = new Uint32Array(0);

  get byteLength(): number {
    return this.#words.byteLength;
  }

  /** Makes room for `leaves` leaves in all, keeping what there is. */
  grow(leaves: number): void {
    const old = this.#words;
    this.#words = new Uint32Array(leaves * BITS);
    this.#words.set(old);
  }

  /** Sets the attributes of a row. */
  set(row: number, attributes: number): void {
    const words = this.#words;
    const first = (row >>> LEAF_SHIFT) * BITS;
    const place = row & PLACE_BITS;
    const others = ~(1 << place);
    for (let bit = 0; bit < BITS; bit++) {
      words[first + bit] = (words[first + bit]! & others) | (((attributes >>> bit) & 1) << place);
    }
  }

  /** Copies the attributes of a row of this table or another. */
  copyFrom(other: AttributePlaces, to: number, from: number): void {
    const words = this.#words;
    const otherWords = other.#words;
    const first = (to >>> LEAF_SHIFT) * BITS;
    const otherFirst = (from >>> LEAF_SHIFT) * BITS;
    const place = to & PLACE_BITS;
    const otherPlace = from & PLACE_BITS;
    const others = ~(1 << place);
    for (let bit = 0; bit < BITS; bit++) {
      const isSet = (otherWords[otherFirst + bit]! >>> otherPlace) & 1;
      words[first + bit] = (words[first + bit]! & others) | (isSet << place);
    }
  }

  /** Attributes of a row. */
  of(row: number): number {
    const words = this.#words;
    const first = (row >>> LEAF_SHIFT) * BITS;
    const place = row & PLACE_BITS;
    let attributes = 0;
    for (let bit = 0; bit < BITS; bit++) attributes |= ((words[first + bit]! >>> place) & 1) << bit;
    return attributes;
  }

  /** Of the first `count` places of a leaf, as bits, those whose rows have all of `attributes`. */
  having(leaf: number, attributes: number, count: number): number {
    const words = this.#words;
    const first = leaf * BITS;
    let places = count === 0 ? 0 : (-1 >>> (LEAF_ROWS - count)) | 0;
    for (let wanted = attributes; wanted !== 0 && places !== 0; wanted &= wanted - 1) {
      places &= words[first + 31 - Math.clz32(wanted & -wanted)]!;
    }
    return places;
  }
}
