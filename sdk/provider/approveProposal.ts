import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ApproveProposalParameters {
  readonly proposalId: number;
}

/**
 * Lets a would-be provider in. Only the approver's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await approveProposal(client, { proposalId: 4 });
 */
export async function approveProposal(
  client: MarketClient,
  { proposalId }: ApproveProposalParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAdmission,
    abi: iProviderAdmissionAbi,
    functionName: 'approve',
    args: [proposalId],
  });
  return writtenBy(receipt);
}
