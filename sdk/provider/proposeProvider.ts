import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { eventOf, tryEventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ProposeProviderParameters {
  readonly name: string;
  /** Where tenants will reach the provider, at most 256 bytes. */
  readonly hostUri: string;
  /** 0..1023. */
  readonly region: number;
  /** Trust tier asked for, 1..7; the verifier decides. */
  readonly tier: number;
  /** Planned, for those who decide. */
  readonly devices: number;
  readonly cores: number;
}

export interface ProposeProviderReturnType extends Written {
  readonly proposalId: number;
  /** The provider where proposals are approved by themselves, else null: register once it is approved. */
  readonly providerId: number | null;
}

/**
 * Asks to become a provider. Where proposals are approved by themselves the provider is registered in the same transaction.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { proposalId, providerId } = await proposeProvider(client, {
 *   name: 'example',
 *   hostUri: 'https://gpu.example.org:8443',
 *   region: 64,
 *   tier: 4,
 *   devices: 8,
 *   cores: 64,
 * });
 */
export async function proposeProvider(
  client: MarketClient,
  proposal: ProposeProviderParameters,
): Promise<ProposeProviderReturnType> {
  const contract = { address: client.contracts.providerAdmission, abi: iProviderAdmissionAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'propose', args: [proposal] });
  const { proposalId } = eventOf(receipt, { ...contract, eventName: 'ProviderProposed' });
  const registered = tryEventOf(receipt, { ...contract, eventName: 'ProposalRegistered' });
  return { ...writtenBy(receipt), proposalId, providerId: registered?.providerId ?? null };
}
