import { describe, expect, test } from '@jest/globals';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import * as fc from 'fast-check';
import { concat, encodeAbiParameters, keccak256, numberToHex } from 'viem';
import type { Address, Hex } from 'viem';
import { earnerAt } from '../../test/support/eraInputs.js';
import { RewardTree, rewardRoot } from './rewardTree.js';

const DOMAIN = { chainId: 31_337, rewarder: earnerAt(0xf00) };

/** What Rewarder.claim hashes: keccak256(bytes.concat(keccak256(abi.encode(chainId, rewarder, earner, cumulative)))). */
function contractLeaf(earner: Address, cumulative: bigint): Hex {
  const types = [{ type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'uint256' }] as const;
  return keccak256(
    keccak256(encodeAbiParameters(types, [BigInt(DOMAIN.chainId), DOMAIN.rewarder, earner, cumulative])),
  );
}

/** OpenZeppelin's MerkleProof.processProof. */
function climb(leaf: Hex, proof: readonly Hex[]): Hex {
  return proof.reduce(
    (node, sibling) => keccak256(node < sibling ? concat([node, sibling]) : concat([sibling, node])),
    leaf,
  );
}

const leaves = fc
  .uniqueArray(
    fc.record({
      index: fc.integer({ min: 1, max: 1_000_000 }),
      cumulative: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
    }),
    {
      minLength: 1,
      maxLength: 40,
      selector: ({ index }) => index,
    },
  )
  .map((entries) => entries.map(({ index, cumulative }) => ({ earner: earnerAt(index), cumulative })));

describe('a reward tree', () => {
  test('proves each leaf as the contract hashes it', () => {
    fc.assert(
      fc.property(leaves, (entries) => {
        const tree = new RewardTree(entries, DOMAIN);
        for (const { earner, cumulative } of entries) {
          const found = tree.proofOf(earner);
          expect(found.cumulative).toBe(cumulative);
          expect(climb(contractLeaf(earner, cumulative), found.proof)).toBe(tree.root);
        }
      }),
    );
  });

  test('has the library’s double hash as its only leaf’s root', () => {
    const [earner, cumulative] = [earnerAt(7), 123n];
    const leaf = contractLeaf(earner, cumulative);
    expect(new RewardTree([{ earner, cumulative }], DOMAIN).root).toBe(leaf);
    const library = StandardMerkleTree.of(
      [[numberToHex(DOMAIN.chainId), DOMAIN.rewarder, earner, '123']],
      ['uint256', 'address', 'address', 'uint256'],
    );
    expect(library.root).toBe(leaf);
  });

  test('does not depend on the order of leaves, and does on chain and rewarder', () => {
    fc.assert(
      fc.property(leaves, (entries) => {
        const root = rewardRoot(entries, DOMAIN);
        expect(rewardRoot(entries.toReversed(), DOMAIN)).toBe(root);
        expect(rewardRoot(entries, { ...DOMAIN, chainId: 1 })).not.toBe(root);
        expect(rewardRoot(entries, { ...DOMAIN, rewarder: earnerAt(1) })).not.toBe(root);
      }),
    );
  });

  test('finds an earner in either case, and no stranger', () => {
    const earner = '0xabcdef0000000000000000000000000000000001';
    const tree = new RewardTree([{ earner, cumulative: 5n }], DOMAIN);
    expect(tree.proofOf('0xABCDEF0000000000000000000000000000000001')).toEqual({ cumulative: 5n, proof: [] });
    expect(() => tree.proofOf(earnerAt(9))).toThrow(expect.objectContaining({ code: 'EARNER_NOT_IN_TREE' }));
  });

  test('without leaves has no root to propose', () => {
    expect(rewardRoot([], DOMAIN)).toBe(`0x${'0'.repeat(64)}`);
    expect(() => new RewardTree([], DOMAIN)).toThrow(expect.objectContaining({ code: 'NO_REWARDS' }));
  });
});
