import { expect, test } from '@jest/globals';
import { concat, getAddress, keccak256, pad, toHex, type Address, type Hex } from 'viem';
import { EigenClaimTree, earnerLeaf, NothingEarnedError, tokenLeaf } from './eigenClaimTree.js';

const earner = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`;
const token = (index: number): Address => `0x${'aa'.repeat(19)}${index.toString(16).padStart(2, '0')}`;

const EARNINGS = [
  { earner: earner(3), token: token(2), cumulative: 700n },
  { earner: earner(1), token: token(1), cumulative: 5n },
  { earner: earner(3), token: token(1), cumulative: 300n },
  { earner: earner(2), token: token(1), cumulative: 40n },
];

/** The root that a proof leads to, as EigenLayer's Merkle library follows it. */
function follow(leaf: Hex, index: number, proof: Hex): Hex {
  let node = leaf;
  for (let depth = 0; depth * 64 < proof.length - 2; depth++) {
    const sibling: Hex = `0x${proof.slice(2 + depth * 64, 66 + depth * 64)}`;
    node = keccak256(concat((index >> depth) % 2 === 0 ? [node, sibling] : [sibling, node]));
  }
  return node;
}

test('leaves are salted, packed and hashed once', () => {
  expect(earnerLeaf(earner(1), `0x${'22'.repeat(32)}`)).toBe(
    keccak256(concat(['0x00', earner(1), `0x${'22'.repeat(32)}`])),
  );
  expect(tokenLeaf({ token: token(1), cumulativeEarnings: 5n })).toBe(
    keccak256(concat(['0x01', token(1), pad(toHex(5))])),
  );
});

test('one earner of one token is a tree of one leaf with empty proofs', () => {
  const tree = new EigenClaimTree([{ earner: earner(1), token: token(1), cumulative: 5n }]);
  const tokens = tokenLeaf({ token: token(1), cumulativeEarnings: 5n });
  expect(tree.root).toBe(earnerLeaf(earner(1), tokens));
  expect(tree.claimOf(4, earner(1))).toEqual({
    rootIndex: 4,
    earnerIndex: 0,
    earnerTreeProof: '0x',
    earnerLeaf: { earner: earner(1), earnerTokenRoot: tokens },
    tokenIndices: [0],
    tokenTreeProofs: ['0x'],
    tokenLeaves: [{ token: token(1), cumulativeEarnings: 5n }],
  });
});

test('every claim leads to the root', () => {
  const tree = new EigenClaimTree(EARNINGS);
  for (const index of [1, 2, 3]) {
    const claim = tree.claimOf(0, earner(index));
    const { earner: named, earnerTokenRoot } = claim.earnerLeaf;
    expect(follow(earnerLeaf(named, earnerTokenRoot), claim.earnerIndex, claim.earnerTreeProof)).toBe(tree.root);
    for (const [at, leaf] of claim.tokenLeaves.entries()) {
      const [position, proof] = [claim.tokenIndices[at] ?? -1, claim.tokenTreeProofs[at] ?? '0x'];
      expect(follow(tokenLeaf(leaf), position, proof)).toBe(earnerTokenRoot);
    }
  }
  expect(tree.claimOf(0, earner(3)).tokenLeaves.map((leaf) => leaf.cumulativeEarnings)).toEqual([300n, 700n]);
});

test('a claim of chosen tokens keeps their order', () => {
  const claim = new EigenClaimTree(EARNINGS).claimOf(0, earner(3), [token(2), token(1)]);
  expect(claim.tokenIndices).toEqual([1, 0]);
  expect(claim.tokenLeaves.map((leaf) => leaf.token)).toEqual([token(2), token(1)]);
  for (const [at, leaf] of claim.tokenLeaves.entries()) {
    const root = follow(tokenLeaf(leaf), claim.tokenIndices[at] ?? -1, claim.tokenTreeProofs[at] ?? '0x');
    expect(root).toBe(claim.earnerLeaf.earnerTokenRoot);
  }
});

test('the order and the case of what was earned change nothing', () => {
  const shouted = EARNINGS.map((row) => ({ ...row, token: getAddress(row.token) }));
  expect(new EigenClaimTree(shouted.toReversed()).root).toBe(new EigenClaimTree(EARNINGS).root);
});

test('earnings of one earner and token are added up, nothing is left out', () => {
  const tree = new EigenClaimTree([
    { earner: earner(1), token: token(1), cumulative: 2n },
    { earner: earner(1), token: token(1), cumulative: 3n },
    { earner: earner(2), token: token(1), cumulative: 0n },
  ]);
  expect(tree.earnings).toEqual([{ earner: earner(1), token: token(1), cumulative: 5n }]);
});

test('who or what is not in the tree has no claim', () => {
  const tree = new EigenClaimTree(EARNINGS);
  expect(() => tree.claimOf(0, earner(9))).toThrow(NothingEarnedError);
  expect(() => tree.claimOf(0, earner(1), [token(2)])).toThrow(NothingEarnedError);
});

test('a tree of nothing has no root', () => {
  expect(() => new EigenClaimTree([]).root).toThrow(RangeError);
});
