import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';
import { getMachine, type Machine } from './getMachine.js';

export interface ListMachinesParameters {
  /** Leave it out for the machines of all providers. */
  readonly providerId?: number;
}

/**
 * Machines by ascending id, retired ones included.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const machines = await listMachines(client, { providerId: 2 });
 */
export async function listMachines(
  client: MarketClient,
  { providerId }: ListMachinesParameters,
): Promise<readonly Machine[]> {
  const registered = await readLogs(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    eventName: 'MachineRegistered',
    ...(providerId === undefined ? {} : { args: { providerId } }),
  });
  const machines: Machine[] = [];
  for (let start = 0; start < registered.length; start += AT_ONCE) {
    const part = registered.slice(start, start + AT_ONCE);
    machines.push(...(await Promise.all(part.map(({ args }) => getMachine(client, { machineId: args.machineId })))));
  }
  return machines;
}

/** Machines that are asked for at a time, five requests each. */
const AT_ONCE = 16;
