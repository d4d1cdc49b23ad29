import type { Address, Hex } from 'viem';

import { quorumDigest } from '../protocol/certificate.js';
import { MatchmakerError } from '../engine/error.js';
import { hashMatchBatch, type MatchBatch } from '../protocol/matchBatch.js';
import type { SignatureSubmission } from '../service/signatureApi.js';
import type { SigningKey } from '../service/signing/signingKey.js';
import type { SignGuard } from './signGuard.js';

/** The signature just made is not the key's: a hardware or library fault. It never leaves the process. */
export class SignatureFaultError extends MatchmakerError<'SIGNATURE_FAULT'> {
  constructor(key: Hex) {
    super('SIGNATURE_FAULT', `a signature by ${key} does not verify; nothing was sent`);
  }
}

/** What a submission carries beside the batch, and the message that was signed. */
export type BatchSignature = Pick<SignatureSubmission, 'signature' | 'signer'> & { readonly messageHash: Hex };

/**
 * Signs match batches and nothing else: it takes the typed batch, computes the digest itself, and asks the guard before
 * the key is touched.
 */
export class BatchSigner {
  readonly #options: { chainId: number; settlement: Address; verifier: Address };
  readonly #dependencies: { key: SigningKey; guard: SignGuard };

  constructor(
    options: { chainId: number; settlement: Address; verifier: Address },
    dependencies: { key: SigningKey; guard: SignGuard },
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** The key that signs, as operator tables name it. */
  get publicKey(): Hex {
    return this.#dependencies.key.publicKey;
  }

  /**
   * The operator's signature over the certificate digest of a batch: with ECDSA 65 bytes r, s, v with low s and v 27 or 28;
   * with BN254 64 bytes X, Y, and both points of the key.
   * Throws DoubleSignRefusedError, GuardBrokenError and SignatureFaultError.
   */
  async sign(batch: MatchBatch): Promise<BatchSignature> {
    const { key, guard } = this.#dependencies;
    const messageHash = hashMatchBatch(batch, this.#options);
    await guard.decide(batch.round, messageHash, batch.tableTimestamp);
    const referenceTimestamp = batch.tableTimestamp;
    const digest = quorumDigest(
      { curve: key.curve, certificateVerifier: this.#options.verifier },
      { referenceTimestamp, messageHash },
    );
    const signature = key.sign(digest);
    if (!key.verify(digest, signature)) throw new SignatureFaultError(key.publicKey);
    return { signature, messageHash, ...(key.bn254 === undefined ? {} : { signer: key.bn254 }) };
  }
}
