import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ActivateProviderParameters {
  readonly providerId: number;
}

/**
 * Takes a Registered provider to Active; its own stake must cover the provider's minimum and its machines. Only its owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await activateProvider(client, { providerId: 2 });
 */
export async function activateProvider(
  client: MarketClient,
  { providerId }: ActivateProviderParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'activateProvider',
    args: [providerId],
  });
  return writtenBy(receipt);
}
