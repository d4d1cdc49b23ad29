import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawProposalParameters {
  readonly proposalId: number;
}

/**
 * Takes a proposal back that has not been registered. Only its proposer.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await withdrawProposal(client, { proposalId: 4 });
 */
export async function withdrawProposal(
  client: MarketClient,
  { proposalId }: WithdrawProposalParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAdmission,
    abi: iProviderAdmissionAbi,
    functionName: 'withdrawProposal',
    args: [proposalId],
  });
  return writtenBy(receipt);
}
