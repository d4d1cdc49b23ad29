import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';

import { marketAuthorityAbi } from '../chain/contracts/generated/MarketAuthority.js';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import { DELEGATOR, DEPLOYER, RewardedMarket, TOKEN } from '../test/support/rewardedMarket.js';
import { control } from '../test/support/marketChain.js';
import { registerRewardsCommands } from './rewardsCommands.js';

const KEY_VARIABLE = 'MATCHMAKER_TEST_REWARDS_KEY';
/** Score oracle, reward poster and reward guardian. */
const ROLES = [2n, 10n, 11n];

describe('rewards by the command line', () => {
  let market: RewardedMarket;
  let folder: string;
  let file: string;
  let era: number;

  /** Runs a command with the deployer's key; the answer is its JSON. */
  async function run(...args: string[]): Promise<Record<string, unknown>> {
    const lines = await lined(...args, '--json');
    expect(lines).toHaveLength(1);
    return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  }

  async function lined(...args: string[]): Promise<string[]> {
    const printed: string[] = [];
    const program = new Command().exitOverride();
    registerRewardsCommands(program, (line) => printed.push(line));
    const writes = !['status', 'compute', 'verify'].includes(args[0] ?? '');
    const shared = ['--deployment', path.join(folder, 'deployment.json'), '--rpc', market.chain.anvil.url];
    const key = writes ? ['--private-key-env', KEY_VARIABLE] : [];
    await program.parseAsync(['rewards', ...args, ...shared, ...key], { from: 'user' });
    return printed;
  }

  async function later(seconds: number): Promise<void> {
    await market.chain.rpc.batch([control('evm_increaseTime', [seconds]), control('evm_mine', [])]);
  }

  beforeAll(async () => {
    market = await RewardedMarket.start();
    const { chain } = market;
    const { contracts, stakeToken } = chain.deployment;
    const deployer = chain.account(DEPLOYER);
    await chain.mined([
      ...ROLES.map((role) =>
        chain.call(DEPLOYER, contracts.accessManager, marketAuthorityAbi, 'grantRole', [
          role,
          deployer.account.address,
          0,
        ]),
      ),
      chain.call(DEPLOYER, stakeToken, devnetTokenAbi, 'mint', [deployer.account.address, 1_000n * TOKEN]),
    ]);
    await chain.rpc.request(control('evm_setAutomine', [true]));
    process.env[KEY_VARIABLE] = deployer.privateKey;
    folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-rewards-'));
    file = path.join(folder, 'list.json');
    writeFileSync(path.join(folder, 'deployment.json'), JSON.stringify(chain.deployment));
    era = await market.currentEra();
    await later(31);
  }, 120_000);

  afterAll(async () => {
    delete process.env[KEY_VARIABLE];
    rmSync(folder, { recursive: true, force: true });
    await market.stop();
  });

  test('funds, results, closing: the era is computed and explained', async () => {
    expect(await run('fund', '--amount', '12.5')).toMatchObject({
      totalFunded: String(10n ** 24n + 125n * 10n ** 17n),
    });
    const results = [
      { providerId: 1, gpuPassedBps: 9_900, cpuPassedBps: 9_900, reputationBps: 5_000, outages: [], voided: false },
    ];
    writeFileSync(path.join(folder, 'results.json'), JSON.stringify(results));
    await run('post-results', '--era', String(era), '--file', path.join(folder, 'results.json'));
    expect(await run('close-era', '--era', String(era))).toMatchObject({ era, rewardTokenMicroUsd: '500000' });
    const computed = await run('compute', '--era', String(era), '--out', file);
    expect(computed).toMatchObject({ era, baseEra: null, dueTierChanges: [] });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ root: computed['root'] });
    const earner = market.chain.account(DELEGATOR).account.address;
    const lines = await lined('compute', '--era', String(era), '--earner', earner);
    // (2 x 3 x 20 + 3.2) x 1.5 points are 3.696 tokens; 40 % are the delegator's.
    expect(lines.find((line) => line.startsWith(earner.toLowerCase()))).toMatch(/\+1\.4784 TSTK, in all 1\.4784 TSTK/);
    expect(lines.at(-1)).toContain('"kind":"delegator"');
  });

  test('a file of results that is none names the field', async () => {
    const bad = path.join(folder, 'bad.json');
    writeFileSync(bad, JSON.stringify([{ providerId: 1, cpuPassedBps: 10_001 }]));
    await expect(run('post-results', '--era', String(era), '--file', bad)).rejects.toMatchObject({
      code: 'RESULTS_INVALID',
      message: expect.stringContaining('cpuPassedBps'),
    });
  });

  test('proposed, verified, contested, dismissed, claimed', async () => {
    const named = ['--era', String(era)];
    await expect(run('verify', ...named)).rejects.toMatchObject({ code: 'ROOT_NOT_FOUND' });
    await expect(run('claim')).rejects.toMatchObject({ code: 'NOTHING_ACTIVE' });
    const proposed = await run('propose', ...named, '--uri', 'file:///list', '--out', file);
    expect(await run('verify', ...named)).toMatchObject({ correct: true, differences: [] });
    expect(await run('contest', ...named, '--uri', 'why')).toMatchObject({ bond: String(100n * TOKEN) });
    expect(await run('status')).toMatchObject({ standingRoot: { era, state: 'contested', root: proposed['root'] } });
    await run('resolve', ...named);
    await expect(run('claim')).rejects.toMatchObject({ code: 'NOTHING_ACTIVE' });
    await market.activate();
    const earner = market.chain.account(DELEGATOR).account.address;
    expect(await run('claim', '--earner', earner)).toMatchObject({ amount: '1478400000000000000' });
    await expect(run('claim', '--earner', earner, '--file', file)).rejects.toMatchObject({
      code: 'MARKET_CALL_REFUSED',
    });
    expect(await run('status', '--earner', earner)).toMatchObject({
      totalClaimed: '1478400000000000000',
      earner: { claimed: '1478400000000000000', forfeitedUntil: null },
    });
    // The deployer earned nothing.
    await expect(run('claim', '--file', file)).rejects.toMatchObject({ code: 'EARNER_NOT_IN_TREE' });
  });

  test('a wrong root ends verify with an error, and is disabled or contested away', async () => {
    await later(31);
    const { era: closed } = (await run('close-era')) as { era: number };
    const named = ['--era', String(closed)];
    const right = await market.compute(closed);
    await market.chain.rpc.request(control('evm_setAutomine', [false]));
    await market.propose({ ...right, root: `0x${'11'.repeat(32)}` });
    await market.chain.rpc.request(control('evm_setAutomine', [true]));
    await expect(run('verify', ...named)).rejects.toMatchObject({ code: 'ROOT_WRONG' });
    await run('contest', ...named, '--uri', 'why');
    await run('resolve', ...named, '--upheld');
    expect(await run('withdraw-credit')).toMatchObject({ amount: String(100n * TOKEN) });
    await run('propose', ...named, '--uri', 'file:///list', '--out', file, '--previous', file);
    await run('disable', ...named);
    expect(await run('status')).toMatchObject({ standingRoot: { era } });
  });

  test('a reward wallet is set', async () => {
    const wallet = market.chain.account(0).account.address.toLowerCase();
    await run('set-wallet', '--wallet', wallet);
    const { earner } = await run('status', '--earner', market.chain.account(DEPLOYER).account.address);
    expect((earner as { wallet: string }).wallet.toLowerCase()).toBe(wallet);
  });
});
