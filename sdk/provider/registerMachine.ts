import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import type { MachineSpec } from './machineSpec.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface RegisterMachineParameters {
  readonly providerId: number;
  readonly spec: MachineSpec;
}

export interface RegisterMachineReturnType extends Written {
  readonly machineId: number;
}

/**
 * Adds a machine; the provider's own stake must cover it. It is matched once it is activated and has an offer. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { machineId } = await registerMachine(client, {
 *   providerId: 2,
 *   spec: { model: 51, region: 64, cpuMilli: 64_000, memoryMib: 524_288, storageGib: 4_000, deviceCount: 8 },
 * });
 */
export async function registerMachine(
  client: MarketClient,
  { providerId, spec }: RegisterMachineParameters,
): Promise<RegisterMachineReturnType> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'registerMachine', args: [providerId, spec] });
  const { machineId } = eventOf(receipt, { ...contract, eventName: 'MachineRegistered' });
  return { ...writtenBy(receipt), machineId };
}
