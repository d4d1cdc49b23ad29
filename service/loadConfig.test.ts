import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { ConfigInvalidError, loadConfig } from './loadConfig.js';

const schema = z.strictObject({
  rpcUrl: z.url(),
  dataDir: z.string(),
  listen: z.strictObject({ host: z.string().default('127.0.0.1'), port: z.int().max(65_535).default(1) }).prefault({}),
  peers: z.array(z.string()).default([]),
});
const pathKeys = ['dataDir'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}

function problemsOf(load: () => unknown): readonly { path: string; message: string }[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigInvalidError) return error.problems;
    throw error;
  }
  throw new Error('nothing was refused');
}

test.each([
  ['c.json', '{"rpcUrl":"http://a","dataDir":"d","listen":{"port":7}}'],
  ['c.yaml', 'rpcUrl: http://a\ndataDir: d\nlisten:\n  port: 7\n'],
])('%s: flags win over the file, the file over defaults, and paths start at the file', (name, text) => {
  const config = loadConfig(schema, {
    file: file(name, text),
    flags: { rpcUrl: 'http://b', listen: { host: '0.0.0.0', port: undefined }, dataDir: undefined },
    pathKeys,
  });
  expect(config).toEqual({
    rpcUrl: 'http://b',
    dataDir: path.join(folder, 'd'),
    listen: { host: '0.0.0.0', port: 7 },
    peers: [],
  });
});

test('a path in a flag starts at the working directory', () => {
  expect(loadConfig(schema, { flags: { rpcUrl: 'http://a', dataDir: 'd' }, pathKeys }).dataDir).toBe(path.resolve('d'));
});

describe('what is refused', () => {
  test('every problem at once, each with the path of its key', () => {
    const name = file('c.json', '{"rpcUrl":"nowhere","listen":{"port":70000,"hots":"x"},"typo":1,"peers":["a",2]}');
    const problems = problemsOf(() => loadConfig(schema, { file: name, flags: {}, pathKeys }));
    expect(problems.map((problem) => problem.path).toSorted()).toEqual([
      'dataDir',
      'listen.hots',
      'listen.port',
      'peers.1',
      'rpcUrl',
      'typo',
    ]);
    expect(problems.find((problem) => problem.path === 'dataDir')?.message).toBe('is missing');
    expect(problems.find((problem) => problem.path === 'typo')?.message).toBe('unknown key');
    expect(problems.find((problem) => problem.path === 'listen.port')?.message).toBe('must be at most 65535');
    expect(problems.find((problem) => problem.path === 'peers.1')?.message).toBe('must be a string');
  });

  test.each([
    ['missing.json', undefined, /^does not exist$/],
    ['bad.json', '{', /cannot be parsed/],
    ['bad.yaml', 'a: 1\na: 2', /cannot be parsed/],
    ['list.yaml', '- 1', /object of keys/],
  ])('the file %s', (name, text, message) => {
    const named = text === undefined ? path.join(folder, name) : file(name, text);
    const problems = problemsOf(() => loadConfig(schema, { file: named, flags: {}, pathKeys }));
    expect(problems).toEqual([{ path: named, message: expect.stringMatching(message) }]);
  });
});
