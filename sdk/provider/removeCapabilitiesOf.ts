import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RemoveCapabilitiesOfParameters {
  readonly providerId: number;
}

/**
 * Takes all of a provider's capabilities away, active and pending. Only the verifier's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await removeCapabilitiesOf(client, { providerId: 2 });
 */
export async function removeCapabilitiesOf(
  client: MarketClient,
  { providerId }: RemoveCapabilitiesOfParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'removeCapabilitiesOf',
    args: [providerId],
  });
  return writtenBy(receipt);
}
