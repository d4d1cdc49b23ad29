import { concat, keccak256, type Hex } from 'viem';

const ZERO_LEAF: Hex = `0x${'00'.repeat(32)}`;

/**
 * Root of EigenLayer's Merkle tree: pairs hashed in their order, leaves padded with zero words to a power of two.
 * The root of one leaf is that leaf. Throws RangeError when there is no leaf.
 */
export function merkleRoot(leaves: readonly Hex[]): Hex {
  const root = leaves.length === 0 ? undefined : levelsOf(leaves).at(-1)?.[0];
  if (root === undefined) throw new RangeError('a tree needs a leaf');
  return root;
}

/**
 * The siblings from leaf `index` up to the root, 32 bytes each, concatenated; empty for a tree of one leaf.
 * Throws RangeError when there is no such leaf.
 */
export function merkleProof(leaves: readonly Hex[], index: number): Hex {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`leaf ${index} of ${leaves.length}`);
  }
  const siblings = levelsOf(leaves)
    .slice(0, -1)
    .map((level, depth) => level[(index >> depth) ^ 1] ?? ZERO_LEAF);
  return concat(['0x', ...siblings]);
}

/** All levels from the padded leaves to the root; each level's width is a power of two. */
function levelsOf(leaves: readonly Hex[]): Hex[][] {
  let width = 1;
  while (width < leaves.length) width *= 2;
  let level: Hex[] = [...leaves, ...Array<Hex>(width - leaves.length).fill(ZERO_LEAF)];
  const levels = [level];
  while (level.length > 1) {
    const children = level;
    level = Array.from({ length: children.length / 2 }, (_, pair) =>
      keccak256(concat(children.slice(2 * pair, 2 * pair + 2))),
    );
    levels.push(level);
  }
  return levels;
}
