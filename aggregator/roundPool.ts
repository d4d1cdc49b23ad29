import type { Address, Hex } from 'viem';

import type { RoundContext } from '../chain/sync/roundFollower.js';
import { reachesQuorum } from '../protocol/operatorTable.js';
import type { SignatureSubmission } from '../service/signatureApi.js';

/** What certificates of a round must name, and who may sign them. */
export type RoundTerms = Pick<
  RoundContext,
  'round' | 'snapshotBlock' | 'nextSnapshotBlock' | 'policy' | 'policyHash' | 'operatorSetKey' | 'table'
> & { readonly snapshotHash: Hex };

/** A signature whose signer is known because it was recovered from it. */
export interface Vote {
  readonly signer: Address;
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
  weightOf(signer: Address): bigint | undefined {
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

  /** Weight behind each batch. */
  get groups(): readonly { readonly messageHash: Hex; readonly weight: bigint; readonly signers: number }[] {
    return [...this.#groups].map(([messageHash, { weight, votes }]) => ({
      messageHash,
      weight,
      signers: votes.length,
    }));
  }

  /** Counts a vote that fits the terms; a signer's first vote stays the one that counts. Throws RangeError for a stranger's. */
  add(vote: Vote): AddedVote {
    const weight = this.weightOf(vote.signer);
    if (weight === undefined) throw new RangeError(`${vote.signer} is not in the table of round ${this.terms.round}`);
    const first = this.#votes.get(vote.signer.toLowerCase());
    if (first !== undefined) return { outcome: first.messageHash === vote.messageHash ? 'duplicate' : 'conflict' };
    this.#votes.set(vote.signer.toLowerCase(), vote);
    const group = this.#groups.get(vote.messageHash) ?? { weight: 0n, votes: [] };
    group.weight += weight;
    group.votes.push(vote);
    this.#groups.set(vote.messageHash, group);
    if (
      this.#certificate !== undefined ||
      !reachesQuorum(group.weight, this.terms.table.totalWeight, this.terms.policy.quorumBps)
    ) {
      return { outcome: 'counted' };
    }
    this.#certificate = { terms: this.terms, messageHash: vote.messageHash, votes: [...group.votes] };
    return { outcome: 'counted', certificate: this.#certificate };
  }
}
