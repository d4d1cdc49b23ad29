import type { Hex } from 'viem';

import type { RoundContext } from '../chain/sync/roundFollower.js';
import { reachesQuorum } from '../protocol/operatorTable.js';
import type { SignatureSubmission } from '../service/signatureApi.js';

/** What certificates of a round must name, and who may sign them. */
export type RoundTerms = Pick<
  RoundContext,
  'round' | 'snapshotBlock' | 'nextSnapshotBlock' | 'policy' | 'policyHash' | 'operatorSetKey' | 'table'
> & { readonly snapshotHash: Hex };

/** A signature whose signer is known: recovered from it (ECDSA), or named and verified (BN254). */
export interface Vote {
  /** The key as the operator table names it, an address or X and Y of a point of G1; letters of any case. */
  readonly signer: Hex;
  readonly messageHash: Hex;
  readonly submission: SignatureSubmission;
}

/** Votes for one batch that together carry the quorum. */
export interface Certificate {
  readonly terms: RoundTerms;
  readonly messageHash: Hex;
  readonly votes: readonly Vote[];
}

export interface AddedVote {
  readonly outcome: 'counted' | 'duplicate' | 'conflict';
  /** Set with the vote that brought a group over the quorum; at most once a pool. */
  readonly certificate?: Certificate;
}

/** The votes of one round under one set of terms, grouped by what they sign. Every vote in it is valid and of the table. */
export class RoundPool {
  readonly terms: RoundTerms;
  readonly #weights: ReadonlyMap<string, bigint>;
  readonly #votes = new Map<string, Vote>();
  readonly #groups = new Map<Hex, { weight: bigint; votes: Vote[] }>();
  #certificate: Certificate | undefined;

  constructor(terms: RoundTerms) {
    this.terms = terms;
    this.#weights = new Map(terms.table.entries.map(({ key, weight }) => [key.toLowerCase(), weight]));
  }

  /** Weight of a signer in the round's table; undefined for a stranger. */
  weightOf(signer: Hex): bigint | undefined {
    return this.#weights.get(signer.toLowerCase());
  }

  /** The votes counted so far, one a signer. */
  get votes(): readonly Vote[] {
    return [...this.#votes.values()];
  }

  /** The first quorum that was reached. */
  get certificate(): Certificate | undefined {
    return this.#certificate;
  }

  /** What a signer's vote that counts is for; undefined while it has none. */
  votedFor(signer: Hex): Hex | undefined {
    return this.#votes.get(signer.toLowerCase())?.messageHash;
  }

  /** Weight of the votes for a batch. */
  weightBehind(messageHash: Hex): bigint {
    return this.#groups.get(messageHash)?.weight ?? 0n;
  }

  /** Counts a vote that fits the terms; a signer's first vote stays the one that counts. Throws RangeError for a stranger's. */
  add(vote: Vote): AddedVote {
    return this.addTogether([vote])[0]!;
  }

  /**
   * Counts votes for one batch as `add` does, and looks for the quorum after the last: signatures that were verified as a sum may hold
   * only together, so that a certificate has all of them or none.
   */
  addTogether(votes: readonly Vote[]): AddedVote[] {
    const outcomes = votes.map((vote) => this.#count(vote));
    const last = outcomes.lastIndexOf('counted');
    const certificate = last < 0 ? undefined : this.#certify(votes[last]!.messageHash);
    return outcomes.map((outcome, index) =>
      index === last && certificate !== undefined ? { outcome, certificate } : { outcome },
    );
  }

  #count(vote: Vote): AddedVote['outcome'] {
    const weight = this.weightOf(vote.signer);
    if (weight === undefined) throw new RangeError(`${vote.signer} is not in the table of round ${this.terms.round}`);
    const first = this.#votes.get(vote.signer.toLowerCase());
    if (first !== undefined) return first.messageHash === vote.messageHash ? 'duplicate' : 'conflict';
    this.#votes.set(vote.signer.toLowerCase(), vote);
    const group = this.#groups.get(vote.messageHash) ?? { weight: 0n, votes: [] };
    group.weight += weight;
    group.votes.push(vote);
    this.#groups.set(vote.messageHash, group);
    return 'counted';
  }

  /** The round's first certificate, if the batch just came to carry the quorum. */
  #certify(messageHash: Hex): Certificate | undefined {
    const group = this.#groups.get(messageHash);
    const { table, policy } = this.terms;
    if (this.#certificate !== undefined || group === undefined) return undefined;
    if (!reachesQuorum(group.weight, table.totalWeight, policy.quorumBps)) return undefined;
    this.#certificate = { terms: this.terms, messageHash, votes: [...group.votes] };
    return this.#certificate;
  }
}
