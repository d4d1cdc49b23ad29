import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SubmitAttributesParameters {
  readonly providerId: number;
  readonly category: 'cpu' | 'gpu';
  /** Rows of the resource table by ascending id, at most 16. */
  readonly resources: readonly { readonly resourceId: number; readonly units: number }[];
}

/**
 * Says what hardware of a category the provider has; it counts for rewards once the verifier approves it. Replaces what is pending. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await submitAttributes(client, { providerId: 2, category: 'gpu', resources: [{ resourceId: 51, units: 8 }] });
 */
export async function submitAttributes(
  client: MarketClient,
  { providerId, category, resources }: SubmitAttributesParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'submitAttributes',
    args: [
      providerId,
      category === 'cpu' ? 0 : 1,
      resources.map(({ resourceId }) => resourceId),
      resources.map(({ units }) => units),
    ],
  });
  return writtenBy(receipt);
}
