import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RetireMachineParameters {
  readonly machineId: number;
}

/**
 * Takes a machine that is inactive and serves no lease away, and frees its stake. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await retireMachine(client, { machineId: 3 });
 */
export async function retireMachine(client: MarketClient, { machineId }: RetireMachineParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'retireMachine',
    args: [machineId],
  });
  return writtenBy(receipt);
}
