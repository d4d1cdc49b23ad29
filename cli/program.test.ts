import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';

import { buildProgram } from './program.js';
import { describeError, exitCodeOf } from './usage.js';

let folder: string;
let printed: string[];
let complained: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-cli-'));
  printed = [];
  complained = '';
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Every command of the tree with its own output caught. */
function quiet(command: Command): void {
  command.configureOutput({ writeOut: () => undefined, writeErr: (text) => (complained += text) });
  for (const child of command.commands) quiet(child);
}

async function run(...args: string[]): Promise<unknown> {
  const program = buildProgram((line) => printed.push(line));
  quiet(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    return error;
  }
}

test('keys: made, imported and listed, and never overwritten', async () => {
  const password = path.join(folder, 'password');
  const made = path.join(folder, 'made.json');
  const imported = path.join(folder, 'imported.json');
  writeFileSync(password, 'secret\n');
  writeFileSync(path.join(folder, 'key.hex'), `${'11'.repeat(32)}\n`);
  const common = ['--password-file', password, '--scrypt-n', '1024'];
  expect(await run('operator', 'keys', 'create', '--keystore', made, ...common)).toBeUndefined();
  const key = path.join(folder, 'key.hex');
  expect(
    await run('operator', 'keys', 'import', '--keystore', imported, '--private-key-file', key, ...common),
  ).toBeUndefined();
  expect(JSON.parse(printed[1] ?? '')).toEqual({
    address: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
    keystore: imported,
  });
  const again = await run('operator', 'keys', 'create', '--keystore', made, ...common);
  expect([exitCodeOf(again), describeError(again)]).toEqual([2, expect.stringContaining('exists already')]);
  printed = [];
  await run('operator', 'keys', 'list', folder);
  expect(printed.map((line) => JSON.parse(line).keystore)).toEqual([imported, made]);

  printed = [];
  const opened = ['--keystore', imported, '--password-file', password];
  expect(await run('operator', 'keys', 'export', ...opened)).toBeUndefined();
  expect(printed).toEqual([`0x${'11'.repeat(32)}`]);
  const exported = path.join(folder, 'exported.hex');
  expect(await run('operator', 'keys', 'export', ...opened, '--file', exported)).toBeUndefined();
  expect(readFileSync(exported, 'utf8')).toBe(`0x${'11'.repeat(32)}\n`);
  expect(statSync(exported).mode & 0o777).toBe(0o600);
  expect(describeError(await run('operator', 'keys', 'export', ...opened, '--file', exported))).toContain('EEXIST');
});

test('keys: of BN254 too, in keystores of their own kind', async () => {
  const password = path.join(folder, 'password');
  const made = path.join(folder, 'bls.json');
  writeFileSync(password, 'secret\n');
  writeFileSync(path.join(folder, 'key.hex'), `${'0'.repeat(63)}1\n`);
  const common = ['--password-file', password, '--scrypt-n', '1024', '--curve', 'bn254'];
  const key = path.join(folder, 'key.hex');
  expect(await run('operator', 'keys', 'import', '--keystore', made, '--private-key-file', key, ...common)).toBe(
    undefined,
  );
  // The generator of G1.
  const publicKey = `0x${'0'.repeat(63)}1${'0'.repeat(63)}2`;
  expect(JSON.parse(printed[0] ?? '')).toEqual({ publicKey, keystore: made });
  expect(JSON.parse(readFileSync(made, 'utf8'))).toMatchObject({ version: 4 });
  printed = [];
  await run('operator', 'keys', 'list', folder);
  expect(printed.map((line) => JSON.parse(line))).toEqual([{ publicKey, keystore: made }]);
  printed = [];
  await run('operator', 'keys', 'export', '--keystore', made, '--password-file', password);
  expect(printed).toEqual([`0x${'0'.repeat(63)}1`]);
});

describe('usage errors say what is wrong', () => {
  test.each([
    [['bogus'], /unknown command 'bogus'/],
    [['operator', 'start', '--bogus'], /unknown option '--bogus'/],
    [['aggregator', 'start', '--port', 'x'], /whole number/],
    [['operator', 'start', '--log-level', 'loud'], /Allowed choices/],
    [['operator', 'keys', 'create', '--keystore', 'k', '--scrypt-n', '5'], /power of two/],
  ])('%j', async (args, message) => {
    expect(await run(...args)).toMatchObject({ name: expect.stringContaining('Error'), exitCode: 1 });
    expect(complained).toMatch(message);
  });
});

test('a process without configuration names every missing key and exits 2', async () => {
  for (const name of ['operator', 'aggregator']) {
    const error = await run(name, 'start');
    expect(exitCodeOf(error)).toBe(2);
    for (const key of ['deployment', 'rpcUrl', 'keystore', 'dataDir']) {
      expect(describeError(error)).toContain(`${key}: is missing`);
    }
  }
});

test('a deployment file that is not JSON is named by its key, without a stack', async () => {
  const deployment = path.join(folder, 'deployment.json');
  writeFileSync(deployment, '{');
  const error = await run(
    'operator',
    'start',
    '--deployment',
    deployment,
    '--rpc-url',
    'http://127.0.0.1:9',
    '--keystore',
    'none.json',
    '--password-env',
    'PW',
    '--aggregator',
    'http://a',
    '--data-dir',
    folder,
  );
  expect(describeError(error)).toMatch(/^error: 1 configuration problem:\n {2}deployment: .* is not JSON/);
  expect(exitCodeOf(error)).toBe(2);
});

test('an error of the system is one line', async () => {
  const error = await run('operator', 'keys', 'list', path.join(folder, 'none'));
  expect(describeError(error)).toMatch(/^error: ENOENT: [^\n]*$/);
});
