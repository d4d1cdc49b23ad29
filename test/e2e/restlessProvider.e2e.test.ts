import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { encodeFunctionData } from 'viem';

import { providerRegistryAbi } from '../../chain/contracts/generated/ProviderRegistry.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 150_000;
const ORDERS = 24;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start();
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

test(
  'a provider that flips status, price and capacity in every block never causes a skip',
  async () => {
    // The first provider is the cheapest, so that orders keep preferring it.
    const lane = network.providerLanes[0]!;
    const providerId = network.populated.providerIds[0]!;
    const machineId = network.populated.machineIds[0]!;
    const to = network.deployment.contracts.providerRegistry;
    const send = (data: `0x${string}`, label: string) => lane.send({ to, data, label, gasLimit: 500_000n });
    let restless = true;
    let changes = 0;
    const flipping = (async () => {
      for (let turn = 0; restless; turn++) {
        const price = turn % 2 === 0 ? 900_000 : 1_100_000;
        const sent = await Promise.all([
          send(
            encodeFunctionData({
              abi: providerRegistryAbi,
              functionName: 'setMaintenance',
              args: [providerId, turn % 2 === 0],
            }),
            'maintenance',
          ),
          send(
            encodeFunctionData({
              abi: providerRegistryAbi,
              functionName: 'setOffer',
              args: [
                machineId,
                0,
                {
                  tokenId: 1,
                  gpuMicroPerHour: price,
                  coreMicroPerHour: 10_000,
                  memoryGibMicroPerHour: 1_000,
                  storageTibMicroPerHour: 1_000,
                },
              ],
            }),
            'price',
          ),
          send(
            encodeFunctionData({
              abi: providerRegistryAbi,
              functionName: turn % 4 < 2 ? 'deactivateMachine' : 'activateMachine',
              args: [machineId],
            }),
            'activity',
          ),
          send(
            encodeFunctionData({
              abi: providerRegistryAbi,
              functionName: 'growMachine',
              args: [
                machineId,
                {
                  model: 1,
                  region: 33,
                  cpuMilli: 128_000 + turn,
                  memoryMib: 524_288 + turn,
                  storageGib: 8_000 + turn,
                  deviceCount: 8,
                },
              ],
            }),
            'capacity',
          ),
        ]);
        const outcomes = await Promise.allSettled(sent.map(({ mined }) => mined));
        changes += outcomes.filter(({ status }) => status === 'fulfilled').length;
      }
    })();

    const ids: number[] = [];
    for (let index = 0; index < ORDERS; index++) ids.push((await network.order()).orderId);
    for (const id of ids) await network.leased(id);
    restless = false;
    await flipping;

    const settlements = await network.settlements();
    expect(settlements.every(({ skipped }) => skipped === 0n)).toBe(true);
    expect(settlements.flatMap(({ orderIds }) => orderIds).filter((id) => ids.includes(id))).toHaveLength(ORDERS);
    expect(changes).toBeGreaterThan(ORDERS);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);
