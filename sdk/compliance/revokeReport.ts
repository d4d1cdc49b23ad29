import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RevokeReportParameters {
  readonly providerId: number;
}

/**
 * Takes the account's own report about a provider back.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await revokeReport(client, { providerId: 2 });
 */
export async function revokeReport(client: MarketClient, { providerId }: RevokeReportParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.complianceRegistry,
    abi: iComplianceRegistryAbi,
    functionName: 'revoke',
    args: [providerId],
  });
  return writtenBy(receipt);
}
