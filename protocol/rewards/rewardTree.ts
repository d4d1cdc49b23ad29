import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { CumulativeReward } from './eraInput.js';

/** The rewarder that a tree's leaves are for. */
export interface RewardDomain {
  readonly chainId: number;
  readonly rewarder: Address;
}

/** No leaf of the tree is the earner's. */
export class EarnerNotInTreeError extends MatchmakerError<'EARNER_NOT_IN_TREE'> {
  constructor(earner: Address) {
    super('EARNER_NOT_IN_TREE', `${earner} has no reward in this distribution`, { metadata: { earner } });
  }
}

/** A distribution without a leaf has no root. */
export class NoRewardsError extends MatchmakerError<'NO_REWARDS'> {
  constructor() {
    super('NO_REWARDS', 'nobody has earned anything yet: there is no root to propose');
  }
}

const LEAF_TYPES = ['uint256', 'address', 'address', 'uint256'];
type Leaf = [string, Address, Address, string];

/** The Merkle tree of a distribution, as Rewarder.claim verifies it: chain id, rewarder, earner, cumulative, hashed twice, pairs sorted. */
export class RewardTree {
  readonly #tree: StandardMerkleTree<Leaf>;
  readonly #leaves: ReadonlyMap<string, { readonly leaf: Leaf; readonly cumulative: bigint }>;

  /** The order of leaves does not matter. Throws NoRewardsError for an empty list. */
  constructor(leaves: readonly CumulativeReward[], domain: RewardDomain) {
    if (leaves.length === 0) throw new NoRewardsError();
    const entries = leaves.map(({ earner, cumulative }) => {
      const leaf: Leaf = [String(domain.chainId), domain.rewarder, earner, String(cumulative)];
      return [earner.toLowerCase(), { leaf, cumulative }] as const;
    });
    this.#leaves = new Map(entries);
    this.#tree = StandardMerkleTree.of(
      entries.map(([, { leaf }]) => leaf),
      LEAF_TYPES,
    );
  }

  get root(): Hex {
    return hex(this.#tree.root);
  }

  /** An earner's cumulative amount and its proof. Throws EarnerNotInTreeError. */
  proofOf(earner: Address): { readonly cumulative: bigint; readonly proof: readonly Hex[] } {
    const entry = this.#leaves.get(earner.toLowerCase());
    if (entry === undefined) throw new EarnerNotInTreeError(earner);
    return { cumulative: entry.cumulative, proof: this.#tree.getProof(entry.leaf).map(hex) };
  }
}

/** Root of a distribution; 32 zero bytes for one without leaves, which is never proposed. */
export function rewardRoot(leaves: readonly CumulativeReward[], domain: RewardDomain): Hex {
  return leaves.length === 0 ? `0x${'0'.repeat(64)}` : new RewardTree(leaves, domain).root;
}

function hex(text: string): Hex {
  return `0x${text.slice(2)}`;
}
