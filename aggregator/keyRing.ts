import type { Hex } from 'viem';

import type { SubmissionSigner } from '../service/signatureApi.js';
import type { VerificationPool } from '../service/signing/verificationPool.js';

/** Which point of G2 belongs to a BN254 key's point of G1, checked by one pairing a key and remembered. */
export class KeyRing {
  readonly #limit: number;
  readonly #pool: Pick<VerificationPool, 'keysMatch'>;
  readonly #known = new Map<Hex, Hex>();

  constructor(options: { limit: number }, dependencies: { pool: Pick<VerificationPool, 'keysMatch'> }) {
    this.#limit = options.limit;
    this.#pool = dependencies.pool;
  }

  /** Whether both points are of one key. Throws VerificationUnavailableError. */
  async belongTogether(signer: SubmissionSigner, source: string): Promise<boolean> {
    const known = this.#known.get(signer.g1);
    // A key has one point of the group in G2: whatever else is named is wrong, and costs nothing.
    if (known !== undefined) return known === signer.g2;
    if (!(await this.#pool.keysMatch(signer, source))) return false;
    this.#known.set(signer.g1, signer.g2);
    if (this.#known.size > this.#limit) {
      const oldest = this.#known.keys().next();
      if (oldest.done !== true) this.#known.delete(oldest.value);
    }
    return true;
  }
}
