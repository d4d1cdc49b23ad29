import { bn254CertificateDigest } from '../protocol/bn254Certificate.js';
import { VerificationUnavailableError, type VerificationPool } from '../service/signing/verificationPool.js';
import type { Vote } from './roundPool.js';

export interface ConflictEvidenceDependencies {
  readonly pool: Pick<VerificationPool, 'verify'>;
  /** Must make it durable. */
  readonly onProven: (round: number, first: Vote, second: Vote) => void;
  /** The votes were valid only together with others', by operators that colluded: the certificates they are in prove it, not they. */
  readonly onUnproven: (round: number, first: Vote, second: Vote) => void;
}

/**
 * Two batches that one key signed, as evidence. BN254 signatures are verified as sums, in which wrong ones of operators that work
 * together can cancel out, so each is checked by itself before it is held against its key.
 */
export class ConflictEvidence {
  readonly #dependencies: ConflictEvidenceDependencies;
  readonly #checking = new Set<Promise<void>>();

  constructor(dependencies: ConflictEvidenceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes two votes of one key for different batches of a round. */
  add(round: number, first: Vote, second: Vote): void {
    const { onProven, onUnproven } = this.#dependencies;
    if (first.submission.signer === undefined) {
      onProven(round, first, second);
      return;
    }
    const checked = Promise.all([this.#holdsAlone(first), this.#holdsAlone(second)])
      .then((holds) => (holds.every(Boolean) ? onProven : onUnproven)(round, first, second))
      .finally(() => this.#checking.delete(checked));
    this.#checking.add(checked);
  }

  /** Resolves when nothing is being checked. */
  async drained(): Promise<void> {
    await Promise.all(this.#checking);
  }

  async #holdsAlone({ messageHash, submission }: Vote): Promise<boolean> {
    const digest = bn254CertificateDigest(submission.batch.tableTimestamp, messageHash);
    try {
      return await this.#dependencies.pool.verify(digest, [submission.signature], [submission.signer?.g2 ?? '0x']);
    } catch (error) {
      // At the end of the process what could not be looked at again is kept rather than lost.
      if (error instanceof VerificationUnavailableError) return true;
      throw error;
    }
  }
}
