import type { Hex } from 'viem';

import type { MatchBatch } from '../protocol/matchBatch.js';

/** Where an aggregator takes signatures. */
export const SIGNATURES_PATH = '/v1/signatures';

/** A BN254 signer, by both points of its key; a signature alone does not say whose it is. */
export interface SubmissionSigner {
  /** X, Y: 64 bytes, as the operator table names the key. */
  readonly g1: Hex;
  /** X imaginary, X real, Y imaginary, Y real: 128 bytes. */
  readonly g2: Hex;
}

/** What an operator posts to every aggregator. Of ECDSA, who signed follows from the signature alone. */
export interface SignatureSubmission {
  readonly batch: MatchBatch;
  /** All records of the batch, 32 bytes each. */
  readonly records: Hex;
  /** Over the certificate digest: r, s, v (ECDSA, 65 bytes), or X, Y of a point of G1 (BN254, 64 bytes). */
  readonly signature: Hex;
  /** With BN254 only. */
  readonly signer?: SubmissionSigner;
}

/**
 * `counted`: towards the quorum; a BN254 signature is counted before it is verified, and one that proves wrong later is dropped in
 * silence, while its key's next ones for the round are verified before they are answered. `duplicate`: known already; `buffered`: the aggregator has not seen the round's snapshot block yet. */
export type SignatureOutcome = 'counted' | 'duplicate' | 'buffered';

/** Answer to an accepted submission, status 202. */
export interface SignatureAccepted {
  readonly status: SignatureOutcome;
}
