import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import type { MachineSpec } from './machineSpec.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface GrowMachineParameters {
  readonly machineId: number;
  /** Every field is the new total. */
  readonly spec: MachineSpec;
}

/**
 * Raises the capacity of a machine, also of an active one. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await growMachine(client, { machineId: 3, spec });
 */
export async function growMachine(client: MarketClient, { machineId, spec }: GrowMachineParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'growMachine',
    args: [machineId, spec],
  });
  return writtenBy(receipt);
}
