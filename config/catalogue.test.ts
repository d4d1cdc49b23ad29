import { expect, test } from '@jest/globals';
import { ATTRIBUTES, GPU_MODELS, REGIONS, STANDARDS } from '../devnet/catalogue.js';
import capabilities from './catalogue/capabilities.json' with { type: 'json' };
import gpuModels from './catalogue/gpuModels.json' with { type: 'json' };
import resources from './resources.json' with { type: 'json' };
import regions from './catalogue/regions.json' with { type: 'json' };
import standards from './catalogue/standards.json' with { type: 'json' };

test('ids are within their bits, and no two rows share one', () => {
  for (const [table, least, most] of [
    [gpuModels, 1, 1023],
    [regions, 0, 1023],
    [standards, 1, 63],
  ] as const) {
    const ids = Object.values(table).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id < least || id > most)).toEqual([]);
  }
  const bits = Object.values(capabilities).map(({ bit }) => bit);
  expect(new Set(bits).size).toBe(bits.length);
  expect(bits.filter((bit) => bit > 53)).toEqual([]);
});

test("the devnet's catalogue says the same", () => {
  const models: Record<string, { id: number }> = gpuModels;
  const places: Record<string, { id: number }> = regions;
  for (const { id, name } of GPU_MODELS) expect([name, models[name]?.id]).toEqual([name, id]);
  for (const { id, name } of REGIONS) expect([name, places[name]?.id]).toEqual([name, id]);
  const known = Object.values(capabilities).map(({ bit }) => 1n << BigInt(bit));
  expect(known).toEqual(expect.arrayContaining(Object.values(ATTRIBUTES)));
  expect(Object.values(standards).map(({ id }) => id)).toEqual(Object.values(STANDARDS));
});

test('a model is the row of the resource table that rewards go by', () => {
  const rows = resources.flatMap(({ category, name }, index) => (category === 'gpu' ? [[name, index + 1]] : []));
  expect(Object.entries(gpuModels).map(([name, { id }]) => [name, id])).toEqual(rows);
});

test('the capability of persistent storage is the one that documents are read with', () => {
  expect(capabilities['nvme-storage'].bit).toBe(1);
});
