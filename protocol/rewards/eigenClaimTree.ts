import { encodePacked, keccak256, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { merkleProof, merkleRoot } from '../eigenMerkleTree.js';

/** What an earner has earned of a token since the beginning, smallest units. */
export interface CumulativeEarning {
  readonly earner: Address;
  readonly token: Address;
  readonly cumulative: bigint;
}

/** A claim as RewardsCoordinator.processClaim takes it. */
export interface RewardsClaim {
  readonly rootIndex: number;
  readonly earnerIndex: number;
  readonly earnerTreeProof: Hex;
  readonly earnerLeaf: { readonly earner: Address; readonly earnerTokenRoot: Hex };
  readonly tokenIndices: readonly number[];
  readonly tokenTreeProofs: readonly Hex[];
  readonly tokenLeaves: readonly { readonly token: Address; readonly cumulativeEarnings: bigint }[];
}

/** The tree holds nothing of an earner, or nothing of one of the tokens. */
export class NothingEarnedError extends MatchmakerError<'NOTHING_EARNED'> {
  constructor(earner: Address, token: Address | null) {
    super(
      'NOTHING_EARNED',
      `${earner} has earned nothing${token === null ? '' : ` of token ${token}`} in this distribution: name another earner, or wait for the next root`,
      { metadata: { earner, token } },
    );
  }
}

interface EarnerTokens {
  readonly earner: Address;
  readonly tokens: readonly { readonly token: Address; readonly cumulativeEarnings: bigint }[];
}

/**
 * EigenLayer's distribution tree: keccak256(0x00 || earner || root of its tokens) by earner, keccak256(0x01 || token || cumulative) by token,
 * both ascending by address, in EigenLayer's Merkle trees. Earnings of nothing are left out; those of one earner and token are added up.
 */
export class EigenClaimTree {
  readonly #earners: readonly EarnerTokens[];
  readonly #earnerLeaves: readonly Hex[];

  /** The order of earnings does not matter. */
  constructor(earnings: readonly CumulativeEarning[]) {
    const byEarner = new Map<Address, Map<Address, bigint>>();
    for (const { earner, token, cumulative } of earnings) {
      if (cumulative <= 0n) continue;
      const tokens = byEarner.get(lowerCase(earner)) ?? new Map<Address, bigint>();
      byEarner.set(lowerCase(earner), tokens);
      tokens.set(lowerCase(token), (tokens.get(lowerCase(token)) ?? 0n) + cumulative);
    }
    this.#earners = [...byEarner].sort(ascending).map(([earner, tokens]) => ({
      earner,
      tokens: [...tokens].sort(ascending).map(([token, cumulativeEarnings]) => ({ token, cumulativeEarnings })),
    }));
    this.#earnerLeaves = this.#earners.map((entry) => earnerLeaf(entry.earner, tokenRoot(entry)));
  }

  /** Root of the earners' tree. Throws RangeError for a tree without earnings. */
  get root(): Hex {
    return merkleRoot(this.#earnerLeaves);
  }

  /** Everything in the tree, ascending by earner and token. */
  get earnings(): readonly CumulativeEarning[] {
    return this.#earners.flatMap(({ earner, tokens }) =>
      tokens.map(({ token, cumulativeEarnings }) => ({ earner, token, cumulative: cumulativeEarnings })),
    );
  }

  /** The claim of an earner's tokens, by default of all that it has earned. Throws NothingEarnedError. */
  claimOf(rootIndex: number, earner: Address, tokens?: readonly Address[]): RewardsClaim {
    const earnerIndex = this.#earners.findIndex((entry) => entry.earner === lowerCase(earner));
    const entry = this.#earners[earnerIndex];
    if (entry === undefined) throw new NothingEarnedError(earner, null);
    const leaves = entry.tokens.map(tokenLeaf);
    const claimed = (tokens ?? entry.tokens.map(({ token }) => token)).map((token) => {
      const index = entry.tokens.findIndex((row) => row.token === lowerCase(token));
      const leaf = entry.tokens[index];
      if (leaf === undefined) throw new NothingEarnedError(earner, token);
      return { index, leaf };
    });
    return {
      rootIndex,
      earnerIndex,
      earnerTreeProof: merkleProof(this.#earnerLeaves, earnerIndex),
      earnerLeaf: { earner: entry.earner, earnerTokenRoot: tokenRoot(entry) },
      tokenIndices: claimed.map(({ index }) => index),
      tokenTreeProofs: claimed.map(({ index }) => merkleProof(leaves, index)),
      tokenLeaves: claimed.map(({ leaf }) => leaf),
    };
  }
}

/** keccak256(0x00 || earner || root of its tokens). */
export function earnerLeaf(earner: Address, earnerTokenRoot: Hex): Hex {
  return keccak256(encodePacked(['uint8', 'address', 'bytes32'], [0, earner, earnerTokenRoot]));
}

/** keccak256(0x01 || token || cumulative earnings). */
export function tokenLeaf({ token, cumulativeEarnings }: EarnerTokens['tokens'][number]): Hex {
  return keccak256(encodePacked(['uint8', 'address', 'uint256'], [1, token, cumulativeEarnings]));
}

function tokenRoot({ tokens }: EarnerTokens): Hex {
  return merkleRoot(tokens.map(tokenLeaf));
}

function ascending([a]: readonly [Address, unknown], [b]: readonly [Address, unknown]): number {
  return a < b ? -1 : 1;
}

function lowerCase(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`;
}
