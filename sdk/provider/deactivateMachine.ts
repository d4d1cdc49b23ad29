import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface DeactivateMachineParameters {
  readonly machineId: number;
}

export interface DeactivateMachineReturnType extends Written {
  /** First round that no longer matches it. */
  readonly untilRound: number;
}

/**
 * Keeps a machine from being matched from a later round on; its leases go on. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await deactivateMachine(client, { machineId: 3 });
 */
export async function deactivateMachine(
  client: MarketClient,
  { machineId }: DeactivateMachineParameters,
): Promise<DeactivateMachineReturnType> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'deactivateMachine', args: [machineId] });
  const { untilRound } = eventOf(receipt, { ...contract, eventName: 'MachineDeactivated' });
  return { ...writtenBy(receipt), untilRound };
}
