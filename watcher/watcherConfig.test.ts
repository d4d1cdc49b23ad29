import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadWatcherConfig } from './watcherConfig.js';

const example = path.resolve('config/watcher.example.yaml');

test('the example file holds a configuration, with its paths beside it', () => {
  const config = loadWatcherConfig({ file: example, flags: {} });
  expect(config.dataDir).toBe(path.resolve('config/watcher-data'));
  expect(config).toMatchObject({ factsCheck: 'proof', evidenceLogs: [], listen: { port: 9103 } });
  expect(config.keystore).toBeUndefined();
  expect(config.fees.maxFeePerGasWei).toBe(500_000_000_000n);
});

test('flags win over the file', () => {
  const flags = { rpcUrl: 'http://node:1', stakeRpcUrl: 'http://node:2', keystore: { path: '/k', passwordEnv: 'P' } };
  expect(loadWatcherConfig({ file: example, flags })).toMatchObject(flags);
});

test('evidence logs start at the folder of the file, or of the command', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'watcher-'));
  const file = path.join(folder, 'watcher.json');
  const keys = {
    deployment: 'market.json',
    rpcUrl: 'http://node:1',
    dataDir: 'data',
    evidenceLogs: ['a.jsonl', '/b.jsonl'],
  };
  writeFileSync(file, JSON.stringify(keys));
  try {
    expect(loadWatcherConfig({ file, flags: {} }).evidenceLogs).toEqual([path.join(folder, 'a.jsonl'), '/b.jsonl']);
    const flags = { evidenceLogs: ['c.jsonl'] };
    expect(loadWatcherConfig({ file, flags }).evidenceLogs).toEqual([path.resolve('c.jsonl')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('every problem is named at once', () => {
  expect(() => loadWatcherConfig({ flags: { rpcUrl: 'ws://node', fees: { spendCapWei: -1 }, port: 1 } })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/deployment[\s\S]*rpcUrl[\s\S]*dataDir[\s\S]*spendCapWei[\s\S]*port: unknown key/),
    }),
  );
});
