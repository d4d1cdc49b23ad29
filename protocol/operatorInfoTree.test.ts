import { expect, test } from '@jest/globals';
import { bn254 } from '@noble/curves/bn254.js';
import { concat, encodeAbiParameters, keccak256, size, slice, zeroHash } from 'viem';
import type { Hex } from 'viem';
import { encodeG1, PointInvalidError } from './bn254Points.js';
import { operatorInfoLeaf, operatorInfoProof, operatorInfoRoot } from './operatorInfoTree.js';
import type { TableEntry } from './operatorTable.js';

const entries: TableEntry[] = Array.from({ length: 9 }, (_, index) => {
  const { x, y } = bn254.G1.Point.BASE.multiply(BigInt(index + 1)).toAffine();
  return { key: encodeG1({ X: x, Y: y }), weight: BigInt(100 + index) };
});

test('a leaf is the salted hash of the encoded operator', () => {
  const [{ key, weight }] = entries as [TableEntry];
  const words = encodeAbiParameters(
    [
      { type: 'uint256' },
      { type: 'bytes32' },
      { type: 'bytes32' },
      { type: 'uint256' },
      { type: 'uint256' },
      { type: 'uint256' },
    ],
    [0x20n, slice(key, 0, 32), slice(key, 32), 0x60n, 1n, weight],
  );
  expect(operatorInfoLeaf({ key, weight })).toBe(keccak256(concat(['0x75', words])));
  expect(() => operatorInfoLeaf({ key: `0x${'01'.repeat(64)}`, weight })).toThrow(PointInvalidError);
});

test('one leaf is its own root, three are padded with a zero leaf', () => {
  const [a, b, c] = entries.map(operatorInfoLeaf) as [Hex, Hex, Hex];
  const pair = (left: Hex, right: Hex): Hex => keccak256(concat([left, right]));
  expect(operatorInfoRoot(entries.slice(0, 1))).toBe(a);
  expect(operatorInfoRoot(entries.slice(0, 3))).toBe(pair(pair(a, b), pair(c, zeroHash)));
  expect(operatorInfoRoot([])).toBe(zeroHash);
});

test.each([1, 2, 3, 4, 5, 8, 9])('of %d operators each is proven by its siblings, and at no other place', (count) => {
  const table = entries.slice(0, count);
  const root = operatorInfoRoot(table);
  for (const [index, entry] of table.entries()) {
    const proof = operatorInfoProof(table, index);
    expect(fold(operatorInfoLeaf(entry), proof, index)).toBe(root);
    if (count > 1) expect(fold(operatorInfoLeaf(entry), proof, index ^ 1)).not.toBe(root);
  }
});

/** Root that a leaf at `index` and its siblings lead to. */
function fold(leaf: Hex, proof: Hex, index: number): Hex {
  let node = leaf;
  for (let height = 0; height * 32 < size(proof); height++) {
    const sibling = slice(proof, height * 32, (height + 1) * 32);
    node = keccak256(concat((index >> height) % 2 === 0 ? [node, sibling] : [sibling, node]));
  }
  return node;
}
