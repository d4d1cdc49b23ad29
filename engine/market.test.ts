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

test('a copy stays as it was when the market is written on', () => {
  const market = new Market();
  const { machine, offers } = plainMachine();
  market.setMachine(1, machine);
  market.setOffer(1, 0, offers[0]!);
  market.setProvider(1, plainProvider());
  const copy = market.copy();
  expect(copy).toEqual(market);
  market.setMachine(1, { ...machine, region: 7, freeMilliGpu: [0, 0, 0, 0, 0, 0, 0, 0] });
  market.setMachine(2, machine);
  market.setProvider(1, plainProvider({ stakeWhole: 1 }));
  expect([copy.machineCount, copy.region[1], copy.freeMilliGpu[8], copy.stakeWhole[1]]).toEqual([1, 33, 1000, 10_000]);
  copy.setMachine(70, machine);
  expect(copy.machineCount).toBe(70);
});
