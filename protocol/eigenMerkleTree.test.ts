import { describe, expect, test } from '@jest/globals';
import { concat, keccak256, numberToHex, type Hex } from 'viem';
import { merkleProof, merkleRoot } from './eigenMerkleTree.js';

const ZERO: Hex = `0x${'00'.repeat(32)}`;
const leaf = (index: number) => keccak256(numberToHex(index));
const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => leaf(index));

describe('merkleRoot', () => {
  test('of one leaf is the leaf', () => {
    expect(merkleRoot([leaf(0)])).toBe(leaf(0));
    expect(merkleProof([leaf(0)], 0)).toBe('0x');
  });

  test('keeps the order of pairs and pads with zero words', () => {
    const left = keccak256(concat([leaf(0), leaf(1)]));
    const right = keccak256(concat([leaf(2), ZERO]));
    expect(merkleRoot(leavesOf(3))).toBe(keccak256(concat([left, right])));
    expect(merkleProof(leavesOf(3), 2)).toBe(concat([ZERO, left]));
  });

  test('needs a leaf', () => {
    expect(() => merkleRoot([])).toThrow(RangeError);
  });
});

describe('merkleProof', () => {
  test.each([1, 2, 3, 4, 5, 8, 13])('leads every one of %p leaves to the root', (count) => {
    const leaves = leavesOf(count);
    for (const [index, start] of leaves.entries()) {
      const proof = merkleProof(leaves, index);
      let node = start;
      for (let depth = 0; depth * 64 < proof.length - 2; depth++) {
        const sibling: Hex = `0x${proof.slice(2 + depth * 64, 66 + depth * 64)}`;
        node = keccak256(concat((index >> depth) % 2 === 0 ? [node, sibling] : [sibling, node]));
      }
      expect(node).toBe(merkleRoot(leaves));
    }
  });

  test.each([-1, 3, 0.5])('refuses leaf %p of 3', (index) => {
    expect(() => merkleProof(leavesOf(3), index)).toThrow(RangeError);
  });
});
