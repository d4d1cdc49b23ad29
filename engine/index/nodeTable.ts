/**
 * Nodes of the index's trees, one cache line each: over all rows below the highest scores of typical orders (`Envelope`) and the most of
 * what filters ask for. What a node says bounds every row below it.
 */

/** 32-bit words, 16-bit halves and bytes of a node. */
export const NODE_WORDS = 16;
export const NODE_HALVES = 32;
export const NODE_BYTES = 64;

/** Word offsets. Lowest provider id; EMPTY when there is no row below. */
export const MIN_PROVIDER = 0;
/** OR of the attributes, as `foldAttributes27` folds them, and from bit TRAIT_SHIFT on of the traits for packing. */
export const ATTRIBUTES = 1;
export const TRAIT_SHIFT = 27;
export const ATTRIBUTE_MASK = 0x7ff_ffff;
/** Byte offsets: the most in units of 64 bps, the fewest slashes, OR of the tier bits. */
export const MAX_UPTIME = 8;
export const MAX_REPUTATION = 9;
export const MIN_SLASHES = 10;
export const TIERS = 11;
/** Half offset: least reference price, as `compactPrice` packs it. */
export const MIN_PRICE = 6;
/** Byte offsets: most free, as `amountByte` packs it. */
export const MAX_CPU = 14;
export const MAX_MEMORY = 15;
/** Word and half offset of the envelope, which is what a reservation changes. */
export const ENVELOPE_WORD = 4;
export const ENVELOPE_WORDS = 12;
export const ENVELOPE = 8;
export const ENVELOPE_HALVES = 24;
/** Halves of each class in an envelope. */
export const ENVELOPE_SAMPLES = 3;

export const EMPTY = 0xffff_ffff;

/** Node in which the bounds of one row are put together. */
export const ROW_NODE = 0;
/** Node in which a node's bounds are kept while it is bounded anew. */
export const SPARE_NODE = 1;
/** The first node of a tree. */
export const FIRST_NODE = 2;

/** Free cpu-milli of machines without GPU are kept without these lowest bits. */
export const CPU_SHIFT = 4;
/** Uptime and reputation are kept without these lowest bits. */
export const BPS_SHIFT = 6;

/** All nodes, in one buffer seen through three kinds of views; they are replaced when the table grows. */
export class NodeTable {
  words: Uint32Array<ArrayBuffer>;
  halves: Uint16Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;

  constructor(nodes: number) {
    this.words = new Uint32Array(nodes * NODE_WORDS);
    this.halves = new Uint16Array(this.words.buffer);
    this.bytes = new Uint8Array(this.words.buffer);
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
    this.halves = new Uint16Array(this.words.buffer);
    this.bytes = new Uint8Array(this.words.buffer);
  }

  /** Makes a node one without rows. */
  clear(node: number): void {
    const word = node * NODE_WORDS;
    this.words.fill(0, word, word + NODE_WORDS);
    this.words[word + MIN_PROVIDER] = EMPTY;
    this.halves[node * NODE_HALVES + MIN_PRICE] = 0xffff;
    this.bytes[node * NODE_BYTES + MIN_SLASHES] = 0xff;
  }

  copy(to: number, from: number): void {
    this.copyFrom(this, to, from);
  }

  /** Copies a node of this table or another. */
  copyFrom(other: NodeTable, to: number, from: number): void {
    const { words } = this;
    const a = to * NODE_WORDS;
    const b = from * NODE_WORDS;
    for (let word = 0; word < NODE_WORDS; word++) words[a + word] = other.words[b + word]!;
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
    const { words, halves, bytes } = this;
    const a = into * NODE_WORDS;
    const b = from * NODE_WORDS;
    if (words[b + MIN_PROVIDER] === EMPTY) return false;
    let changed = this.absorbEnvelope(into, from);
    if (words[b + MIN_PROVIDER]! < words[a + MIN_PROVIDER]!) {
      words[a + MIN_PROVIDER] = words[b + MIN_PROVIDER]!;
      changed = true;
    }
    const attributes = words[a + ATTRIBUTES]! | words[b + ATTRIBUTES]!;
    if (attributes !== words[a + ATTRIBUTES]) {
      words[a + ATTRIBUTES] = attributes;
      changed = true;
    }
    const c = into * NODE_HALVES + MIN_PRICE;
    const d = from * NODE_HALVES + MIN_PRICE;
    if (halves[d]! < halves[c]!) {
      halves[c] = halves[d]!;
      changed = true;
    }
    const e = into * NODE_BYTES;
    const f = from * NODE_BYTES;
    if (bytes[f + MIN_SLASHES]! < bytes[e + MIN_SLASHES]!) {
      bytes[e + MIN_SLASHES] = bytes[f + MIN_SLASHES]!;
      changed = true;
    }
    const tiers = bytes[e + TIERS]! | bytes[f + TIERS]!;
    if (tiers !== bytes[e + TIERS]) {
      bytes[e + TIERS] = tiers;
      changed = true;
    }
    if (lifted(bytes, e + MAX_UPTIME, f + MAX_UPTIME)) changed = true;
    if (lifted(bytes, e + MAX_REPUTATION, f + MAX_REPUTATION)) changed = true;
    if (lifted(bytes, e + MAX_CPU, f + MAX_CPU)) changed = true;
    return lifted(bytes, e + MAX_MEMORY, f + MAX_MEMORY) || changed;
  }

  /** `absorb` for the envelope alone. */
  absorbEnvelope(into: number, from: number): boolean {
    const { halves } = this;
    const c = into * NODE_HALVES + ENVELOPE;
    const d = from * NODE_HALVES + ENVELOPE;
    let changed = false;
    for (let half = 0; half < ENVELOPE_HALVES; half++) {
      if (halves[d + half]! > halves[c + half]!) {
        halves[c + half] = halves[d + half]!;
        changed = true;
      }
    }
    return changed;
  }

  /** Makes a node's envelope the higher of its two children's. */
  joinEnvelopes(node: number, left: number, right: number): void {
    const { halves } = this;
    const a = node * NODE_HALVES + ENVELOPE;
    const b = left * NODE_HALVES + ENVELOPE;
    const c = right * NODE_HALVES + ENVELOPE;
    for (let half = 0; half < ENVELOPE_HALVES; half++) {
      const one = halves[b + half]!;
      const other = halves[c + half]!;
      halves[a + half] = one > other ? one : other;
    }
  }

  /** Whether a node bounds all that another one bounds. */
  covers(node: number, other: number): boolean {
    const { words, halves, bytes } = this;
    const a = node * NODE_WORDS;
    const b = other * NODE_WORDS;
    if (words[b + MIN_PROVIDER] === EMPTY) return true;
    if (words[b + MIN_PROVIDER]! < words[a + MIN_PROVIDER]!) return false;
    if ((words[b + ATTRIBUTES]! & ~words[a + ATTRIBUTES]!) !== 0) return false;
    const e = node * NODE_BYTES;
    const f = other * NODE_BYTES;
    if (bytes[f + MIN_SLASHES]! < bytes[e + MIN_SLASHES]! || (bytes[f + TIERS]! & ~bytes[e + TIERS]!) !== 0) {
      return false;
    }
    if (bytes[f + MAX_UPTIME]! > bytes[e + MAX_UPTIME]! || bytes[f + MAX_REPUTATION]! > bytes[e + MAX_REPUTATION]!) {
      return false;
    }
    if (bytes[f + MAX_CPU]! > bytes[e + MAX_CPU]! || bytes[f + MAX_MEMORY]! > bytes[e + MAX_MEMORY]!) return false;
    const c = node * NODE_HALVES;
    const d = other * NODE_HALVES;
    if (halves[d + MIN_PRICE]! < halves[c + MIN_PRICE]!) return false;
    for (let half = ENVELOPE; half < ENVELOPE + ENVELOPE_HALVES; half++) {
      if (halves[d + half]! > halves[c + half]!) return false;
    }
    return true;
  }

  /** The middle samples of a node's envelope added up, a measure of how much it bounds. */
  envelopeSum(node: number): number {
    const { halves } = this;
    const first = node * NODE_HALVES + ENVELOPE + 1;
    let sum = 0;
    for (let half = first; half < first + ENVELOPE_HALVES; half += ENVELOPE_SAMPLES) sum += halves[half]!;
    return sum;
  }

  /** By how much that sum grows once the node absorbs another. */
  envelopeRise(node: number, by: number): number {
    const { halves } = this;
    const a = node * NODE_HALVES + ENVELOPE;
    const b = by * NODE_HALVES + ENVELOPE;
    let rise = 0;
    for (let half = 1; half < ENVELOPE_HALVES; half += ENVELOPE_SAMPLES) {
      const more = halves[b + half]! - halves[a + half]!;
      if (more > 0) rise += more;
    }
    return rise;
  }
}

function lifted(bytes: Uint8Array, into: number, from: number): boolean {
  if (bytes[from]! <= bytes[into]!) return false;
  bytes[into] = bytes[from]!;
  return true;
}

/** 54 attribute bits in 27: what has all bits of an order has all bits of the order's fold. */
export function foldAttributes27(low: number, high: number): number {
  return low | high;
}

/** An amount below 2^24 in a byte, three bits of mantissa, rounded down: an amount that is not less has a byte that is not less. */
export function amountByte(amount: number): number {
  if (amount < 8) return amount;
  const exponent = 31 - Math.clz32(amount);
  return ((exponent - 2) << 3) | ((amount >>> (exponent - 3)) & 7);
}

const floatCell = new Float32Array(1);
const wordCell = new Uint32Array(floatCell.buffer);

/** The greatest 32-bit float that is not above `value`, a number from 0 up. */
export function floatBelow(value: number): number {
  floatCell[0] = value;
  if (floatCell[0] > value) wordCell[0]! -= 1;
  return floatCell[0];
}
