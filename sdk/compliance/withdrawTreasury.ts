import type { Address } from 'viem';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawTreasuryReturnType extends Written {
  readonly treasury: Address;
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Pays what was taken of auditors' bonds to the treasury, for anyone.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await withdrawTreasury(client);
 */
export async function withdrawTreasury(client: MarketClient): Promise<WithdrawTreasuryReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'withdrawTreasury', args: [] });
  const { treasury, amount } = eventOf(receipt, { ...contract, eventName: 'TreasuryWithdrawn' });
  return { ...writtenBy(receipt), treasury, amount };
}
