import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SetHostUriParameters {
  readonly providerId: number;
  /** At most 256 bytes. */
  readonly hostUri: string;
}

/**
 * Changes where tenants reach the provider. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setHostUri(client, { providerId: 2, hostUri: 'https://gpu.example.org:8443' });
 */
export async function setHostUri(
  client: MarketClient,
  { providerId, hostUri }: SetHostUriParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'setHostUri',
    args: [providerId, hostUri],
  });
  return writtenBy(receipt);
}
