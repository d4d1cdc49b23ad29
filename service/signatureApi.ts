import type { Hex } from 'viem';

import type { MatchBatch } from '../protocol/matchBatch.js';

/** Where an aggregator takes signatures. */
export const SIGNATURES_PATH = '/v1/signatures';

/** What an operator posts to every aggregator. Who signed follows from the signature alone. */
export interface SignatureSubmission {
  readonly batch: MatchBatch;
  /** All records of the batch, 32 bytes each. */
  readonly records: Hex;
  /** r, s, v over the certificate digest. */
  readonly signature: Hex;
}

/** `counted`: towards the quorum; `duplicate`: known already; `buffered`: the aggregator has not seen the round's snapshot block yet. */
export type SignatureOutcome = 'counted' | 'duplicate' | 'buffered';

/** Answer to an accepted submission, status 202. */
export interface SignatureAccepted {
  readonly status: SignatureOutcome;
}
