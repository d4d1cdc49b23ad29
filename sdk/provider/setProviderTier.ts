import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SetProviderTierParameters {
  readonly providerId: number;
  /** 1 to 7, 1 the most trusted. */
  readonly tier: number;
}

/**
 * Moves a provider to another trust tier. Only the verifier's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setProviderTier(client, { providerId: 2, tier: 6 });
 */
export async function setProviderTier(
  client: MarketClient,
  { providerId, tier }: SetProviderTierParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'setProviderTier',
    args: [providerId, tier],
  });
  return writtenBy(receipt);
}
