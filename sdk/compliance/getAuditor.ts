import type { Address } from 'viem';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface GetAuditorParameters {
  readonly auditor: Address;
}

/** An auditor's standing. */
export interface GetAuditorReturnType {
  /** Largest bonus of one of its reports; 0 when it is not accredited. */
  readonly maxBps: number;
  /** Units of the bond token. */
  readonly bond: bigint;
  /** Bond that a new report needs. */
  readonly minimumBond: bigint;
  /** When the bond can leave, seconds since 1970; 0 when no release was asked for. */
  readonly releaseAtSeconds: number;
}

/**
 * An auditor's standing with the market.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { maxBps, bond } = await getAuditor(client, { auditor: '0x…' });
 */
export async function getAuditor(
  client: MarketClient,
  { auditor }: GetAuditorParameters,
): Promise<GetAuditorReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const [[maxBps, bond, releaseAtSeconds], [minimumBond]] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'auditorOf', args: [auditor] }),
    readMarket(client, { ...contract, functionName: 'bondTerms', args: [] }),
  ]);
  return { maxBps, bond, minimumBond, releaseAtSeconds };
}
