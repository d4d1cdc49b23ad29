import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RejectProposalParameters {
  readonly proposalId: number;
}

/**
 * Turns a would-be provider away. Only the approver's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await rejectProposal(client, { proposalId: 4 });
 */
export async function rejectProposal(client: MarketClient, { proposalId }: RejectProposalParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAdmission,
    abi: iProviderAdmissionAbi,
    functionName: 'reject',
    args: [proposalId],
  });
  return writtenBy(receipt);
}
