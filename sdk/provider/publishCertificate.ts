import { iCertificateRegistryAbi } from '../../chain/contracts/generated/ICertificateRegistry.js';
import type { Hex } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface PublishCertificateParameters {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly fingerprint: Hex;
  /** When it ends, seconds since 1970. */
  readonly notAfterSeconds: number;
}

/**
 * Publishes an mTLS key that speaks for the account, a provider's or a tenant's; at most eight live ones.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await publishCertificate(client, { fingerprint: '0x…', notAfterSeconds: 1_800_000_000 });
 */
export async function publishCertificate(
  client: MarketClient,
  { fingerprint, notAfterSeconds }: PublishCertificateParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.certificateRegistry,
    abi: iCertificateRegistryAbi,
    functionName: 'publish',
    args: [fingerprint, notAfterSeconds],
  });
  return writtenBy(receipt);
}
