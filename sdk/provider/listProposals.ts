import type { Address } from 'viem';
import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { readMarket } from '../calls/callMarket.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';

/** Where a proposal stands, in the order of the contract's enum. */
export const PROPOSAL_STATES = ['None', 'Pending', 'Approved', 'Rejected', 'Withdrawn', 'Registered'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** What a would-be provider says about itself, and what was decided. */
export interface Proposal {
  readonly proposalId: number;
  readonly owner: Address;
  readonly state: ProposalState;
  readonly name: string;
  readonly hostUri: string;
  readonly region: number;
  /** Trust tier asked for. */
  readonly tier: number;
  /** Planned devices and cores. */
  readonly devices: number;
  readonly cores: number;
  /** Votes of the council. */
  readonly supporting: number;
  readonly opposing: number;
}

/**
 * Proposals of providers by ascending id, decided ones included.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const pending = (await listProposals(client)).filter(({ state }) => state === 'Pending');
 */
export async function listProposals(client: MarketClient): Promise<readonly Proposal[]> {
  const contract = { address: client.contracts.providerAdmission, abi: iProviderAdmissionAbi } as const;
  const proposed = await readLogs(client, { ...contract, eventName: 'ProviderProposed' });
  return Promise.all(
    proposed.map(async ({ args: { proposalId, proposal } }) => {
      const [owner, state, supporting, opposing] = await readMarket(client, {
        ...contract,
        functionName: 'proposalOf',
        args: [proposalId],
      });
      return { proposalId, owner, state: PROPOSAL_STATES[state] ?? 'None', ...proposal, supporting, opposing };
    }),
  );
}
