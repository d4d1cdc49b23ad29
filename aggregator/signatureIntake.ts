import { recoverAddress, size, slice, type Address, type Hex } from 'viem';

import { certificateDigest } from '../protocol/certificate.js';
import { MatchmakerError } from '../engine/error.js';
import { hashMatchBatch } from '../protocol/matchBatch.js';
import { decodeRecords, hashRecords, RECORD_BYTES } from '../protocol/records.js';
import { HttpProblem } from '../service/problem.js';
import type { SignatureOutcome, SignatureSubmission } from '../service/signatureApi.js';
import type { RoundBook, VoteRefusal } from './roundBook.js';

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
      "the signature recovers to a key outside the round's operator table: wrong key, wrong chain or another settlement contract",
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
  readonly verifier: Address;
}

/** Verifies posted signatures, cheapest check first, and hands them on under the address they recover to. */
export class SignatureIntake {
  readonly #options: SignatureIntakeOptions;
  readonly #dependencies: { book: RoundBook; openRound: () => number };

  constructor(options: SignatureIntakeOptions, dependencies: { book: RoundBook; openRound: () => number }) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Takes a submission of the right shape. Throws HttpProblem with a stable code; nothing is recorded then for anybody's key but the one recovered. */
  async receive(submission: SignatureSubmission): Promise<SignatureOutcome> {
    const { book, openRound } = this.#dependencies;
    const { batch, records, signature } = lowerCase(submission);
    if (size(records) !== batch.matchCount * RECORD_BYTES) {
      throw refuse(
        422,
        'match-count-mismatch',
        'Records and count differ',
        'batch.matchCount is not the number of records',
      );
    }
    if (hashRecords(records) !== batch.recordsHash) {
      throw refuse(
        422,
        'records-hash-mismatch',
        'Records and hash differ',
        'batch.recordsHash is not the hash of records',
      );
    }
    requireCanonicalSignature(signature);
    const position = book.positionOf(batch.round, openRound());
    if (position === 'too-far') throw refusal('round-too-far');
    // A closed round that is remembered is still worth a recovery: a second batch of it is evidence.
    if (position === 'closed' && !book.remembers(batch.round)) throw refusal('closed-round');
    requireWellFormedRecords(records);
    const messageHash = hashMatchBatch(batch, this.#options);
    const digest = certificateDigest({
      verifier: this.#options.verifier,
      referenceTimestamp: batch.tableTimestamp,
      messageHash,
    });
    let signer: Address;
    try {
      signer = await recoverAddress({ hash: digest, signature });
    } catch {
      throw invalidSignature('it recovers to no key');
    }
    const outcome = book.vote({ signer, messageHash, submission: { batch, records, signature } }, openRound());
    if (outcome.status === 'refused') throw refusal(outcome.code);
    return outcome.status;
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
function lowerCase({ batch, records, signature }: SignatureSubmission): SignatureSubmission {
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
