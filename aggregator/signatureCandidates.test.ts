import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { keccak256, numberToHex, type Hex } from 'viem';

import { bn254CertificateDigest } from '../protocol/bn254Certificate.js';
import { BN254_FIELD, decodeG1, encodeG1, sumG1 } from '../protocol/bn254Points.js';
import { hashMatchBatch, type MatchBatch } from '../protocol/matchBatch.js';
import { HttpProblem } from '../service/problem.js';
import type { SignatureSubmission, SubmissionSigner } from '../service/signatureApi.js';
import { loadCurves, type Curves } from '../service/signing/curves.js';
import { VerificationPool, VerificationUnavailableError } from '../service/signing/verificationPool.js';
import { hashOf, INTAKE_DOMAIN, IntakeRounds } from '../test/support/intakeRounds.js';
import { ConflictEvidence } from './conflictEvidence.js';
import { RoundBook } from './roundBook.js';
import type { Certificate, Vote } from './roundPool.js';
import { SignatureCandidates, type CandidateOutcome } from './signatureCandidates.js';
import { SignatureIntake } from './signatureIntake.js';

interface Operator extends SubmissionSigner {
  readonly secret: Hex;
}

let curves: Curves;
/** Of equal weight: 14 of 20 are a quorum. */
let operators: Operator[];
let rounds: IntakeRounds;
let book: RoundBook;
let pool: VerificationPool;
let candidates: SignatureCandidates;
let intake: SignatureIntake;
let quorums: Certificate[];
let conflicts: [Vote, Vote][];
let unproven: [Vote, Vote][];
let evidence: ConflictEvidence;
let late: CandidateOutcome[];
let openRound: number;
/** Signatures in each pairing made, and who it was made for; those of keys apart. */
let pairings: { signatures: number; source: string | undefined }[];
let keyPairings: number;

beforeAll(async () => {
  curves = await loadCurves();
  operators = Array.from({ length: 20 }, (_, index) => {
    const secret = numberToHex(1_000 + index, { size: 32 });
    return { secret, ...curves.bn254.publicKey(secret) };
  });
  rounds = new IntakeRounds(operators.map(({ g1 }) => ({ key: g1, weight: 5n })));
});
beforeEach(() => {
  [quorums, conflicts, unproven, late, pairings, keyPairings, openRound] = [[], [], [], [], [], 0, 0];
  pool = new VerificationPool({ queueLimit: 1_000, workerFile: '/none' }, { curves, onWorkerLost: () => undefined });
  const verify = pool.verify.bind(pool);
  pool.verify = (digest, signatures, keys, source) => {
    pairings.push({ signatures: signatures.length, source });
    return verify(digest, signatures, keys, source);
  };
  const keysMatch = pool.keysMatch.bind(pool);
  pool.keysMatch = (...parameters) => {
    keyPairings++;
    return keysMatch(...parameters);
  };
  evidence = new ConflictEvidence({
    pool,
    onProven: (_round, first, second) => conflicts.push([first, second]),
    onUnproven: (_round, first, second) => unproven.push([first, second]),
  });
  book = new RoundBook(
    { bufferedRounds: 2, bufferedSignatures: 3, keptRounds: 16 },
    {
      monotonicMs: () => 0,
      onQuorum: (certificate) => quorums.push(certificate),
      onConflict: (round, first, second) => evidence.add(round, first, second),
      onDissent: () => undefined,
      onBufferedOutcome: (_round, outcome) => late.push(outcome),
      onClosed: () => undefined,
    },
  );
  candidates = new SignatureCandidates({
    book,
    pool,
    openRound: () => openRound,
    onLateOutcome: (_round, outcome) => late.push(outcome),
  });
  intake = new SignatureIntake(
    { ...INTAKE_DOMAIN, curve: 'bn254' },
    { book, pool, candidates, openRound: () => openRound },
  );
});
afterEach(() => pool.stop());

type Batch = { batch: MatchBatch; records: Hex };

function digestOf({ batch }: Batch): Hex {
  return bn254CertificateDigest(batch.tableTimestamp, hashMatchBatch(batch, INTAKE_DOMAIN));
}

function signed(index: number, body: Batch = rounds.batch(5)): SignatureSubmission {
  const { secret, g1, g2 } = operators[index]!;
  return { ...body, signature: curves.bn254.sign(digestOf(body), secret), signer: { g1, g2 } };
}

/** A point of the curve in an operator's name that is not its signature, another for each `salt`. */
function forged(index: number, salt = 0, body: Batch = rounds.batch(5)): SignatureSubmission {
  const { g1, g2 } = operators[index]!;
  return { ...body, signature: curves.bn254.sign(keccak256(hashOf(salt)), operators[0]!.secret), signer: { g1, g2 } };
}

/** Status or code of the answer. */
async function post(submission: SignatureSubmission, source = submission.signer?.g1 ?? ''): Promise<string> {
  try {
    return await intake.receive(submission, source);
  } catch (error) {
    if (error instanceof HttpProblem) return error.code;
    throw error;
  }
}

async function settled(): Promise<void> {
  await candidates.drained();
  await evidence.drained();
}

function openAt(round: number): void {
  openRound = round;
  book.open(rounds.context(round));
  candidates.advance();
}

function close(round: number): void {
  book.advance(rounds.context(round).nextSnapshotBlock);
  candidates.advance();
}

function signersOf(certificate: Certificate | undefined): Set<Hex> {
  return new Set(certificate?.votes.map(({ signer }) => signer));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

test('nothing is paired below the quorum; then one pairing verifies all, and the certificate holds by itself', async () => {
  openAt(5);
  for (const index of range(0, 13)) expect(await post(signed(index))).toBe('counted');
  expect(pairings).toEqual([]);
  expect(keyPairings).toBe(13);
  expect(await post(signed(4))).toBe('duplicate');
  expect(await post(signed(13))).toBe('counted');
  await settled();
  expect(pairings).toEqual([{ signatures: 14, source: undefined }]);
  expect(quorums).toHaveLength(1);
  expect(signersOf(quorums[0])).toEqual(new Set(operators.slice(0, 14).map(({ g1 }) => g1)));
  const votes = quorums[0]!.votes.map(({ submission }) => submission);
  expect(
    curves.bn254.verify(
      digestOf(rounds.batch(5)),
      votes.map(({ signature }) => signature),
      votes.map(({ signer }) => signer!.g2),
    ),
  ).toBe(true);
  // Late ones still count as participation, verified as they come.
  expect(await post(signed(14))).toBe('counted');
  await settled();
  expect(pairings).toHaveLength(2);
  close(5);
  expect(book.summary(5)?.participants).toHaveLength(15);
  expect(late).toEqual([]);
});

test('keys are paired once, whatever round; wrong points of G2 for a known key cost nothing', async () => {
  openAt(5);
  await post(signed(0));
  expect(await post({ ...signed(0), signer: { g1: operators[0]!.g1, g2: operators[1]!.g2 } })).toBe('key-mismatch');
  expect(await post({ ...signed(1), signer: { g1: operators[1]!.g1, g2: operators[2]!.g2 } })).toBe('key-mismatch');
  expect(keyPairings).toBe(2);
  openAt(6);
  expect(await post(signed(0, rounds.batch(6)))).toBe('counted');
  expect(keyPairings).toBe(2);
  expect(await post(signed(1, rounds.batch(6)))).toBe('counted');
});

test('strangers and what is no point are refused before anything is paired', async () => {
  openAt(5);
  const stranger = numberToHex(1, { size: 32 });
  expect(await post({ ...signed(0), signer: curves.bn254.publicKey(stranger) })).toBe('unknown-signer');
  for (const signature of [`0x${'00'.repeat(64)}`, `0x${'01'.repeat(64)}`] as Hex[]) {
    expect(await post({ ...signed(0), signature })).toBe('invalid-signature');
  }
  expect([keyPairings, pairings]).toEqual([0, []]);
});

describe('wrong signatures among honest ones', () => {
  test.each([1, 3, 6])('%i are found by halving, and the others are the quorum', async (wrong) => {
    openAt(5);
    for (const index of range(0, wrong)) expect(await post(forged(index))).toBe('counted');
    for (const index of range(wrong, 20)) expect(['counted', 'duplicate']).toContain(await post(signed(index)));
    await settled();
    expect(quorums).toHaveLength(1);
    const bad = new Set(operators.slice(0, wrong).map(({ g1 }) => g1));
    for (const signer of signersOf(quorums[0])) expect(bad.has(signer)).toBe(false);
    expect(late).toEqual(Array.from({ length: wrong }, () => ({ status: 'refused', code: 'invalid-signature' })));
    // Two pairings a level of halving for each wrong one at most, beside those of honest ones that came one by one.
    expect(pairings.filter(({ signatures }) => signatures > 1).length).toBeLessThanOrEqual(2 + 2 * wrong * 5);
    close(5);
    await settled();
    expect(book.summary(5)?.participants).toHaveLength(20 - wrong);
    expect(candidates.rounds).toBe(0);
  });

  test('a key that was caught is verified before it is answered, and can still vote', async () => {
    openAt(5);
    expect(await post(forged(0))).toBe('counted');
    for (const index of range(1, 15)) await post(signed(index));
    await settled();
    expect(quorums).toHaveLength(1);
    expect(await post(forged(0, 1))).toBe('invalid-signature');
    expect(await post(signed(0))).toBe('counted');
    close(5);
    expect(book.summary(5)?.participants).toHaveLength(15);
  });
});

describe("garbage in another's name", () => {
  test('before its own signature: that one counts all the same', async () => {
    openAt(5);
    for (const salt of range(0, 3)) expect(await post(forged(0, salt), 'attacker')).toBe('counted');
    // Three wait in its name: its own is verified on arrival, and the three are dropped.
    expect(await post(signed(0))).toBe('counted');
    for (const index of range(1, 14)) expect(await post(signed(index))).toBe('counted');
    await settled();
    expect(quorums).toHaveLength(1);
    expect(signersOf(quorums[0]).has(operators[0]!.g1)).toBe(true);
    // Alone at its arrival, then the thirteen others at once.
    expect(pairings.map(({ signatures }) => signatures)).toEqual([1, 13]);
  });

  test('after its own signature: it is neither replaced nor held up', async () => {
    openAt(5);
    for (const index of range(0, 13)) {
      await post(signed(index));
      expect(await post(forged(index, index), 'attacker')).toBe('counted');
    }
    await post(signed(13));
    await settled();
    expect(quorums).toHaveLength(1);
    expect(signersOf(quorums[0]).size).toBe(14);
    expect(await post(forged(0, 99), 'attacker')).toBe('duplicate');
  });

  test('in the names of all before any of them: one source is caught in a few pairings, and nobody else waits for it', async () => {
    openAt(5);
    for (const index of range(0, 20)) await post(forged(index, index), 'attacker');
    for (const index of range(0, 20)) expect(['counted', 'duplicate']).toContain(await post(signed(index)));
    await settled();
    expect(quorums).toHaveLength(1);
    for (const { submission } of quorums[0]!.votes) {
      const index = operators.findIndex(({ g1 }) => g1 === submission.signer?.g1);
      expect(submission.signature).toBe(signed(index).signature);
    }
    // All of the attacker's that were not told by an honest one were checked alone, in its own turn.
    expect(pairings.filter(({ source, signatures }) => source === 'attacker' && signatures > 1)).toEqual([]);
    close(5);
    await settled();
    expect(book.summary(5)?.participants).toHaveLength(20);
    expect(candidates.rounds).toBe(0);
  });

  test('from one address with honest operators: they count too', async () => {
    openAt(5);
    for (const index of range(0, 20)) await post(forged(index, index), 'proxy');
    for (const index of range(0, 20)) expect(['counted', 'duplicate']).toContain(await post(signed(index), 'proxy'));
    await settled();
    expect(quorums).toHaveLength(1);
    close(5);
    await settled();
    expect(book.summary(5)?.participants).toHaveLength(20);
  });

  test('for made-up batches: they take their places, and the honest batch gets its own', async () => {
    openAt(5);
    for (const order of range(100, 140)) {
      const answer = await post(forged(order % 20, order, rounds.batch(5, [order])), `attacker ${order}`);
      expect(['counted', 'invalid-signature']).toContain(answer);
    }
    for (const index of range(0, 14)) expect(await post(signed(index))).toBe('counted');
    await settled();
    expect(quorums).toHaveLength(1);
    expect(conflicts).toEqual([]);
    expect(signersOf(quorums[0]).size).toBe(14);
    close(5);
    await settled();
    expect(candidates.rounds).toBe(0);
  });
});

describe('two batches by one key', () => {
  test('are evidence once both are verified', async () => {
    openAt(5);
    await post(signed(0));
    await post(signed(0, rounds.batch(5, [9])));
    await settled();
    expect(conflicts).toEqual([]);
    for (const index of range(1, 14)) await post(signed(index));
    await settled();
    expect(quorums).toHaveLength(1);
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]?.map(({ submission }) => submission.batch.matchCount).toSorted()).toEqual([1, 2]);
    expect(conflicts[0]?.map(({ submission }) => submission.signer?.g2)).toEqual([operators[0]!.g2, operators[0]!.g2]);
  });

  test('are none when one of them is somebody else’s', async () => {
    openAt(5);
    await post(forged(0, 0, rounds.batch(5, [9])), 'attacker');
    for (const index of range(0, 14)) await post(signed(index));
    await settled();
    close(5);
    await settled();
    expect(quorums).toHaveLength(1);
    expect([conflicts, unproven]).toEqual([[], []]);
    expect(late).toEqual([{ status: 'refused', code: 'invalid-signature' }]);
  });

  test('are seen after a reorganisation, and in a round that closed', async () => {
    openAt(5);
    await post(signed(0));
    book.open(rounds.context(5, hashOf(77)));
    candidates.advance();
    await settled();
    expect(late).toEqual([{ status: 'refused', code: 'wrong-snapshot' }]);
    const replaced = (orders: number[]): Batch => rounds.batch(5, orders, { snapshotHash: hashOf(77) });
    await post(signed(0, replaced([1, 2])));
    await post(signed(1, replaced([1, 2])));
    close(5);
    await settled();
    expect(conflicts).toHaveLength(1);
    expect(book.summary(5)?.participants).toHaveLength(2);
    expect(await post(signed(1, replaced([9])))).toBe('closed-round');
    await settled();
    expect(conflicts).toHaveLength(2);
  });

  test('by operators whose wrong signatures cancel out: the quorum stands, and nothing that does not hold alone is kept', async () => {
    openAt(5);
    const shift = decodeG1(curves.bn254.sign(hashOf(4), operators[0]!.secret));
    const moved = (index: number, sign: bigint): SignatureSubmission => {
      const body = signed(index);
      const by = { X: shift.X, Y: sign > 0n ? shift.Y : BN254_FIELD - shift.Y };
      return { ...body, signature: encodeG1(sumG1([decodeG1(body.signature), by])) };
    };
    await post(moved(0, 1n));
    await post(moved(1, -1n));
    for (const index of range(2, 14)) await post(signed(index));
    await settled();
    expect(quorums).toHaveLength(1);
    expect(late).toEqual([]);
    await post(signed(0, rounds.batch(5, [9])));
    await settled();
    expect(conflicts).toEqual([]);
    expect(unproven).toHaveLength(1);
  });
});

describe('wrong signatures that cancel out', () => {
  /** What `index` signs, moved by a point that the opposite sign takes back. */
  function moved(index: number, sign: bigint, body: Batch = rounds.batch(5)): SignatureSubmission {
    const shift = decodeG1(curves.bn254.sign(hashOf(4), operators[0]!.secret));
    const honest = signed(index, body);
    const by = { X: shift.X, Y: sign > 0n ? shift.Y : BN254_FIELD - shift.Y };
    return { ...honest, signature: encodeG1(sumG1([decodeG1(honest.signature), by])) };
  }

  function holds({ votes }: Certificate): boolean {
    const { batch, records } = votes[0]!.submission;
    return curves.bn254.verify(
      digestOf({ batch, records }),
      votes.map(({ submission }) => submission.signature),
      votes.map(({ submission }) => submission.signer!.g2),
    );
  }

  test('a certificate has both or neither, also when the quorum is reached between them', async () => {
    openAt(5);
    const body = rounds.batch(6);
    await post(moved(0, 1n, body), 'a');
    for (const index of range(1, 16)) await post(signed(index, body), 'b');
    await post(moved(16, -1n, body), 'c');
    openAt(6);
    await settled();
    expect(quorums).toHaveLength(1);
    expect(holds(quorums[0]!)).toBe(true);
  });

  test('a certificate does not have one whose other was taken out by a vote for another batch', async () => {
    openAt(5);
    await post(moved(0, 1n), 'a');
    // Three may wait, the fourth is verified at once, and is what operator 0 votes for.
    for (const order of [7, 8]) await post(signed(0, rounds.batch(5, [order])), 'a');
    expect(await post(signed(0, rounds.batch(5, [9])), 'a')).toBe('counted');
    await post(moved(1, -1n), 'c');
    for (const index of range(2, 16)) await post(signed(index));
    await settled();
    expect(quorums).toHaveLength(1);
    expect(holds(quorums[0]!)).toBe(true);
  });
});

describe('rounds not seen yet', () => {
  test('signatures wait, and one pairing verifies them when the snapshot comes', async () => {
    openAt(5);
    for (const index of range(0, 14)) expect(await post(signed(index, rounds.batch(6)))).toBe('buffered');
    expect(await post(signed(0, rounds.batch(6)))).toBe('duplicate');
    expect(pairings).toEqual([]);
    openAt(6);
    await settled();
    expect(pairings).toEqual([{ signatures: 14, source: undefined }]);
    expect(quorums).toHaveLength(1);
    expect(late).toEqual(Array.from({ length: 14 }, () => ({ status: 'counted' })));
  });

  test('without any table nothing waits unverified', async () => {
    expect(await post(forged(0, 0, rounds.batch(1)), 'attacker')).toBe('invalid-signature');
    expect(await post(signed(0, rounds.batch(1)))).toBe('buffered');
    expect(pairings.map(({ signatures }) => signatures)).toEqual([1, 1]);
    openAt(1);
    expect(late).toEqual([{ status: 'counted' }]);
  });

  test('a round that never comes is forgotten', async () => {
    openAt(5);
    await post(signed(0, rounds.batch(6)));
    openAt(7);
    expect(late).toEqual([{ status: 'refused', code: 'closed-round' }]);
    expect(candidates.rounds).toBe(0);
  });
});

test('a round that closes before the quorum still tells who took part', async () => {
  openAt(5);
  for (const index of range(0, 3)) await post(signed(index));
  await post(forged(3));
  close(5);
  await settled();
  expect(quorums).toEqual([]);
  expect(new Set(book.summary(5)?.participants.map(({ signer }) => signer))).toEqual(
    new Set(operators.slice(0, 3).map(({ g1 }) => g1)),
  );
});

test('what could not be checked goes on waiting, and whoever has to know at once is asked to try again', async () => {
  openAt(5);
  const verify = pool.verify.bind(pool);
  pool.verify = () => Promise.reject(new VerificationUnavailableError('too many are waiting'));
  for (const index of range(0, 14)) expect(await post(signed(index))).toBe('counted');
  await settled();
  expect(quorums).toEqual([]);
  expect(await post(signed(15, rounds.batch(5, [1], { policyHash: hashOf(1) })))).toBe('busy');
  pool.verify = verify;
  candidates.advance();
  await settled();
  expect(quorums).toHaveLength(1);
  expect(signersOf(quorums[0]).size).toBe(14);
});
