import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SetMaintenanceParameters {
  readonly providerId: number;
  readonly maintenance: boolean;
}

/**
 * Switches between Active and Maintenance, in which machines are not matched and downtime is no fault. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setMaintenance(client, { providerId: 2, maintenance: true });
 */
export async function setMaintenance(
  client: MarketClient,
  { providerId, maintenance }: SetMaintenanceParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'setMaintenance',
    args: [providerId, maintenance],
  });
  return writtenBy(receipt);
}
