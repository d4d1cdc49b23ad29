import { iCertificateRegistryAbi } from '../../chain/contracts/generated/ICertificateRegistry.js';
import type { Hex } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RevokeCertificateParameters {
  readonly fingerprint: Hex;
}

/**
 * Revokes an mTLS key of the account for ever.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await revokeCertificate(client, { fingerprint: '0x…' });
 */
export async function revokeCertificate(
  client: MarketClient,
  { fingerprint }: RevokeCertificateParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.certificateRegistry,
    abi: iCertificateRegistryAbi,
    functionName: 'revoke',
    args: [fingerprint],
  });
  return writtenBy(receipt);
}
