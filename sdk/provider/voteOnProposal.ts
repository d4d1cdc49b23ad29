import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface VoteOnProposalParameters {
  readonly proposalId: number;
  readonly support: boolean;
}

/**
 * Votes on a proposal; as many equal votes as the council's quorum decide it. Only council members, once each.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await voteOnProposal(client, { proposalId: 4, support: true });
 */
export async function voteOnProposal(
  client: MarketClient,
  { proposalId, support }: VoteOnProposalParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAdmission,
    abi: iProviderAdmissionAbi,
    functionName: 'vote',
    args: [proposalId, support],
  });
  return writtenBy(receipt);
}
