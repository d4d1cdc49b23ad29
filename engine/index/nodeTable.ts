/**
 * Nodes of the index's trees, one cache line each: the least price, the most of everything that raises a total or passes a filter, over
 * all rows below. A machine as good in every column as its node's best values scores at least as high as any row below, which makes the
 * score formula at those values an upper bound.
 */

/** 32-bit words of a node, and 16-bit halves. */
export const NODE_WORDS = 16;
export const NODE_HALVES = 32;

/** Word offsets: unit prices as floats rounded down, then exact integers. */
export const MIN_GPU = 0;
export const MIN_CORE = 1;
export const MIN_MEMORY = 2;
export const MIN_STORAGE = 3;
export const MAX_STANDING = 4;
/** Lowest provider id; EMPTY when there is no row below. */
export const MIN_PROVIDER = 5;
/** OR of the attributes, bits 0..26 and 27..53. */
export const ATTRIBUTES_LOW = 6;
export const ATTRIBUTES_HIGH = 7;
/** The four words that a reservation changes, from here on. */
export const CAPACITY = 8;
export const CAPACITY_WORDS = 4;

/**
 * Half offsets. Least free capacity (the dominant resource, `RowTable.total`) among rows that can take: anything; a share of half a
 * device; one, two, four whole devices. NONE when no row can.
 */
export const LEAST_ANY = 16;
export const LEAST_HALF = 17;
export const LEAST_ONE = 18;
export const LEAST_TWO = 19;
export const LEAST_FOUR = 20;
/** Most that one device has free. */
export const MAX_SHARE = 21;
/** Most wholly free devices. */
export const MAX_WHOLE = 22;
/** Most free of the dominant resource. */
export const MAX_TOTAL = 23;
export const MAX_COMPLIANCE = 24;
export const MAX_CPU = 25;
export const MAX_MEMORY = 26;
export const MAX_STORAGE = 27;
export const MAX_UPTIME = 28;
export const MAX_REPUTATION = 29;
/** OR of the tier bits. */
export const TIERS = 30;
export const MIN_SLASHES = 31;

export const EMPTY = 0xffff_ffff;
export const NONE = 0xffff;

/** Free cpu-milli, memory MiB and storage GiB are kept without these lowest bits. */
export const CPU_SHIFT = 4;
export const MEMORY_SHIFT = 8;
export const STORAGE_SHIFT = 4;

/** All nodes, in one buffer seen through three kinds of views; they are replaced when the table grows. */
export class NodeTable {
  words: Uint32Array<ArrayBuffer>;
  floats: Float32Array<ArrayBuffer>;
  halves: Uint16Array<ArrayBuffer>;

  constructor(nodes: number) {
    this.words = new Uint32Array(nodes * NODE_WORDS);
    this.floats = new Float32Array(this.words.buffer);
    this.halves = new Uint16Array(this.words.buffer);
  }

  get count(): number {
    return this.words.length / NODE_WORDS;
  }

  get byteLength(): number {
    return this.words.byteLength;
  }

  /** Makes room for `nodes` nodes in all, keeping what there is. */
  grow(nodes: number): void {
    if (nodes <= this.count) return;
    const old = this.words;
    this.words = new Uint32Array(nodes * NODE_WORDS);
    this.words.set(old);
    this.floats = new Float32Array(this.words.buffer);
    this.halves = new Uint16Array(this.words.buffer);
  }

  /** Makes a node one without rows. */
  clear(node: number): void {
    const word = node * NODE_WORDS;
    const half = node * NODE_HALVES;
    this.words.fill(0, word, word + NODE_WORDS);
    this.floats.fill(Infinity, word + MIN_GPU, word + MIN_STORAGE + 1);
    this.words[word + MIN_PROVIDER] = EMPTY;
    this.halves.fill(NONE, half + LEAST_ANY, half + LEAST_FOUR + 1);
    this.halves[half + MIN_SLASHES] = NONE;
  }

  copy(to: number, from: number): void {
    this.words.copyWithin(to * NODE_WORDS, from * NODE_WORDS, (from + 1) * NODE_WORDS);
  }

  isSame(one: number, other: number): boolean {
    const { words } = this;
    for (let word = 0; word < NODE_WORDS; word++) {
      if (words[one * NODE_WORDS + word] !== words[other * NODE_WORDS + word]) return false;
    }
    return true;
  }

  /** Widens `into` so that it bounds what `from` bounds; whether that changed it. */
  absorb(into: number, from: number): boolean {
    const { words, floats, halves } = this;
    const a = into * NODE_WORDS;
    const b = from * NODE_WORDS;
    if (words[b + MIN_PROVIDER] === EMPTY) return false;
    let changed = false;
    for (let word = MIN_GPU; word <= MIN_STORAGE; word++) {
      if (floats[b + word]! < floats[a + word]!) {
        floats[a + word] = floats[b + word]!;
        changed = true;
      }
    }
    if (words[b + MAX_STANDING]! > words[a + MAX_STANDING]!) {
      words[a + MAX_STANDING] = words[b + MAX_STANDING]!;
      changed = true;
    }
    if (words[b + MIN_PROVIDER]! < words[a + MIN_PROVIDER]!) {
      words[a + MIN_PROVIDER] = words[b + MIN_PROVIDER]!;
      changed = true;
    }
    for (let word = ATTRIBUTES_LOW; word <= ATTRIBUTES_HIGH; word++) {
      const both = (words[a + word]! | words[b + word]!) >>> 0;
      if (both !== words[a + word]) {
        words[a + word] = both;
        changed = true;
      }
    }
    if (this.absorbCapacity(into, from)) changed = true;
    const c = into * NODE_HALVES;
    const d = from * NODE_HALVES;
    for (let half = MAX_COMPLIANCE; half <= MAX_REPUTATION; half++) {
      if (halves[d + half]! > halves[c + half]!) {
        halves[c + half] = halves[d + half]!;
        changed = true;
      }
    }
    const tiers = halves[c + TIERS]! | halves[d + TIERS]!;
    if (tiers !== halves[c + TIERS]) {
      halves[c + TIERS] = tiers;
      changed = true;
    }
    if (halves[d + MIN_SLASHES]! < halves[c + MIN_SLASHES]!) {
      halves[c + MIN_SLASHES] = halves[d + MIN_SLASHES]!;
      changed = true;
    }
    return changed;
  }

  /** `absorb` for the capacity words alone. */
  absorbCapacity(into: number, from: number): boolean {
    const { halves } = this;
    const c = into * NODE_HALVES;
    const d = from * NODE_HALVES;
    let changed = false;
    for (let half = LEAST_ANY; half <= LEAST_FOUR; half++) {
      if (halves[d + half]! < halves[c + half]!) {
        halves[c + half] = halves[d + half]!;
        changed = true;
      }
    }
    for (let half = MAX_SHARE; half <= MAX_TOTAL; half++) {
      if (halves[d + half]! > halves[c + half]!) {
        halves[c + half] = halves[d + half]!;
        changed = true;
      }
    }
    return changed;
  }

  /** Makes the capacity words those of no row. */
  clearCapacity(node: number): void {
    const half = node * NODE_HALVES;
    this.halves.fill(NONE, half + LEAST_ANY, half + LEAST_FOUR + 1);
    this.halves.fill(0, half + MAX_SHARE, half + MAX_TOTAL + 1);
  }

  /** Widens the capacity words by a row with `total` free, its devices packed as `RowTable.devices`. */
  absorbFree(node: number, total: number, devices: number): void {
    const { halves } = this;
    const half = node * NODE_HALVES;
    const share = devices & 0x3ff;
    const whole = devices >>> 10;
    if (devices !== 0 && total < halves[half + LEAST_ANY]!) halves[half + LEAST_ANY] = total;
    if (share >= 500 && total < halves[half + LEAST_HALF]!) halves[half + LEAST_HALF] = total;
    if (whole >= 1) {
      if (total < halves[half + LEAST_ONE]!) halves[half + LEAST_ONE] = total;
      if (whole >= 2 && total < halves[half + LEAST_TWO]!) halves[half + LEAST_TWO] = total;
      if (whole >= 4 && total < halves[half + LEAST_FOUR]!) halves[half + LEAST_FOUR] = total;
    }
    if (share > halves[half + MAX_SHARE]!) halves[half + MAX_SHARE] = share;
    if (whole > halves[half + MAX_WHOLE]!) halves[half + MAX_WHOLE] = whole;
    if (total > halves[half + MAX_TOTAL]!) halves[half + MAX_TOTAL] = total;
  }
}

const floatCell = new Float32Array(1);
const wordCell = new Uint32Array(floatCell.buffer);

/** The greatest 32-bit float that is not above `value`, a number from 0 up. */
export function floatBelow(value: number): number {
  floatCell[0] = value;
  if (floatCell[0] > value) wordCell[0]! -= 1;
  return floatCell[0];
}
