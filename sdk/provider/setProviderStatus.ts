import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { PROVIDER_STATUSES, type ProviderStatus } from './getProvider.js';

export interface SetProviderStatusParameters {
  readonly providerId: number;
  readonly status: ProviderStatus;
}

/**
 * Sets a provider's status: suspends or deactivates it, or lets it back in. Only the verifier's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setProviderStatus(client, { providerId: 2, status: 'Suspended' });
 */
export async function setProviderStatus(
  client: MarketClient,
  { providerId, status }: SetProviderStatusParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'setProviderStatus',
    args: [providerId, PROVIDER_STATUSES.indexOf(status)],
  });
  return writtenBy(receipt);
}
