import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawBondReturnType extends Written {
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Pays the auditor's released bond out.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await withdrawBond(client);
 */
export async function withdrawBond(client: MarketClient): Promise<WithdrawBondReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'withdrawBond', args: [] });
  const { amount } = eventOf(receipt, { ...contract, eventName: 'BondReleased' });
  return { ...writtenBy(receipt), amount };
}
