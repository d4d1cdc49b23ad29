import type { Hex } from 'viem';

import { reachesQuorum } from '../protocol/operatorTable.js';
import { VerificationUnavailableError, type VerificationPool } from '../service/signing/verificationPool.js';
import type { RoundBook, VoteOutcome } from './roundBook.js';
import type { Vote } from './roundPool.js';

/** A BN254 signature under a key of the table, not yet verified. Hex is in lower case. */
export interface Candidate {
  readonly vote: Vote;
  /** What was signed: the certificate digest. */
  readonly digest: Hex;
  /** The signer's point of G2, known to belong to `vote.signer`. */
  readonly g2: Hex;
  /** Who posted it, as far as the network tells. */
  readonly source: string;
}

/** `invalid-signature`, or what the book makes of it. */
export type CandidateOutcome = VoteOutcome | { readonly status: 'refused'; readonly code: 'invalid-signature' };

export interface SignatureCandidatesDependencies {
  readonly book: RoundBook;
  readonly pool: Pick<VerificationPool, 'verify'>;
  readonly openRound: () => number;
  /** What became of a candidate after its poster had its answer, unless it was counted as it was told. */
  readonly onLateOutcome: (round: number, outcome: CandidateOutcome) => void;
}

/** Signatures of one key that wait in one round at most; more are verified before they are answered. */
const WAITING_OF_ONE_KEY = 3;
/** Batches of one round that wait at most; an honest round has one. */
const WAITING_BATCHES = 8;

interface Waiting extends Candidate {
  /** Its poster was told that the round is not open yet. */
  readonly wasEarly: boolean;
}

interface BatchCandidates {
  /** By signer. A key has one valid signature for a batch, so that all but one are wrong for certain. */
  readonly bySigner: Map<Hex, Waiting[]>;
  isVerifying: boolean;
}

/** Candidates for one batch whose sum is to be verified, or is known to be wrong. */
interface Part {
  readonly list: readonly Waiting[];
  readonly isWrong: boolean;
}

interface RoundCandidates {
  readonly batches: Map<Hex, BatchCandidates>;
  /** In whose name, and by whom, something wrong was posted in this round. */
  readonly badKeys: Set<Hex>;
  readonly badSources: Set<string>;
  /** Sources whose candidates are being verified one by one. */
  readonly inspecting: Set<string>;
}

/**
 * BN254 signatures that wait to be verified together. They count by weight until they could carry the quorum; then one pairing
 * verifies them all, and if that fails halving finds the wrong ones. Whoever posted a wrong one is no longer believed in that
 * round: its other signatures are verified one by one, and so is what comes later in that key's name. Nothing unverified reaches
 * the book, and nothing valid is ever dropped for something that is not.
 */
export class SignatureCandidates {
  readonly #dependencies: SignatureCandidatesDependencies;
  readonly #rounds = new Map<number, RoundCandidates>();
  readonly #working = new Set<Promise<void>>();

  constructor(dependencies: SignatureCandidatesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Rounds with signatures that wait. */
  get rounds(): number {
    return this.#rounds.size;
  }

  /** Takes a signature; what may not wait is verified first. Throws VerificationUnavailableError. */
  async take(candidate: Candidate): Promise<CandidateOutcome> {
    const { book, openRound } = this.#dependencies;
    const { round } = candidate.vote.submission.batch;
    const standing = book.standingOf(candidate.vote, openRound());
    if (standing === 'stranger') return { status: 'refused', code: 'unknown-signer' };
    if (standing === 'duplicate') return { status: 'duplicate' };
    if (standing === 'unclear') return this.#verifyAlone(candidate, false);
    const waits = this.#wait({ ...candidate, wasEarly: standing === 'expected' });
    if (waits === 'no-room') return this.#verifyAlone(candidate, true);
    if (waits === 'duplicate') return { status: 'duplicate' };
    this.#advance(round);
    return { status: standing === 'open' ? 'counted' : 'buffered' };
  }

  /** Looks again at every round, after the chain's view of them changed. */
  advance(): void {
    for (const round of this.#rounds.keys()) this.#advance(round);
  }

  /** Resolves when nothing is being verified. */
  async drained(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  #wait(candidate: Waiting): 'waits' | 'duplicate' | 'no-room' {
    const { signer, messageHash, submission } = candidate.vote;
    const { round } = submission.batch;
    const known = this.#rounds.get(round);
    if (known?.badKeys.has(signer) === true || known?.badSources.has(candidate.source) === true) return 'no-room';
    const batch = known?.batches.get(messageHash);
    const ofSigner = batch?.bySigner.get(signer) ?? [];
    if (ofSigner.some(({ vote }) => vote.submission.signature === submission.signature)) return 'duplicate';
    const ofSignerInRound = [...(known?.batches.values() ?? [])].reduce(
      (sum, { bySigner }) => sum + (bySigner.get(signer)?.length ?? 0),
      0,
    );
    if (ofSignerInRound >= WAITING_OF_ONE_KEY) return 'no-room';
    if (batch === undefined && (known?.batches.size ?? 0) >= WAITING_BATCHES) {
      // What a verified vote is for has its place, whatever else was made up to fill them.
      const isVouchedFor = (this.#dependencies.book.roundOf(round)?.pool.weightBehind(messageHash) ?? 0n) > 0n;
      if (!isVouchedFor) return 'no-room';
    }
    const kept = withSharedBody(candidate, batch);
    if (batch !== undefined) {
      batch.bySigner.set(signer, [...ofSigner, kept]);
    } else {
      this.#roundOf(round).batches.set(messageHash, { bySigner: new Map([[signer, [kept]]]), isVerifying: false });
    }
    return 'waits';
  }

  #roundOf(round: number): RoundCandidates {
    const known = this.#rounds.get(round);
    if (known !== undefined) return known;
    const fresh: RoundCandidates = {
      batches: new Map(),
      badKeys: new Set(),
      badSources: new Set(),
      inspecting: new Set(),
    };
    this.#rounds.set(round, fresh);
    return fresh;
  }

  async #verifyAlone(candidate: Candidate, wasInTime: boolean): Promise<CandidateOutcome> {
    const { book, pool, openRound } = this.#dependencies;
    const { signer, messageHash, submission } = candidate.vote;
    const { round } = submission.batch;
    if (!(await pool.verify(candidate.digest, [submission.signature], [candidate.g2], candidate.source))) {
      // Only where something can still wait is it worth remembering whom to distrust.
      if (wasInTime) blame(this.#roundOf(round), candidate);
      this.#advance(round);
      return { status: 'refused', code: 'invalid-signature' };
    }
    const outcome = book.vote(candidate.vote, openRound(), wasInTime);
    // Whatever else waits in this key's name for this batch is wrong.
    this.#drop(round, messageHash, signer);
    this.#advance(round);
    return outcome;
  }

  /** Starts what a round is ready for, and forgets it when it is over and nothing waits. */
  #advance(round: number): void {
    const candidates = this.#rounds.get(round);
    if (candidates === undefined) return;
    const { book, onLateOutcome } = this.#dependencies;
    const known = book.roundOf(round);
    if (known === undefined) {
      if (round >= book.newestRound) return;
      // A round that was passed over unseen cannot be settled any more.
      this.#rounds.delete(round);
      for (const _ of waitingIn(candidates)) onLateOutcome(round, { status: 'refused', code: 'closed-round' });
      return;
    }
    for (const [messageHash, batch] of candidates.batches) {
      if (batch.isVerifying || !this.#isReady(known, candidates, messageHash, batch)) continue;
      batch.isVerifying = true;
      this.#work(
        this.#verifyBatch(round, candidates, messageHash, batch).finally(() => {
          batch.isVerifying = false;
        }),
      );
    }
    for (const source of candidates.badSources) {
      if (candidates.inspecting.has(source)) continue;
      candidates.inspecting.add(source);
      this.#work(this.#inspect(candidates, source).finally(() => candidates.inspecting.delete(source)));
    }
    if (!known.isOpen && candidates.batches.size === 0) this.#rounds.delete(round);
  }

  #work(task: Promise<void>): void {
    const done = task
      .catch((error: unknown) => {
        // What could not be checked goes on waiting, to be looked at again with the next block.
        if (!(error instanceof VerificationUnavailableError)) throw error;
      })
      .finally(() => this.#working.delete(done));
    this.#working.add(done);
  }

  /** A batch is verified as soon as that can bring the quorum; with the quorum, and when the round is over, everything else is. */
  #isReady(
    { pool, isOpen }: KnownRound,
    candidates: RoundCandidates,
    messageHash: Hex,
    batch: BatchCandidates,
  ): boolean {
    const chosen = chooseFrom(candidates, batch);
    const [first] = chosen;
    if (first === undefined) return false;
    if (!isOpen || pool.certificate !== undefined) return true;
    // A reorganisation replaced the snapshot: it cannot count, but may contradict what the key signs now.
    if (this.#dependencies.book.standingOf(first.vote, 0) === 'unclear') return true;
    const { table, policy } = pool.terms;
    const waiting = chosen.reduce((sum, { vote }) => sum + (pool.weightOf(vote.signer) ?? 0n), 0n);
    return reachesQuorum(pool.weightBehind(messageHash) + waiting, table.totalWeight, policy.quorumBps);
  }

  async #verifyBatch(
    round: number,
    candidates: RoundCandidates,
    messageHash: Hex,
    batch: BatchCandidates,
  ): Promise<void> {
    const { book } = this.#dependencies;
    for (;;) {
      const known = book.roundOf(round);
      if (known === undefined) return;
      // The table that the round opened with may not be the one that its early signers were looked up in.
      for (const signer of batch.bySigner.keys()) {
        if (known.pool.weightOf(signer) === undefined) this.#drop(round, messageHash, signer, 'unknown-signer');
      }
      if (!this.#isReady(known, candidates, messageHash, batch)) return;
      await this.#isolate(candidates, chooseFrom(candidates, batch));
    }
  }

  /** Verifies candidates for one batch together, and halves what does not hold until only wrong ones are left. */
  async #isolate(candidates: RoundCandidates, chosen: readonly Waiting[]): Promise<void> {
    // Side by side, what one source posted is told apart in few steps.
    const sorted = chosen.toSorted((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0));
    const parts: Part[] = [{ list: sorted, isWrong: false }];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      // Once a source is caught, its others are inspected one by one and hold nobody up here.
      const list = part.list.filter(({ source }) => !candidates.badSources.has(source));
      if (list.length === 0) continue;
      const isWrong = part.isWrong && list.length === part.list.length;
      if (!isWrong && (await this.#verify(list))) {
        parts.push(...this.#acceptTogether(list));
        continue;
      }
      const [only] = list;
      if (list.length === 1 && only !== undefined) {
        this.#reject(candidates, only);
        continue;
      }
      const middle = Math.floor(list.length / 2);
      const [left, right] = [list.slice(0, middle), list.slice(middle)];
      const isLeftRight = await this.#verify(left);
      // A sum that is wrong with a half that is right has its fault in the other half.
      parts.push({ list: right, isWrong: isLeftRight });
      if (isLeftRight) parts.push(...this.#acceptTogether(left));
      if (!isLeftRight) parts.push({ list: left, isWrong: true });
    }
  }

  /** Verifies what a distrusted source posted one by one, in that source's own turn. */
  async #inspect(candidates: RoundCandidates, source: string): Promise<void> {
    for (;;) {
      const next = waitingIn(candidates).find((candidate) => candidate.source === source);
      if (next === undefined) return;
      if (await this.#verify([next], source)) this.#accept([next]);
      else this.#reject(candidates, next);
    }
  }

  #verify(list: readonly Waiting[], source?: string): Promise<boolean> {
    const [first] = list;
    if (first === undefined) return Promise.resolve(true);
    return this.#dependencies.pool.verify(
      first.digest,
      list.map(({ vote }) => vote.submission.signature),
      list.map(({ g2 }) => g2),
      source,
    );
  }

  /**
   * Hands over signatures whose sum holds. One of a key that has voted meanwhile will not count, and without it the others may not
   * hold: wrong ones of operators that work together cancel out. Then they are parted, and nothing is taken before it is verified again.
   */
  #acceptTogether(list: readonly Waiting[]): Part[] {
    const pool = this.#dependencies.book.roundOf(list[0]?.vote.submission.batch.round ?? 0)?.pool;
    const apart = list.filter(({ vote }) => pool?.votedFor(vote.signer) !== undefined);
    if (list.length === 1 || apart.length === 0) {
      this.#accept(list);
      return [];
    }
    const rest = list.filter((candidate) => !apart.includes(candidate));
    return [rest, ...apart.map((candidate) => [candidate])].map((part) => ({ list: part, isWrong: false }));
  }

  #accept(list: readonly Waiting[]): void {
    const { book, openRound, onLateOutcome } = this.#dependencies;
    const outcomes = book.voteTogether(
      list.map(({ vote }) => vote),
      openRound(),
      true,
    );
    for (const [index, { vote, wasEarly }] of list.entries()) {
      const { round } = vote.submission.batch;
      const outcome = outcomes[index]!;
      if (wasEarly || outcome.status === 'refused') onLateOutcome(round, outcome);
      this.#drop(round, vote.messageHash, vote.signer);
    }
    const [first] = list;
    if (first !== undefined) this.#advance(first.vote.submission.batch.round);
  }

  #reject(candidates: RoundCandidates, candidate: Waiting): void {
    const { signer, messageHash, submission } = candidate.vote;
    const { round } = submission.batch;
    blame(candidates, candidate);
    const batch = candidates.batches.get(messageHash);
    const others = batch?.bySigner.get(signer)?.filter((other) => other !== candidate) ?? [];
    if (others.length > 0) batch?.bySigner.set(signer, others);
    else this.#drop(round, messageHash, signer);
    this.#dependencies.onLateOutcome(round, { status: 'refused', code: 'invalid-signature' });
    this.#advance(round);
  }

  /** Takes out what waits of a key for a batch; with `code` its posters' answers are corrected. */
  #drop(round: number, messageHash: Hex, signer: Hex, code?: 'unknown-signer'): void {
    const candidates = this.#rounds.get(round);
    const batch = candidates?.batches.get(messageHash);
    if (candidates === undefined || batch === undefined) return;
    const dropped = batch.bySigner.get(signer) ?? [];
    batch.bySigner.delete(signer);
    if (batch.bySigner.size === 0) candidates.batches.delete(messageHash);
    if (code === undefined) return;
    for (const _ of dropped) this.#dependencies.onLateOutcome(round, { status: 'refused', code });
  }
}

type KnownRound = NonNullable<ReturnType<RoundBook['roundOf']>>;

/** One candidate a key, of sources that are not distrusted. */
function chooseFrom({ badSources }: RoundCandidates, { bySigner }: BatchCandidates): Waiting[] {
  return [...bySigner.values()].flatMap((ofSigner) => {
    const chosen = ofSigner.find(({ source }) => !badSources.has(source));
    return chosen === undefined ? [] : [chosen];
  });
}

function waitingIn({ batches }: RoundCandidates): Waiting[] {
  return [...batches.values()].flatMap(({ bySigner }) => [...bySigner.values()].flat());
}

function blame(candidates: RoundCandidates, { vote, source }: Candidate): void {
  candidates.badKeys.add(vote.signer);
  candidates.badSources.add(source);
}

/** Equal digests stand for equal batches and records, so one copy is kept, however many signatures wait. */
function withSharedBody(candidate: Waiting, batch: BatchCandidates | undefined): Waiting {
  const first = batch?.bySigner.values().next().value?.[0];
  if (first === undefined) return candidate;
  const { batch: sharedBatch, records } = first.vote.submission;
  const submission = { ...candidate.vote.submission, batch: sharedBatch, records };
  return { ...candidate, vote: { ...candidate.vote, submission } };
}
