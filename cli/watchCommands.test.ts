import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testDeployment } from '../test/support/testDeployment.js';
import { buildProgram } from './program.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'watch-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A config file whose stake chain is another than its market chain. */
function twoChains(keys: object = {}): string {
  const deployment = testDeployment();
  const stake = { ...deployment.stake, chainId: deployment.chainId + 1 };
  writeFileSync(path.join(folder, 'market.json'), JSON.stringify({ ...deployment, stake }));
  const file = path.join(folder, 'watcher.json');
  const config = { deployment: 'market.json', rpcUrl: 'http://127.0.0.1:1', dataDir: 'data', ...keys };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function run(...words: readonly string[]): Promise<unknown> {
  return buildProgram(() => undefined).parseAsync(['node', 'matchmaker', ...words]);
}

test.each([[['watch']], [['watch', 'report']]])(
  '%j asks for a node of the stake chain where that is another',
  async (words) => {
    await expect(run(...words, '--config', twoChains())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/stakeRpcUrl: is missing: .* chain \d+/),
    });
  },
);

test('watch report takes its flags after its name', async () => {
  const words = ['watch', 'report', '--config', twoChains(), '--stake-rpc', 'http://127.0.0.1:1', '--json'];
  await expect(run(...words)).rejects.toMatchObject({ code: 'RPC_UNAVAILABLE' });
});

test('watch names a keystore that is not there before it starts', async () => {
  const keystore = { path: 'key.json', passwordEnv: 'NONE' };
  const file = twoChains({ keystore, stakeRpcUrl: 'http://127.0.0.1:1' });
  await expect(run('watch', '--config', file)).rejects.toMatchObject({ code: 'KEYSTORE_MISSING' });
});
