import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RegisterProviderParameters {
  readonly proposalId: number;
}

export interface RegisterProviderReturnType extends Written {
  readonly providerId: number;
}

/**
 * Joins the market on an approved proposal: the provider exists from here on, with status Registered and trust tier 7. Only the proposer.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { providerId } = await registerProvider(client, { proposalId: 4 });
 */
export async function registerProvider(
  client: MarketClient,
  { proposalId }: RegisterProviderParameters,
): Promise<RegisterProviderReturnType> {
  const contract = { address: client.contracts.providerAdmission, abi: iProviderAdmissionAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'register', args: [proposalId] });
  const { providerId } = eventOf(receipt, { ...contract, eventName: 'ProposalRegistered' });
  return { ...writtenBy(receipt), providerId };
}
