import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RemoveAttributesParameters {
  readonly providerId: number;
  readonly category: 'cpu' | 'gpu';
}

/**
 * Takes active and pending hardware of a category away. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await removeAttributes(client, { providerId: 2, category: 'gpu' });
 */
export async function removeAttributes(
  client: MarketClient,
  { providerId, category }: RemoveAttributesParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'removeAttributes',
    args: [providerId, category === 'cpu' ? 0 : 1],
  });
  return writtenBy(receipt);
}
