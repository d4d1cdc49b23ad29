import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ActivateMachineParameters {
  readonly machineId: number;
}

export interface ActivateMachineReturnType extends Written {
  /** First round that may match it. */
  readonly fromRound: number;
}

/**
 * Lets a machine be matched from a later round on. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await activateMachine(client, { machineId: 3 });
 */
export async function activateMachine(
  client: MarketClient,
  { machineId }: ActivateMachineParameters,
): Promise<ActivateMachineReturnType> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'activateMachine', args: [machineId] });
  const { fromRound } = eventOf(receipt, { ...contract, eventName: 'MachineActivated' });
  return { ...writtenBy(receipt), fromRound };
}
