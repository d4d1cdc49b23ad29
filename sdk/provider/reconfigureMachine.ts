import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import type { MachineSpec } from './machineSpec.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ReconfigureMachineParameters {
  readonly machineId: number;
  /** Every field is the new total. */
  readonly spec: MachineSpec;
}

/**
 * Changes a machine that is inactive in the open round in any way, never below what its leases use. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await reconfigureMachine(client, { machineId: 3, spec });
 */
export async function reconfigureMachine(
  client: MarketClient,
  { machineId, spec }: ReconfigureMachineParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'reconfigureMachine',
    args: [machineId, spec],
  });
  return writtenBy(receipt);
}
