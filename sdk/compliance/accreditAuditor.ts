import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import type { Address } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface AccreditAuditorParameters {
  readonly auditor: Address;
  /** Largest bonus of one report, at most 1000; 0 removes the auditor. */
  readonly maxBps: number;
}

/**
 * Accredits an auditor, changes its maximum, or removes it with 0. Only the compliance role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await accreditAuditor(client, { auditor: '0x…', maxBps: 1000 });
 */
export async function accreditAuditor(
  client: MarketClient,
  { auditor, maxBps }: AccreditAuditorParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.complianceRegistry,
    abi: iComplianceRegistryAbi,
    functionName: 'accredit',
    args: [auditor, maxBps],
  });
  return writtenBy(receipt);
}
