import type { Address, Hex } from 'viem';
import { iCertificateRegistryAbi } from '../../chain/contracts/generated/ICertificateRegistry.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ListCertificatesParameters {
  readonly account: Address;
}

/** An mTLS key that speaks for an account now. */
export interface Certificate {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly fingerprint: Hex;
  /** Seconds since 1970. */
  readonly notAfterSeconds: number;
}

/**
 * The mTLS keys that speak for an account now.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const certificates = await listCertificates(client, { account: '0x…' });
 */
export async function listCertificates(
  client: MarketClient,
  { account }: ListCertificatesParameters,
): Promise<readonly Certificate[]> {
  const [fingerprints, notAfter] = await readMarket(client, {
    address: client.contracts.certificateRegistry,
    abi: iCertificateRegistryAbi,
    functionName: 'certificatesOf',
    args: [account],
  });
  return fingerprints.map((fingerprint, index) => ({ fingerprint, notAfterSeconds: notAfter[index] ?? 0 }));
}
