import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Address } from 'viem';
import { iAllocationManagerAbi } from '../chain/contracts/generated/IAllocationManager.js';
import { parseDeployment } from '../chain/deployment.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { registerOperator } from '../chain/eigenlayer/registerOperator.js';
import { startStakeChain, WHOLE, type StakeChain } from '../test/support/stakeChain.js';
import { testDeploymentJson } from '../test/support/testDeployment.js';
import { buildProgram } from './program.js';

/** Account of the mnemonic that is the AVS here. */
const AVS = 9;

// Each starts a chain or sends a dozen transactions one after the other.
jest.setTimeout(120_000);

let chain: StakeChain;
let folder: string;
let avs: Address;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-stake-'));
  // An EigenLayer that the command knows nothing of but its addresses.
  chain = await startStakeChain();
  avs = chain.account(AVS).account.address;
  process.env['TEST_AVS_KEY'] = chain.account(AVS).privateKey;
});

afterAll(async () => {
  delete process.env['TEST_AVS_KEY'];
  rmSync(folder, { recursive: true });
  await chain?.stop();
});

function write(name: string, json: unknown): string {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify(json));
  return file;
}

/** The market part of a deployment, and with it addresses of EigenLayer that are nobody's. */
function marketFile(): string {
  const { stake: _, stakeToken: __, strategy: ___, ...market } = testDeploymentJson();
  return write('market.json', { ...market, operatorSet: { avs, id: 77 } });
}

async function deployStake(...extra: string[]): Promise<string> {
  const lines: string[] = [];
  await buildProgram((line) => lines.push(line)).parseAsync(
    [
      ['deploy', 'stake', '--rpc', chain.anvil.url, '--private-key-env', 'TEST_AVS_KEY', '--market', marketFile()],
      ['--metadata-uri', 'https://matchmaker.example/avs.json', '--stake-token', chain.stakeToken],
      ['--out', path.join(folder, 'out')],
      extra,
    ].flat(),
    { from: 'user' },
  );
  return lines.join('\n');
}

test('an EigenLayer that is known by a file of addresses alone gets an operator set that operators can join', async () => {
  const eigenlayer = write('eigenlayer.json', chain.eigenlayer);
  const told = JSON.parse(await deployStake('--network', 'devnet', '--eigenlayer', eigenlayer, '--json')) as object;
  const deployment = parseDeployment(JSON.parse(readFileSync(path.join(folder, 'out', 'deployment.json'), 'utf8')));
  expect(told).toMatchObject({ operatorSet: { avs: avs.toLowerCase(), id: 77 }, stake: deployment.stake });
  expect(deployment.eigenlayer.allocationManager).toBe(chain.eigenlayer.allocationManager);
  expect(deployment).toMatchObject({ stakeToken: chain.stakeToken.toLowerCase(), strategy: chain.strategy });

  const { operatorSet, strategy, stakeToken } = deployment;
  await chain.fund(chain.account(1).account.address, 10n * WHOLE);
  const registration = { ...chain.registration(1, 10n * WHOLE), eigenlayer: deployment.eigenlayer };
  await registerOperator(
    { ...registration, operatorSet, strategy, stakeToken },
    { lane: chain.lane(1), rpc: chain.rpc },
  );
  const members = await readEigen(chain.rpc, {
    address: deployment.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'getMembers',
    args: [operatorSet],
  });
  expect(members).toEqual([chain.account(1).account.address]);

  // The devnet's delays protect nobody, and whoever deploys is told.
  expect(await deployStake('--network', 'devnet', '--eigenlayer', eigenlayer)).toContain('no economic security');
});

test.each([
  ['the wrong chain', ['--network', 'mainnet'], /serves chain 31337, not 1/],
  ['a network without multichain contracts', ['--network', 'hoodi'], /Hoodi .*use Sepolia/],
  ['a network where operator sets cannot live', ['--network', 'base'], /--network mainnet/],
  ['a network that nobody knows', ['--network', 'goerli'], /goerli is unknown; use mainnet, /],
  ['a strategy beside a token', ['--network', 'sepolia', '--strategy', `0x${'12'.repeat(20)}`], /give one of them/],
])('%s is refused with the fix', async (_, flags, message) => {
  await expect(deployStake(...flags)).rejects.toThrow(message);
});

test('addresses that the file lacks are named', async () => {
  const { keyRegistrar: _, ...rest } = chain.eigenlayer;
  const file = write('incomplete.json', rest);
  await expect(deployStake('--network', 'devnet', '--eigenlayer', file)).rejects.toThrow(
    /incomplete\.json has no keyRegistrar: add/,
  );
});

test('what deploys the stake side knows nothing of the devnet’s EigenLayer', () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !file.endsWith('.ts') || !existsSync(file)) return;
    seen.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)) {
      visit(path.join(path.dirname(file), `${target}.ts`));
    }
  };
  visit('chain/eigenlayer/deployStakeSide.ts');
  visit('cli/deployCommands.ts');
  expect(seen.size).toBeGreaterThan(20);
  expect([...seen].filter((file) => /Devnet|devnet\//.test(file))).toEqual([]);
});

test('the AVS metadata is checked and printed', async () => {
  const lines: string[] = [];
  await buildProgram((line) => lines.push(line)).parseAsync(['deploy', 'metadata'], { from: 'user' });
  expect(JSON.parse(lines.join('\n'))).toMatchObject({ name: 'Matchmaker' });
  const bad = write('metadata.json', { name: 'x' });
  await expect(
    buildProgram(() => undefined).parseAsync(['deploy', 'metadata', bad], { from: 'user' }),
  ).rejects.toMatchObject({ code: 'AVS_METADATA_INVALID' });
});
