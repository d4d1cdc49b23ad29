import { size, slice, type Address, type Hex } from 'viem';

import { decodeG1, PointInvalidError } from '../protocol/bn254Points.js';
import { quorumDigest } from '../protocol/certificate.js';
import { MatchmakerError } from '../engine/error.js';
import { hashMatchBatch, type MatchBatch } from '../protocol/matchBatch.js';
import { decodeRecords, hashRecords, RECORD_BYTES } from '../protocol/records.js';
import { HttpProblem } from '../service/problem.js';
import type { SignatureOutcome, SignatureSubmission } from '../service/signatureApi.js';
import { VerificationUnavailableError, type VerificationPool } from '../service/signing/verificationPool.js';
import { KeyRing } from './keyRing.js';
import type { RoundBook, VoteRefusal } from './roundBook.js';
import type { CandidateOutcome, SignatureCandidates } from './signatureCandidates.js';

/** Half the order of secp256k1: the verifier refuses signatures with a larger s. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const REFUSALS: Readonly<Record<VoteRefusal, { status: number; title: string; detail: string; retryable: boolean }>> = {
  'closed-round': {
    status: 410,
    title: 'The round is closed',
    detail: 'batch.round can no longer be settled',
    retryable: false,
  },
  'round-too-far': {
    status: 425,
    title: 'The round is too far ahead',
    detail: 'batch.round is far above the open round; try again later',
    retryable: true,
  },
  'unknown-signer': {
    status: 403,
    title: 'The signer is not an operator of this round',
    detail:
      "the signer (of ECDSA: the key that the signature recovers to) is not in the round's operator table: wrong key, wrong chain or another settlement contract",
    retryable: false,
  },
  'wrong-snapshot': {
    status: 409,
    title: 'Another snapshot',
    detail: 'batch.snapshotHash or batch.snapshotBlock is not the canonical snapshot block of the round',
    retryable: false,
  },
  'wrong-policy': {
    status: 409,
    title: 'Another policy',
    detail: 'batch.policyHash is not the policy of the round',
    retryable: false,
  },
  'wrong-operator-set': {
    status: 409,
    title: 'Another operator set',
    detail: 'batch.operatorSetKey is not the operator set of this market',
    retryable: false,
  },
  'unknown-table': {
    status: 409,
    title: 'Another operator table',
    detail: 'batch.tableTimestamp or batch.tableHash is not the operator table of the round',
    retryable: false,
  },
  'conflicting-signature': {
    status: 409,
    title: 'A second batch of one round',
    detail: 'the signer has signed another batch of this round; both are kept as evidence',
    retryable: false,
  },
  'buffer-full': {
    status: 503,
    title: 'Too many signatures are waiting',
    detail: 'try again after the snapshot block of the round',
    retryable: true,
  },
};

export interface SignatureIntakeOptions {
  readonly chainId: number;
  readonly settlement: Address;
  /** What the digest of an ECDSA certificate names. */
  readonly verifier: Address;
  readonly curve: 'ecdsa' | 'bn254';
}

export interface SignatureIntakeDependencies {
  readonly book: RoundBook;
  readonly pool: Pick<VerificationPool, 'recover' | 'keysMatch'>;
  readonly candidates: SignatureCandidates;
  readonly openRound: () => number;
}

/** Keys whose two points are remembered: many times the operators of a table. */
const REMEMBERED_KEYS = 4_096;

/**
 * Checks posted signatures, cheapest check first. Nothing is recorded for a key before a signature of its own was verified: ECDSA
 * signatures are recovered at once, BN254 signatures wait as candidates to be verified together.
 */
export class SignatureIntake {
  readonly #options: SignatureIntakeOptions;
  readonly #dependencies: SignatureIntakeDependencies;
  readonly #keys: KeyRing;
  /** The last records that hold: the operators of a round post the same. */
  #goodRecords: { readonly records: Hex; readonly hash: Hex } | undefined;

  constructor(options: SignatureIntakeOptions, dependencies: SignatureIntakeDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#keys = new KeyRing({ limit: REMEMBERED_KEYS }, dependencies);
  }

  /** Takes a submission of the right shape from `source`, the address of whoever posts. Throws HttpProblem with a stable code. */
  async receive(posted: SignatureSubmission, source: string): Promise<SignatureOutcome> {
    const { book, openRound } = this.#dependencies;
    const submission = lowerCase(posted);
    const { batch, records, signature } = submission;
    if (size(records) !== batch.matchCount * RECORD_BYTES) {
      throw refuse(
        422,
        'match-count-mismatch',
        'Records and count differ',
        'batch.matchCount is not the number of records',
      );
    }
    const areKnown = this.#goodRecords?.records === records && this.#goodRecords.hash === batch.recordsHash;
    if (!areKnown && hashRecords(records) !== batch.recordsHash) {
      throw refuse(
        422,
        'records-hash-mismatch',
        'Records and hash differ',
        'batch.recordsHash is not the hash of records',
      );
    }
    if (this.#options.curve === 'ecdsa') requireCanonicalSignature(signature);
    else requirePoint(signature);
    const position = book.positionOf(batch.round, openRound());
    if (position === 'too-far') throw refusal('round-too-far');
    // A closed round that is remembered is still worth a check: a second batch of it is evidence.
    if (position === 'closed' && !book.remembers(batch.round)) throw refusal('closed-round');
    if (!areKnown) {
      requireWellFormedRecords(records);
      this.#goodRecords = { records, hash: batch.recordsHash };
    }
    try {
      return this.#options.curve === 'ecdsa'
        ? await this.#recover(submission, source)
        : await this.#collect(submission, source);
    } catch (error) {
      if (error instanceof VerificationUnavailableError) throw new HttpProblem(BUSY);
      throw error;
    }
  }

  async #recover(submission: SignatureSubmission, source: string): Promise<SignatureOutcome> {
    const { book, pool, openRound } = this.#dependencies;
    const messageHash = hashMatchBatch(submission.batch, this.#options);
    const digest = this.#digestOf(submission.batch, messageHash);
    const signer = await pool.recover(digest, submission.signature, source);
    if (signer === undefined) throw invalidSignature('it recovers to no key');
    return answerOf(book.vote({ signer, messageHash, submission }, openRound()));
  }

  async #collect(submission: SignatureSubmission, source: string): Promise<SignatureOutcome> {
    const { book, candidates, openRound } = this.#dependencies;
    const { batch, signer } = submission;
    if (signer === undefined) throw new RangeError('the schema lets no BN254 signature pass without its signer');
    const messageHash = hashMatchBatch(batch, this.#options);
    const vote = { signer: signer.g1, messageHash, submission };
    // Strangers are told apart before anything is computed for them.
    const standing = book.standingOf(vote, openRound());
    if (standing === 'stranger') throw refusal('unknown-signer');
    if (standing === 'duplicate') return 'duplicate';
    if (!(await this.#keys.belongTogether(signer, source))) {
      throw new HttpProblem({
        status: 422,
        code: 'key-mismatch',
        title: 'The two points are not of one key',
        detail: 'signer.g1 and signer.g2 must be points of BN254 that belong to one private key',
        errors: [{ field: '/signer', detail: 'g1 and g2 do not belong together' }],
      });
    }
    const digest = this.#digestOf(batch, messageHash);
    return answerOf(await candidates.take({ vote, digest, g2: signer.g2, source }));
  }

  #digestOf({ tableTimestamp }: MatchBatch, messageHash: Hex): Hex {
    const { curve, verifier } = this.#options;
    return quorumDigest({ curve, certificateVerifier: verifier }, { referenceTimestamp: tableTimestamp, messageHash });
  }
}

const BUSY = {
  status: 503,
  code: 'busy',
  title: 'Too many signatures are being verified',
  detail: 'the signature was not looked at; try again',
  retryable: true,
} as const;

function answerOf(outcome: CandidateOutcome): SignatureOutcome {
  if (outcome.status !== 'refused') return outcome.status;
  if (outcome.code === 'invalid-signature') throw invalidSignature("it is not the signer's over this batch");
  throw refusal(outcome.code);
}

function requirePoint(signature: Hex): void {
  try {
    decodeG1(signature);
  } catch (error) {
    if (!(error instanceof PointInvalidError)) throw error;
    throw invalidSignature(error.message);
  }
}

function requireCanonicalSignature(signature: Hex): void {
  const s = BigInt(slice(signature, 32, 64));
  const v = Number(slice(signature, 64, 65));
  if (v !== 27 && v !== 28) throw invalidSignature('its last byte must be 27 or 28');
  if (s > HALF_ORDER) throw invalidSignature('its s is in the upper half of the order');
}

function requireWellFormedRecords(records: Hex): void {
  try {
    decodeRecords(records);
  } catch (error) {
    if (!(error instanceof MatchmakerError)) throw error;
    throw new HttpProblem({
      status: 422,
      code: 'malformed',
      title: 'The records are malformed',
      detail: error.message,
      errors: [{ field: '/records', detail: error.message }],
    });
  }
}

/** Hex of any case names the same bytes; one form makes them comparable. */
function lowerCase({ batch, records, signature, signer }: SignatureSubmission): SignatureSubmission {
  const lower = (hex: Hex): Hex => `0x${hex.slice(2).toLowerCase()}`;
  return {
    batch: {
      ...batch,
      snapshotHash: lower(batch.snapshotHash),
      policyHash: lower(batch.policyHash),
      operatorSetKey: lower(batch.operatorSetKey),
      tableHash: lower(batch.tableHash),
      recordsHash: lower(batch.recordsHash),
    },
    records: lower(records),
    signature: lower(signature),
    ...(signer === undefined ? {} : { signer: { g1: lower(signer.g1), g2: lower(signer.g2) } }),
  };
}

function invalidSignature(detail: string): HttpProblem {
  return new HttpProblem({
    status: 422,
    code: 'invalid-signature',
    title: 'The signature is not valid',
    detail: `signature: ${detail}`,
    errors: [{ field: '/signature', detail }],
  });
}

function refuse(status: number, code: string, title: string, detail: string): HttpProblem {
  return new HttpProblem({ status, code, title, detail });
}

function refusal(code: VoteRefusal): HttpProblem {
  return new HttpProblem({ code, ...REFUSALS[code] });
}
