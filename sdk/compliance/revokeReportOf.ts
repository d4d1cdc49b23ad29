import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import type { Address } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RevokeReportOfParameters {
  readonly providerId: number;
  readonly auditor: Address;
}

/**
 * Takes any auditor's report about a provider back. Only the compliance role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await revokeReportOf(client, { providerId: 2, auditor: '0x…' });
 */
export async function revokeReportOf(
  client: MarketClient,
  { providerId, auditor }: RevokeReportOfParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.complianceRegistry,
    abi: iComplianceRegistryAbi,
    functionName: 'revokeReport',
    args: [providerId, auditor],
  });
  return writtenBy(receipt);
}
