import { expect, test } from '@jest/globals';
import { Market } from './market.js';
import { plainMachine, plainProvider } from './reference/plainRound.js';

test('a column keeps every row when it grows', () => {
  const market = new Market();
  const { machine, offers } = plainMachine();
  for (let id = 1; id <= 200; id++) {
    market.setMachine(id, { ...machine, region: id, freeMilliGpu: [id, 0, 0, 0, 0, 0, 0, 1000] });
    market.setOffer(id, 3, { ...offers[0]!, gpuMicroPerHour: 2 ** 36 - id });
    market.setProvider(
      id,
      plainProvider({ stakeWhole: id, attributes: (1n << 53n) | BigInt(id), reports: [0, 0, 0, id] }),
    );
  }
  expect([market.machineCount, market.providerCount]).toEqual([200, 200]);
  for (const id of [1, 63, 64, 127, 128, 200]) {
    expect(market.region[id]).toBe(id);
    expect([market.freeMilliGpu[8 * id], market.freeMilliGpu[8 * id + 7]]).toEqual([id, 1000]);
    expect(market.offerGpuMicroPerHour[4 * id + 3]).toBe(2 ** 36 - id);
    expect(market.stakeWhole[id]).toBe(id);
    expect([market.attributesLow[id], market.attributesHigh[id]]).toEqual([id, 2 ** 26]);
    expect(market.reports[4 * id + 3]).toBe(id);
  }
});
