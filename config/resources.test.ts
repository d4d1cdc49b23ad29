import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

import type { ResourceRow } from '../chain/deploy/marketParameters.js';
import { GPU_MODELS } from '../devnet/catalogue.js';

const rows = JSON.parse(readFileSync('config/resources.json', 'utf8')) as ResourceRow[];

test('a GPU model is the resource of the same number', () => {
  for (const { id, name } of GPU_MODELS) expect(rows[id - 1]).toMatchObject({ category: 'gpu', name });
});

test('every row is of a known kind and weight, and no name stands twice', () => {
  const tierMultipliersBps = [1000, 2500, 5000, 7500, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 150_000];
  for (const row of rows) {
    expect(Object.keys(row)).toEqual(['category', 'name', 'multiplierBps']);
    expect(['cpu', 'gpu']).toContain(row.category);
    expect(row.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(tierMultipliersBps).toContain(row.multiplierBps);
  }
  expect(new Set(rows.map(({ category, name }) => `${category}/${name}`)).size).toBe(rows.length);
});

test('where the sources differ, the table of provider rewards holds', () => {
  const weightOf = (name: string): number | undefined => rows.find((row) => row.name === name)?.multiplierBps;
  expect(weightOf('rtx5090')).toBe(15_000);
  expect(weightOf('rtx5060ti')).toBe(7500);
  expect(weightOf('a100-pcie-40g')).toBe(30_000);
  expect(weightOf('gp')).toBe(10_000);
});
