import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GENERIC_PACKING_TERMS } from '../engine/derivation/derivePackingTerms.js';
import { buildProgram } from './program.js';
import { exitCodeOf } from './usage.js';

const FIXTURE = path.join(import.meta.dirname, '../replay/fixture');
const machines = path.join(FIXTURE, 'machines.csv');
const tasks = path.join(FIXTURE, 'tasks.csv');
const files = ['--nodes', machines, '--pods', tasks];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'replay-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function run(...words: readonly string[]): Promise<string> {
  const lines: string[] = [];
  await buildProgram((line) => lines.push(line)).parseAsync(['node', 'matchmaker', ...words]);
  return lines.join('\n');
}

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('replay', () => {
  test('prints seed, allocation by load, placed and skipped as one object, the same each time', async () => {
    const words = ['replay', ...files, '--inflate', '1.3', '--seed', '7', '--json'];
    const printed = await run(...words);
    expect(JSON.parse(printed)).toEqual({
      seed: 7,
      allocation: {
        95: null,
        100: expect.any(Number),
        110: expect.any(Number),
        120: expect.any(Number),
        130: expect.any(Number),
      },
      placed: expect.any(Number),
      skipped: expect.any(Number),
    });
    expect(await run(...words)).toBe(printed);
    expect(await run('replay', ...files, '--seed', '8', '--json')).not.toBe(printed);
  });

  test('takes given terms', async () => {
    const terms = write('terms.json', JSON.stringify(GENERIC_PACKING_TERMS));
    const nothing = write('nothing.json', JSON.stringify({ ...GENERIC_PACKING_TERMS, fromMilli: [], value: [] }));
    const resultWith = (file: string): Promise<string> =>
      run('replay', ...files, '--seed', '8', '--json', '--terms', file);
    expect(JSON.parse(await resultWith(terms)).allocation[95]).toBeGreaterThan(
      JSON.parse(await resultWith(nothing)).allocation[95],
    );
  });

  test('shows the trade with price by packing weight', async () => {
    const { rows } = JSON.parse(await run('replay', ...files, '--trade', '--spread', '30', '--json'));
    expect(rows[0]).toMatchObject({ weightFitBps: 1500, weightPackingBps: 0, paidToCheapest: expect.any(Number) });
    expect(rows.at(-1).paidToCheapest).toBeGreaterThan(rows[1].paidToCheapest);
    expect(await run('replay', ...files, '--trade')).toMatch(/^fit weight +packing weight +paid \/ cheapest +at 100 %/);
  });

  test.each([
    [['--inflate', '0'], '--inflate: `0` is no ratio'],
    [['--inflate', '1,3'], '--inflate: `1,3` is no ratio'],
    [['--seed', '-1'], '--seed: -1 is out of range'],
    [['--trade', '--spread', '91'], '--spread: 91 is out of range'],
    [['--nodes', 'missing.csv'], '--nodes: missing.csv cannot be read'],
    [['--pods', machines], 'machines.csv: line 1, column name: is missing from the heading'],
  ])('refuses %j as bad input', async (words, problem) => {
    const failed = await run('replay', ...files, ...words).catch((error: unknown) => error);
    expect(String(failed)).toContain(problem);
    expect(exitCodeOf(failed)).toBe(2);
  });

  test.each([
    ['{}', '--terms: '],
    [JSON.stringify({ ...GENERIC_PACKING_TERMS, fromMilli: [500, 250, 600, 700, 800, 1000] }), 'packing.fromMilli[1]'],
  ])('refuses terms that are none: %s', async (text, problem) => {
    const failed = await run('replay', ...files, '--terms', write('wrong.json', text)).catch((error: unknown) => error);
    expect(String(failed)).toContain(problem);
    expect(exitCodeOf(failed)).toBe(2);
  });
});

describe('policy derive', () => {
  test('prints terms that replay takes, and what they rest on', async () => {
    const derived = JSON.parse(await run('policy', 'derive', '--orders', tasks, '--machines', machines, '--json'));
    expect(derived).toMatchObject({ orders: 90, terms: { deviceWeight: 32, models: expect.any(Array) } });
    const terms = write('derived.json', JSON.stringify(derived.terms));
    expect(JSON.parse(await run('replay', ...files, '--terms', terms, '--json')).placed).toBeGreaterThan(0);
    const text = await run('policy', 'derive', '--orders', tasks, '--machines', machines);
    expect(text).toContain(JSON.stringify(derived.terms));
    expect(text).toMatch(/what a share is worth[^]*p100/);
  });

  test('adds up several files, and leaves models alone without machines', async () => {
    const derived = JSON.parse(await run('policy', 'derive', '--orders', tasks, '--orders', tasks, '--json'));
    expect(derived).toMatchObject({ orders: 180, models: [], terms: { models: [], modelFactor: [] } });
  });

  test('names a model that the catalogue does not have', async () => {
    const unknown = write('unknown.csv', 'cpu_milli,memory_mib,gpu,model\n1000,1024,1,G7\n');
    await expect(run('policy', 'derive', '--orders', tasks, '--machines', unknown)).rejects.toThrow(
      '`g7` is not known',
    );
  });
});
