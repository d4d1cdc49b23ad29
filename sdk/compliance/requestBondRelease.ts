import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RequestBondReleaseReturnType extends Written {
  /** Seconds since 1970. */
  readonly releaseAtSeconds: number;
}

/**
 * Begins to release the auditor's bond; it attests nothing more from here on.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { releaseAtSeconds } = await requestBondRelease(client);
 */
export async function requestBondRelease(client: MarketClient): Promise<RequestBondReleaseReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'requestBondRelease', args: [] });
  const { releaseAt: releaseAtSeconds } = eventOf(receipt, { ...contract, eventName: 'BondReleaseRequested' });
  return { ...writtenBy(receipt), releaseAtSeconds };
}
