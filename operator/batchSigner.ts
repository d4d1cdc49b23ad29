import { recoverAddress, type Address, type Hex } from 'viem';
import { sign } from 'viem/accounts';

import { certificateDigest } from '../protocol/certificate.js';
import { MatchmakerError } from '../engine/error.js';
import { hashMatchBatch, type MatchBatch } from '../protocol/matchBatch.js';
import type { UnlockedKey } from '../service/keystore.js';
import type { SignGuard } from './signGuard.js';

/** The signature just made does not recover to the key: a hardware or library fault. It never leaves the process. */
export class SignatureFaultError extends MatchmakerError<'SIGNATURE_FAULT'> {
  constructor(address: Address) {
    super('SIGNATURE_FAULT', `a signature by ${address} does not recover to it; nothing was sent`);
  }
}

/**
 * Signs match batches and nothing else: it takes the typed batch, computes the digest itself, and asks the guard before
 * the key is touched.
 */
export class BatchSigner {
  readonly #options: { chainId: number; settlement: Address; verifier: Address };
  readonly #dependencies: { key: UnlockedKey; guard: SignGuard };

  constructor(
    options: { chainId: number; settlement: Address; verifier: Address },
    dependencies: { key: UnlockedKey; guard: SignGuard },
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Address that the signatures recover to. */
  get address(): Address {
    return this.#dependencies.key.address;
  }

  /**
   * The operator's signature over the certificate digest of a batch, 65 bytes r, s, v with low s and v 27 or 28.
   * Throws DoubleSignRefusedError, GuardBrokenError and SignatureFaultError.
   */
  async sign(batch: MatchBatch): Promise<{ signature: Hex; messageHash: Hex }> {
    const { key, guard } = this.#dependencies;
    const messageHash = hashMatchBatch(batch, this.#options);
    await guard.decide(batch.round, messageHash, batch.tableTimestamp);
    const hash = certificateDigest({
      verifier: this.#options.verifier,
      referenceTimestamp: batch.tableTimestamp,
      messageHash,
    });
    const signature = await sign({ hash, privateKey: key.privateKey, to: 'hex' });
    if ((await recoverAddress({ hash, signature })) !== key.address) throw new SignatureFaultError(key.address);
    return { signature, messageHash };
  }
}
