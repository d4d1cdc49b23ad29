import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Command } from 'commander';

import { buildProgram } from './program.js';
import { describeError, exitCodeOf } from './usage.js';

const VARIABLES = ['MATCHMAKER_DEPLOYMENT', 'MATCHMAKER_RPC_URL', 'MATCHMAKER_KEYSTORE', 'MATCHMAKER_PASSWORD_FILE'];
let kept: (string | undefined)[];

beforeEach(() => {
  kept = VARIABLES.map((name) => process.env[name]);
  for (const name of VARIABLES) delete process.env[name];
});
afterEach(() => {
  for (const [index, name] of VARIABLES.entries()) {
    if (kept[index] !== undefined) process.env[name] = kept[index];
  }
});

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

const marketCommands = (): Command[] =>
  buildProgram(() => undefined)
    .commands.filter((command) =>
      ['order', 'escrow', 'provider', 'stake', 'compliance', 'governance'].includes(command.name()),
    )
    .flatMap(leaves);

test('every command of the market says what it does and takes --json, --deployment and --rpc', () => {
  const commands = marketCommands();
  expect(commands.length).toBeGreaterThan(50);
  for (const command of commands) {
    expect([command.name(), command.description() !== '']).toEqual([command.name(), true]);
    const flags = command.options.map(({ long }) => long);
    expect(flags).toEqual(expect.arrayContaining(['--json', '--deployment', '--rpc']));
  }
});

test('a missing flag is named with its variable, and exits 2', async () => {
  const run = (...words: string[]): Promise<unknown> =>
    buildProgram(() => undefined)
      .parseAsync(words, { from: 'user' })
      .catch((error: unknown) => error);
  const error = await run('order', 'status', '1');
  expect([exitCodeOf(error), describeError(error)]).toEqual([
    2,
    'error: --deployment is missing: name the deployment file of the market (or set MATCHMAKER_DEPLOYMENT)',
  ]);
  process.env['MATCHMAKER_DEPLOYMENT'] = 'deployment.json';
  expect(describeError(await run('order', 'status', '1'))).toContain('--rpc is missing');
});
