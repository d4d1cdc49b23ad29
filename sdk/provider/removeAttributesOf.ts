import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RemoveAttributesOfParameters {
  readonly providerId: number;
  readonly category: 'cpu' | 'gpu';
}

/**
 * Takes a provider's active and pending hardware of a category away. Only the verifier's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await removeAttributesOf(client, { providerId: 2, category: 'gpu' });
 */
export async function removeAttributesOf(
  client: MarketClient,
  { providerId, category }: RemoveAttributesOfParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'removeAttributesOf',
    args: [providerId, category === 'cpu' ? 0 : 1],
  });
  return writtenBy(receipt);
}
