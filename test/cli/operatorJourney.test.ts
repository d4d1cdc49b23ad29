import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeFunctionData, parseUnits, type Address } from 'viem';

import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { buildProgram } from '../../cli/program.js';
import { describeError, exitCodeOf } from '../../cli/usage.js';
import { deployDevnet, publishOperatorTable, registerOperators, type DevnetMarket } from '../../devnet/deployDevnet.js';
import { startDevnetChain, type StartedDevnetChain } from '../../devnet/devnetChain.js';
import { inspectGuard } from '../../operator/inspectGuard.js';
import { SignGuard } from '../../operator/signGuard.js';
import { ensureRedis } from '../../service/ensureRedis.js';
import { createLogger } from '../../service/logger.js';

/** Of the devnet. */
const DEALLOCATION_DELAY = 1_200;
const ROUND_LENGTH = 8;
/** Within the deadline of a request on any machine. */
const MINED_AT_ONCE = 300;
let chain: StartedDevnetChain;
let market: DevnetMarket;
let folder: string;
let aggregator: Server;
let cold: Address;
let hot: Address;
let signer: Address;
const variables: string[] = [];

beforeAll(async () => {
  chain = await startDevnetChain({ mining: 'instant', accounts: 40 });
  market = await deployDevnet(chain, { roundLengthBlocks: ROUND_LENGTH });
  await registerOperators(chain, market, [1_000, 1_000]);
  await publishOperatorTable(chain, market);
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-journey-'));
  writeFileSync(path.join(folder, 'deployment.json'), JSON.stringify(market.deployment));
  writeFileSync(path.join(folder, 'password'), 'secret\n');
  const accounts = { JOURNEY_COLD: chain.nextAccount(), JOURNEY_HOT: chain.nextAccount() };
  for (const [name, { privateKey }] of Object.entries(accounts)) {
    process.env[name] = privateKey;
    variables.push(name);
  }
  [cold, hot] = [accounts.JOURNEY_COLD.account.address, accounts.JOURNEY_HOT.account.address];
  await market.governorLane.run({
    to: market.stakingToken,
    data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [cold, parseUnits('500', 18)] }),
    label: 'mint',
  });
  aggregator = createServer((_request, response) => response.end('{"live":true}'));
  await new Promise<void>((resolve) => aggregator.listen(0, '127.0.0.1', resolve));
}, 120_000);

afterAll(async () => {
  for (const name of variables) delete process.env[name];
  aggregator?.closeAllConnections();
  aggregator?.close();
  await chain?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Lines that a command prints. */
async function lines(...words: readonly string[]): Promise<string[]> {
  const printed: string[] = [];
  await buildProgram((line) => printed.push(line)).parseAsync([...words], { from: 'user' });
  return printed;
}

const MARKET = (): string[] => ['--deployment', path.join(folder, 'deployment.json'), '--rpc', chain.url];

// oxlint-disable-next-line typescript/no-explicit-any -- every test says what it expects of the printed JSON
async function run(key: 'JOURNEY_COLD' | 'JOURNEY_HOT' | null, ...words: readonly string[]): Promise<any> {
  const keyFlags = key === null ? [] : ['--private-key-env', key];
  const printed = await lines('operator', ...words, ...MARKET(), ...keyFlags, '--json');
  return JSON.parse(printed.at(-1) ?? 'null');
}

async function refusal(key: 'JOURNEY_COLD' | 'JOURNEY_HOT', ...words: readonly string[]): Promise<string> {
  try {
    await run(key, ...words);
  } catch (error) {
    expect(exitCodeOf(error)).toBeGreaterThan(0);
    return describeError(error);
  }
  throw new Error(`${words.join(' ')} did not fail`);
}

async function mine(blocks: number): Promise<void> {
  for (let left = blocks; left > 0; left -= MINED_AT_ONCE) {
    const hex = `0x${Math.min(left, MINED_AT_ONCE).toString(16)}`;
    await chain.rpc.request({ method: 'anvil_mine', params: [hex], decode: (raw) => raw });
  }
}

const status = () => run(null, 'status', '--operator', cold, '--appointee', hot);

type Findings = Map<string, { status: string; fix?: string }>;

/** The doctor's findings about an operator, by check. */
function doctor(changes: readonly string[] = []): Promise<Findings> {
  const url = `http://127.0.0.1:${(aggregator.address() as AddressInfo).port}`;
  return examined('signing.json', '--data-dir', path.join(folder, 'data'), '--aggregator', url, ...changes);
}

/** The doctor's findings about a process with a keystore and these flags, by check. */
async function examined(keystore: string, ...flags: readonly string[]): Promise<Findings> {
  const printed = await lines(
    'doctor',
    '--deployment',
    path.join(folder, 'deployment.json'),
    '--rpc-url',
    chain.url,
    '--keystore',
    path.join(folder, keystore),
    '--password-file',
    path.join(folder, 'password'),
    '--json',
    ...flags,
  );
  const { isWell, checks } = JSON.parse(printed.at(-1) ?? 'null');
  expect(process.exitCode).toBe(isWell === true ? 0 : 1);
  process.exitCode = 0;
  for (const { status: found, fix } of checks) {
    expect(fix === undefined).toBe(found === 'ok' || found === 'skipped');
  }
  return new Map(checks.map((check: { check: string }) => [check.check, check]));
}

test('from a new key to signatures that count, the operator’s own key used twice', async () => {
  expect(await status()).toMatchObject({ isOperator: false, signingKey: null, isMember: false, counts: false });
  const keystore = path.join(folder, 'signing.json');
  const password = ['--password-file', path.join(folder, 'password')];
  const [made = ''] = await lines(
    'operator',
    'keys',
    'create',
    '--keystore',
    keystore,
    ...password,
    '--scrypt-n',
    '1024',
  );
  signer = JSON.parse(made).address;
  const signing = ['--signing-keystore', keystore, '--signing-password-file', path.join(folder, 'password')];
  const socket = ['--socket', `http://127.0.0.1:${(aggregator.address() as AddressInfo).port}`];

  expect(await refusal('JOURNEY_HOT', 'register', ...signing, ...socket, '--operator', cold)).toContain(
    "sign with the operator's own key, once",
  );
  const registered = await run('JOURNEY_COLD', 'register', ...signing, ...socket, '--stake', '500');
  expect(registered).toMatchObject({ operator: cold, isNewOperator: true, isNewKey: true, isNewMember: true });
  expect(await run('JOURNEY_COLD', 'register', ...signing, ...socket)).toMatchObject({
    isNewOperator: false,
    isNewKey: false,
    isNewMember: false,
  });
  const { changed } = await run('JOURNEY_COLD', 'appoint', hot);
  expect(changed).toHaveLength(6);

  expect(await run('JOURNEY_HOT', 'allocate', '--magnitude', '50', '--operator', cold)).toMatchObject({
    isNew: true,
    target: '500000000000000000',
  });
  expect(await status()).toMatchObject({
    isOperator: true,
    isMember: true,
    signingKey: signer.toLowerCase(),
    stake: { own: '500000000000000000000', total: '500000000000000000000', slashable: '250000000000000000000' },
    allocation: { current: '500000000000000000', pending: null, free: '500000000000000000' },
    slashes: [],
    duties: ['register', 'allocate', 'deregister', 'socket'],
    counts: false,
    advice: expect.stringContaining('next operator table'),
  });
  await publishOperatorTable(chain, market);
  expect(await status()).toMatchObject({ counts: false, advice: expect.stringMatching(/^wait for round \d+/) });
  await mine(ROUND_LENGTH);
  expect(await status()).toMatchObject({
    counts: true,
    advice: null,
    seat: { open: { weight: '250000000000000000000', operatorCount: 3 }, coming: null },
  });
  expect((await lines('operator', 'status', '--operator', cold, ...MARKET())).join('\n')).toMatch(
    /^operator +0x[^]*allocated +50 %; 50 % free\n[^]*counts +yes: 11\.1111 % of the weight in the open round \d+$/m,
  );
}, 120_000);

test('the doctor finds a ready node well, and names what is broken with its remedy', async () => {
  const well = await doctor();
  const failing = [...well.values()].filter(({ status: found }) => found === 'failed');
  expect(failing).toEqual([]);
  expect(well.get('signing key')).toMatchObject({
    status: 'ok',
    detail: `registered by operator ${cold.toLowerCase()}`,
  });
  expect(well.get('operator table')).toMatchObject({ status: 'ok', detail: expect.stringContaining('with this key') });

  const broken = await doctor(['--aggregator', 'http://127.0.0.1:9']);
  expect(broken.get('aggregators')).toMatchObject({ status: 'failed', detail: expect.stringContaining('127.0.0.1:9') });

  const elsewhere = await doctor(['--rpc-url', 'http://127.0.0.1:9', '--stake-rpc', chain.url]);
  expect(elsewhere.get('market rpc')).toMatchObject({ status: 'failed', fix: expect.stringContaining('--rpc-url') });
  expect(elsewhere.get('stake rpc')).toMatchObject({ status: 'ok' });
  expect(elsewhere.get('keystore')).toMatchObject({ status: 'ok' });

  const other = path.join(folder, 'other.json');
  const password = ['--password-file', path.join(folder, 'password')];
  await lines('operator', 'keys', 'create', '--keystore', other, ...password, '--scrypt-n', '1024');
  const stranger = await doctor(['--keystore', other]);
  expect(stranger.get('signing key')).toMatchObject({ status: 'failed', fix: expect.stringContaining('register') });
  expect(stranger.get('operator table')).toMatchObject({ status: 'failed' });
  expect(stranger.get('membership')).toMatchObject({ status: 'skipped' });

  const wrongDeployment = path.join(folder, 'wrong.json');
  writeFileSync(wrongDeployment, JSON.stringify({ ...market.deployment, strategy: `0x${'12'.repeat(20)}` }));
  const misled = await doctor(['--deployment', wrongDeployment]);
  expect(misled.get('contracts')).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('strategy 0x1212'),
  });

  const dataDir = path.join(folder, 'data');
  mkdirSync(dataDir);
  const scope = {
    chainId: market.deployment.chainId,
    settlement: market.deployment.contracts.matchSettlement,
    keyAddress: signer,
  };
  const guard = new SignGuard({ dataDir, scope });
  await guard.decide(7, `0x${'11'.repeat(32)}`, 1);
  expect((await doctor()).get('guard')).toMatchObject({ status: 'ok', detail: '1 records, the newest of round 7' });
  await guard.close();
  appendFileSync(inspectGuard(dataDir, scope).file, Buffer.alloc(128, 0xff));
  expect((await doctor()).get('guard')).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('byte 128'),
  });
}, 120_000);

test('the doctor examines an aggregator, whose key must be able to pay', async () => {
  const password = ['--password-file', path.join(folder, 'password'), '--scrypt-n', '1024'];
  const [made = ''] = await lines(
    'operator',
    'keys',
    'create',
    '--keystore',
    path.join(folder, 'aggregator.json'),
    ...password,
  );
  const { address } = JSON.parse(made);
  const redis = await ensureRedis(
    { profile: 'devnet', env: process.env },
    { logger: createLogger({ service: 'test', level: 'silent' }) },
  );
  const flags = ['--role', 'aggregator', '--data-dir', path.join(folder, 'journal'), '--redis-url', redis.url];
  try {
    const poor = await examined('aggregator.json', ...flags);
    expect(poor.get('balance')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(`${address} holds 0 ETH`),
      fix: expect.stringContaining('send it funds'),
    });
    await chain.rpc.request({
      method: 'anvil_setBalance',
      params: [address, '0xde0b6b3a7640000'],
      decode: (raw) => raw,
    });
    const well = await examined('aggregator.json', ...flags);
    expect([...well].filter(([, { status: found }]) => found === 'failed')).toEqual([]);
    const examinedChecks = ['market rpc', 'clock', 'contracts', 'keystore', 'operator table', 'redis', 'balance'];
    for (const check of examinedChecks) expect([check, well.get(check)?.status]).toEqual([check, 'ok']);
    for (const check of ['stake rpc', 'signing key', 'membership', 'socket', 'aggregators', 'guard']) {
      expect([check, well.get(check)?.status]).toEqual([check, 'skipped']);
    }
  } finally {
    await redis.stop();
  }
  const alone = await examined('aggregator.json', ...flags);
  expect(alone.get('redis')).toMatchObject({ status: 'failed', fix: expect.stringContaining('start Redis') });
}, 120_000);

test('an appointee moves the socket and leaves the set; stake stays slashable as long as EigenLayer says', async () => {
  await run('JOURNEY_HOT', 'socket', 'http://moved.example:9101', '--operator', cold);
  expect(await status()).toMatchObject({ socket: 'http://moved.example:9101' });

  const left = await run('JOURNEY_HOT', 'deregister', '--operator', cold);
  expect(left).toMatchObject({ leftNow: true, magnitude: '500000000000000000', keyRemoved: false });
  expect(left.slashableUntilBlock).toBe(left.leftInBlock + DEALLOCATION_DELAY);
  expect(await run('JOURNEY_HOT', 'deregister', '--operator', cold)).toMatchObject({
    leftNow: false,
    slashableUntilBlock: left.slashableUntilBlock,
  });
  expect(await status()).toMatchObject({ isMember: false, isSlashable: true });
  expect((await doctor()).get('membership')).toMatchObject({ status: 'failed' });
  expect(await refusal('JOURNEY_HOT', 'deregister', '--remove-key', '--operator', cold)).toContain(
    `can be slashed until block ${left.slashableUntilBlock}`,
  );
  const down = await run('JOURNEY_HOT', 'allocate', '--magnitude', '0', '--operator', cold);
  expect(await refusal('JOURNEY_HOT', 'allocate', '--magnitude', '10', '--operator', cold)).toContain(
    `is pending until block ${down.effectBlock}`,
  );

  // Nobody awaits receipts from here on, and reading those of every block would take longest.
  await chain.blocks.stop();
  await mine(DEALLOCATION_DELAY + 2);
  expect(await run('JOURNEY_HOT', 'deregister', '--remove-key', '--operator', cold)).toMatchObject({
    leftNow: false,
    slashableUntilBlock: null,
    keyRemoved: true,
  });
  expect(await status()).toMatchObject({
    signingKey: null,
    isSlashable: false,
    departure: null,
    allocation: { current: '0', pending: null, free: '1000000000000000000' },
  });
  const signing = ['--signing-keystore', path.join(folder, 'signing.json')];
  const password = ['--signing-password-file', path.join(folder, 'password')];
  expect(
    await refusal('JOURNEY_HOT', 'register', ...signing, ...password, '--socket', 'x:1', '--operator', cold),
  ).toContain('keys are unique for ever; make a new one');
}, 120_000);

test('flags that make no sense are refused with what to write instead', async () => {
  expect(await refusal('JOURNEY_COLD', 'allocate', '--magnitude', '101')).toContain('write 0 to 100');
  expect(await refusal('JOURNEY_COLD', 'allocate')).toContain('--magnitude is missing');
  expect(await refusal('JOURNEY_COLD', 'appoint', '0x12')).toContain('is no address');
  expect(await refusal('JOURNEY_COLD', 'appoint', hot, '--for', 'slash')).toContain(
    'register, allocate, deregister, socket',
  );
});
