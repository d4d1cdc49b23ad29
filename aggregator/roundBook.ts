import type { Hex } from 'viem';

import type { RoundContext } from '../chain/sync/roundFollower.js';
import { RoundPool, type Certificate, type RoundTerms, type Vote } from './roundPool.js';

/** Where a round stands for who posts a signature. */
export type RoundPosition = 'closed' | 'open' | 'expected' | 'too-far';

/**
 * What the book can tell of a signature before it is verified. `stranger`: its key is not in the round's table; `duplicate`: the
 * key's vote for this batch counts already; `open`: it fits the terms of an open round; `expected`: the same for a round to come,
 * as far as the newest table tells; `unclear`: whatever else, to be verified before anything is said.
 */
export type Standing = 'stranger' | 'duplicate' | 'open' | 'expected' | 'unclear';

/** How a verified signature fared. */
export type VoteOutcome =
  | { readonly status: 'counted' | 'duplicate' | 'buffered' }
  | { readonly status: 'refused'; readonly code: VoteRefusal };

export type VoteRefusal =
  | 'closed-round'
  | 'round-too-far'
  | 'unknown-signer'
  | 'wrong-snapshot'
  | 'wrong-policy'
  | 'wrong-operator-set'
  | 'unknown-table'
  | 'conflicting-signature'
  | 'buffer-full';

export interface RoundBookOptions {
  /** Rounds after the newest known one whose signatures are buffered. */
  readonly bufferedRounds: number;
  /** Signatures of keys outside the newest known table that are buffered at most, over all rounds. */
  readonly bufferedSignatures: number;
  /** Closed rounds that are remembered. */
  readonly keptRounds: number;
}

export interface RoundBookDependencies {
  /** A quorum was reached, once for each round and set of terms. */
  readonly onQuorum: (certificate: Certificate, secondsSinceSnapshot: number) => void;
  /** One key signed two batches of a round; called once a round and key. Must make it durable. */
  readonly onConflict: (round: number, first: Vote, second: Vote) => void;
  /** A vote for another batch than the quorum's, once a round and key. Must make it durable. */
  readonly onDissent: (round: number, vote: Vote) => void;
  readonly onBufferedOutcome: (round: number, outcome: VoteOutcome) => void;
  readonly onClosed: (summary: RoundSummary) => void;
  readonly monotonicMs: () => number;
}

/** How a round was settled on the chain. */
export interface Settled {
  /** TAKEN_ROUND_HASH when no batch settled it: a self-match or the growth of a lease took its place. */
  readonly messageHash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
}

/** A round after it closed, for everybody to read. */
export interface RoundSummary {
  readonly round: number;
  readonly snapshotBlock: number;
  readonly snapshotHash: Hex;
  readonly totalWeight: string;
  readonly quorumMessageHash: Hex | null;
  readonly participants: readonly { readonly signer: Hex; readonly messageHash: Hex }[];
  readonly conflicts: readonly Hex[];
  readonly settled: Settled | null;
}

/** Two batches of one round prove a conflict; more of them prove nothing else. */
const BUFFERED_OF_ONE_SIGNER = 2;

interface Entry {
  pool: RoundPool;
  readonly openedAtMs: number;
  /** First signature seen of every key of the table, also one that fits no terms. */
  readonly firstSeen: Map<string, Vote>;
  readonly conflicts: Set<string>;
  readonly dissents: Set<string>;
  closed: boolean;
  settled: Settled | null;
}

/**
 * The aggregator's view of rounds: which are open, who signed what in them. It is told the chain's view and verified
 * signatures; it verifies nothing itself and waits for nobody.
 */
export class RoundBook {
  readonly #options: RoundBookOptions;
  readonly #dependencies: RoundBookDependencies;
  readonly #entries = new Map<number, Entry>();
  readonly #buffer = new Map<number, Map<string, Vote>>();
  #buffered = 0;
  #newestRound = 0;

  constructor(options: RoundBookOptions, dependencies: RoundBookDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Rounds that can still be settled. */
  get openRounds(): number {
    return [...this.#entries.values()].filter(({ closed }) => !closed).length;
  }

  /** The newest round whose snapshot is known, 0 for none. */
  get newestRound(): number {
    return this.#newestRound;
  }

  /** Where a round stands; `openRound` is the chain's own open round as last heard. */
  positionOf(round: number, openRound: number): RoundPosition {
    const entry = this.#entries.get(round);
    if (entry !== undefined) return entry.closed ? 'closed' : 'open';
    const newest = Math.max(this.#newestRound, openRound);
    if (round < newest) return 'closed';
    // The open round itself may be known to others a moment before it is delivered here.
    return round <= newest + this.#options.bufferedRounds ? 'expected' : 'too-far';
  }

  /** Whether the signers of a round, open or closed, are still known. */
  remembers(round: number): boolean {
    return this.#entries.has(round);
  }

  /** What is known of a signature by its signer and batch alone. */
  standingOf(posted: Vote, openRound: number): Standing {
    const { round, tableHash } = posted.submission.batch;
    const entry = this.#entries.get(round);
    if (entry === undefined) {
      const newest = this.#entries.get(this.#newestRound)?.pool;
      if (newest?.terms.table.hash !== tableHash || this.positionOf(round, openRound) !== 'expected') return 'unclear';
      return newest.weightOf(posted.signer) === undefined ? 'stranger' : 'expected';
    }
    if (entry.pool.weightOf(posted.signer) === undefined) return 'stranger';
    if (entry.closed || mismatchOf(posted, entry.pool.terms) !== undefined) return 'unclear';
    return entry.pool.votedFor(posted.signer) === posted.messageHash ? 'duplicate' : 'open';
  }

  /** The votes of a round under its present terms, and whether it can still be settled; undefined for one that is not known. */
  roundOf(round: number): { readonly pool: RoundPool; readonly isOpen: boolean } | undefined {
    const entry = this.#entries.get(round);
    return entry === undefined ? undefined : { pool: entry.pool, isOpen: !entry.closed };
  }

  /** Takes the terms of a round, again after a reorganisation replaced its snapshot, and counts what was buffered for it. */
  open(context: RoundContext): void {
    const terms: RoundTerms = {
      round: context.round,
      snapshotBlock: context.snapshotBlock,
      nextSnapshotBlock: context.nextSnapshotBlock,
      snapshotHash: context.snapshot.snapshotHash,
      policy: context.policy,
      policyHash: context.policyHash,
      operatorSetKey: context.operatorSetKey,
      table: context.table,
    };
    const known = this.#entries.get(terms.round);
    if (known === undefined) {
      this.#entries.set(terms.round, {
        pool: new RoundPool(terms),
        openedAtMs: this.#dependencies.monotonicMs(),
        firstSeen: new Map(),
        conflicts: new Set(),
        dissents: new Set(),
        closed: false,
        settled: null,
      });
    } else {
      known.closed = false;
      // What was signed on the abandoned branch no longer counts, but stays first for telling conflicts.
      if (known.pool.terms.snapshotHash !== terms.snapshotHash) known.pool = new RoundPool(terms);
    }
    this.#newestRound = Math.max(this.#newestRound, terms.round);
    const waiting = this.#buffer.get(terms.round);
    if (waiting !== undefined) {
      this.#buffer.delete(terms.round);
      this.#buffered -= waiting.size;
      for (const vote of waiting.values())
        this.#dependencies.onBufferedOutcome(terms.round, this.vote(vote, terms.round));
    }
    this.#forget();
  }

  /**
   * Takes a verified signature. `openRound` is the chain's own open round as last heard. One that was posted in time counts as
   * participation even if its round closed while it was verified.
   */
  vote(posted: Vote, openRound: number, wasInTime = false): VoteOutcome {
    return this.voteTogether([posted], openRound, wasInTime)[0]!;
  }

  /** Takes signatures for one batch that were verified as a sum, as `vote` does; a quorum has all of them that count. */
  voteTogether(posted: readonly Vote[], openRound: number, wasInTime = false): VoteOutcome[] {
    const round = posted[0]?.submission.batch.round;
    const entry = round === undefined ? undefined : this.#entries.get(round);
    if (round === undefined || entry === undefined) return posted.map((vote) => this.#bufferVote(vote, openRound));
    const seen = posted.map((vote) => this.#see(entry, round, vote, wasInTime));
    const added = entry.pool.addTogether(seen.flatMap(({ refused, vote }) => (refused === undefined ? [vote] : [])));
    let next = 0;
    const outcomes = seen.map(({ refused, vote, isConflicting }): VoteOutcome => {
      if (refused !== undefined) return { status: 'refused', code: refused };
      const { outcome } = added[next++]!;
      if (outcome === 'conflict') return { status: 'refused', code: 'conflicting-signature' };
      if (outcome === 'duplicate') return { status: 'duplicate' };
      if (entry.pool.certificate !== undefined && !isConflicting) {
        this.#noteDissent(entry, round, vote, entry.pool.certificate.messageHash);
      }
      return { status: 'counted' };
    });
    const certificate = added.find((vote) => vote.certificate !== undefined)?.certificate;
    if (certificate !== undefined) {
      // The settlement first: writing evidence waits for the disk.
      if (!entry.closed) {
        this.#dependencies.onQuorum(certificate, (this.#dependencies.monotonicMs() - entry.openedAtMs) / 1000);
      }
      for (const counted of entry.pool.votes) this.#noteDissent(entry, round, counted, certificate.messageHash);
    }
    return outcomes;
  }

  /** A round's certificate, if it reached the quorum under its present terms and can still be settled. */
  certificateOf(round: number): Certificate | undefined {
    const entry = this.#entries.get(round);
    return entry === undefined || entry.closed ? undefined : entry.pool.certificate;
  }

  /** Certificates that can still be settled but are not, as far as the chain was followed. */
  unsettled(): Certificate[] {
    return [...this.#entries.values()].flatMap(({ closed, settled, pool }) =>
      closed || settled !== null || pool.certificate === undefined ? [] : [pool.certificate],
    );
  }

  /** Notes that the chain settled a round; returns blocks from its snapshot to the settlement, if its snapshot is known. */
  settled(round: number, settled: Settled): number | undefined {
    const entry = this.#entries.get(round);
    if (entry === undefined) return undefined;
    entry.settled = settled;
    return settled.blockNumber - entry.pool.terms.snapshotBlock;
  }

  /** Takes back what happened above `commonBlock`; returns the rounds whose settlement went with it. */
  rollBack(commonBlock: number): number[] {
    const undone: number[] = [];
    for (const [round, entry] of this.#entries) {
      if (entry.settled !== null && entry.settled.blockNumber > commonBlock) {
        entry.settled = null;
        undone.push(round);
      }
      if (entry.closed && entry.pool.terms.nextSnapshotBlock > commonBlock) entry.closed = false;
    }
    return undone;
  }

  /** Closes every round whose last block is `headBlock` or before. */
  advance(headBlock: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.closed || headBlock < entry.pool.terms.nextSnapshotBlock) continue;
      entry.closed = true;
      this.#dependencies.onClosed(summaryOf(entry));
    }
  }

  /** A closed round as anyone may read it; undefined while it is open, or forgotten, or was never seen. */
  summary(round: number): RoundSummary | undefined {
    const entry = this.#entries.get(round);
    return entry === undefined || !entry.closed ? undefined : summaryOf(entry);
  }

  /** Looks at a vote of a known round: what keeps it from counting, and whether it contradicts an earlier one of its key. */
  #see(
    entry: Entry,
    round: number,
    posted: Vote,
    wasInTime: boolean,
  ): { vote: Vote; refused: VoteRefusal | undefined; isConflicting: boolean } {
    if (entry.pool.weightOf(posted.signer) === undefined) {
      return { vote: posted, refused: 'unknown-signer', isConflicting: false };
    }
    const vote = withSharedBody(posted, entry);
    const isConflicting = this.#noteSeen(entry, round, vote);
    const late = entry.closed && !wasInTime ? 'closed-round' : undefined;
    return { vote, refused: mismatchOf(vote, entry.pool.terms) ?? late, isConflicting };
  }

  /** Remembers the first signature of a key in a round; true when this one contradicts it. */
  #noteSeen(entry: Entry, round: number, vote: Vote): boolean {
    const key = vote.signer.toLowerCase();
    const first = entry.firstSeen.get(key);
    if (first === undefined) {
      entry.firstSeen.set(key, vote);
      return false;
    }
    if (first.messageHash === vote.messageHash) return false;
    if (!entry.conflicts.has(key)) {
      entry.conflicts.add(key);
      this.#dependencies.onConflict(round, first, vote);
    }
    return true;
  }

  #noteDissent(entry: Entry, round: number, vote: Vote, quorum: Hex): void {
    const key = vote.signer.toLowerCase();
    if (vote.messageHash === quorum || entry.dissents.has(key)) return;
    entry.dissents.add(key);
    this.#dependencies.onDissent(round, vote);
  }

  #bufferVote(vote: Vote, openRound: number): VoteOutcome {
    const { round, tableHash } = vote.submission.batch;
    const position = this.positionOf(round, openRound);
    if (position === 'closed') return { status: 'refused', code: 'closed-round' };
    if (position === 'too-far') return { status: 'refused', code: 'round-too-far' };
    // Under the table of the newest round strangers are known already, so that they cannot fill the buffer.
    const newest = this.#entries.get(this.#newestRound)?.pool;
    if (newest?.terms.table.hash === tableHash && newest.weightOf(vote.signer) === undefined) {
      return { status: 'refused', code: 'unknown-signer' };
    }
    const waiting = this.#buffer.get(round) ?? new Map<string, Vote>();
    const key = `${vote.signer.toLowerCase()}${vote.messageHash}`;
    if (waiting.has(key)) return { status: 'duplicate' };
    const ofSigner = [...waiting.keys()].filter((other) => other.startsWith(vote.signer.toLowerCase()));
    if (ofSigner.length >= BUFFERED_OF_ONE_SIGNER) return { status: 'refused', code: 'conflicting-signature' };
    // What strangers fill up is not for the operators that are known: they are few, and each has its own bound.
    const isKnown = newest?.weightOf(vote.signer) !== undefined;
    if (!isKnown && this.#buffered >= this.#options.bufferedSignatures)
      return { status: 'refused', code: 'buffer-full' };
    waiting.set(key, vote);
    this.#buffer.set(round, waiting);
    this.#buffered++;
    return { status: 'buffered' };
  }

  #forget(): void {
    for (const round of this.#entries.keys()) {
      if (round <= this.#newestRound - this.#options.keptRounds) this.#entries.delete(round);
    }
    for (const [round, waiting] of this.#buffer) {
      if (round >= this.#newestRound) continue;
      this.#buffer.delete(round);
      this.#buffered -= waiting.size;
      for (const _ of waiting) {
        this.#dependencies.onBufferedOutcome(round, { status: 'refused', code: 'closed-round' });
      }
    }
  }
}

/** Equal digests stand for equal batches and records, so one copy is kept, however many keys signed it. */
function withSharedBody(vote: Vote, { firstSeen }: Entry): Vote {
  for (const seen of firstSeen.values()) {
    if (seen.messageHash !== vote.messageHash) continue;
    const { batch, records } = seen.submission;
    return { ...vote, submission: { ...vote.submission, batch, records } };
  }
  return vote;
}

function mismatchOf(vote: Vote, terms: RoundTerms): VoteRefusal | undefined {
  const { batch } = vote.submission;
  if (batch.snapshotHash !== terms.snapshotHash || batch.snapshotBlock !== terms.snapshotBlock) return 'wrong-snapshot';
  if (batch.policyHash !== terms.policyHash) return 'wrong-policy';
  if (batch.operatorSetKey !== terms.operatorSetKey) return 'wrong-operator-set';
  if (batch.tableTimestamp !== terms.table.timestamp || batch.tableHash !== terms.table.hash) return 'unknown-table';
  return undefined;
}

function summaryOf(entry: Entry): RoundSummary {
  const { terms, votes, certificate } = entry.pool;
  return {
    round: terms.round,
    snapshotBlock: terms.snapshotBlock,
    snapshotHash: terms.snapshotHash,
    totalWeight: terms.table.totalWeight.toString(),
    quorumMessageHash: certificate?.messageHash ?? null,
    participants: votes.map(({ signer, messageHash }) => ({ signer, messageHash })),
    conflicts: [...entry.conflicts]
      .map((key) => entry.firstSeen.get(key)?.signer)
      .filter((signer) => signer !== undefined),
    settled: entry.settled,
  };
}
