import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { encodeDeployData, type Address, type Hex } from 'viem';

import { devnetPriceFeedAbi, devnetPriceFeedBytecode } from '../chain/contracts/generated/DevnetPriceFeed.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../chain/contracts/generated/DevnetToken.js';
import { MARKET_ROLES } from '../chain/deploy/marketParameters.js';
import { parseDeployment, parseMarketDeployment } from '../chain/deployment.js';
import { codeAt, pendingTransactionCount } from '../chain/rpc/rpcCall.js';
import { startStakeChain, type StakeChain } from '../test/support/stakeChain.js';
import { buildProgram } from './program.js';

/** Accounts of the mnemonic. */
const [DEPLOYER, AVS] = [8, 9];
const NOBODY = `0x${'fa'.repeat(20)}`;
const FEED_DECIMALS = 8;

// Sends a hundred transactions one after the other.
jest.setTimeout(120_000);

let chain: StakeChain;
let folder: string;
let setup: Record<string, unknown>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-market-'));
  chain = await startStakeChain();
  process.env['TEST_DEPLOYER_KEY'] = chain.account(DEPLOYER).privateKey;
  process.env['TEST_AVS_KEY'] = chain.account(AVS).privateKey;
  const made = async (data: Hex): Promise<Address> =>
    (await chain.lane(0).run({ data, label: 'make' })).contractAddress as Address;
  const token = (decimals: number): Promise<Address> =>
    made(encodeDeployData({ abi: devnetTokenAbi, bytecode: devnetTokenBytecode, args: ['Token', 'T', decimals] }));
  const feed = (price: bigint): Promise<Address> =>
    made(
      encodeDeployData({
        abi: devnetPriceFeedAbi,
        bytecode: devnetPriceFeedBytecode,
        args: ['X / USD', FEED_DECIMALS, price],
      }),
    );
  setup = {
    operatorSet: { avs: chain.account(AVS).account.address, id: 4 },
    quorum: { curve: 'bn254' },
    stakingToken: chain.stakeToken,
    rewardToken: await token(18),
    paymentTokens: [
      { address: await token(6), minimumDeposit: '1000000' },
      { address: await token(18), minimumDeposit: '1' },
    ],
    feeds: { rewardToken: await feed(5_000_000n), native: await feed(300_000_000_000n), sequencer: null },
    roles: {
      ...Object.fromEntries(
        Object.keys(MARKET_ROLES).map((name, index) => [name, chain.account(20 + index).account.address]),
      ),
      council: [],
    },
    treasury: chain.account(40).account.address,
    foundation: chain.account(41).account.address,
  };
});

afterAll(async () => {
  delete process.env['TEST_DEPLOYER_KEY'];
  delete process.env['TEST_AVS_KEY'];
  rmSync(folder, { recursive: true });
  await chain?.stop();
});

function write(name: string, json: unknown): string {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify(json));
  return file;
}

async function run(...flags: (string | string[])[]): Promise<string> {
  const lines: string[] = [];
  await buildProgram((line) => lines.push(line)).parseAsync(['deploy', ...flags.flat()], { from: 'user' });
  return lines.join('\n');
}

/** `deploy market` onto the chain with our EigenLayer, with a setup that differs from the good one by `changes`. */
function deployMarket(changes: Record<string, unknown>, ...extra: string[]): Promise<string> {
  return run(
    ['market', '--network', 'devnet', '--eigenlayer', write('eigenlayer.json', chain.eigenlayer)],
    ['--setup', write('setup.json', { ...setup, ...changes }), '--out', path.join(folder, 'out')],
    ['--rpc', chain.anvil.url, '--private-key-env', 'TEST_DEPLOYER_KEY', ...extra],
  );
}

test('a dry run sends nothing and says where the market will be; the market is there, and gets its operator set', async () => {
  const { address } = chain.account(DEPLOYER).account;
  const nonce = await chain.rpc.request(pendingTransactionCount(address));
  const planned = JSON.parse(await deployMarket({}, '--dry-run', '--json')) as { contracts: Record<string, Address> };
  expect(planned).toMatchObject({ market: null, deployer: address });
  expect(await chain.rpc.request(pendingTransactionCount(address))).toBe(nonce);

  const said = await deployMarket({});
  const file = path.join(folder, 'out', 'market.json');
  const market = parseMarketDeployment(JSON.parse(readFileSync(file, 'utf8')));
  expect(market.contracts).toEqual(planned.contracts);
  expect(market.quorum).toMatchObject({ curve: 'bn254', checkedBy: 'table' });
  for (const [name, contract] of Object.entries(market.contracts)) {
    expect(said).toMatch(new RegExp(`^${name} +${contract}$`, 'm'));
    expect((await chain.rpc.request(codeAt(contract, 'latest'))).length).toBeGreaterThan(2);
  }

  await run(
    ['stake', '--network', 'devnet', '--eigenlayer', path.join(folder, 'eigenlayer.json'), '--market', file],
    ['--metadata-uri', 'https://matchmaker.example/avs.json', '--stake-token', chain.stakeToken],
    ['--out', path.join(folder, 'out'), '--rpc', chain.anvil.url, '--private-key-env', 'TEST_AVS_KEY'],
  );
  const deployment = parseDeployment(JSON.parse(readFileSync(path.join(folder, 'out', 'deployment.json'), 'utf8')));
  expect(deployment.contracts).toEqual(market.contracts);

  // The file is all that is left of a market's making, and no second one overwrites it.
  await expect(deployMarket({})).rejects.toThrow(/--out: .*market\.json is the only record .*name another folder/);
});

test('what is wrong with a setup is named all at once, and nothing is sent', async () => {
  const elsewhere = ['--out', path.join(folder, 'other')];
  await expect(
    deployMarket({ treasury: `0x${'00'.repeat(20)}`, roles: {}, rewardTokens: NOBODY }, ...elsewhere),
  ).rejects.toMatchObject({
    code: 'MARKET_SETUP_INVALID',
    message: expect.stringMatching(
      /roles\.governor: is missing[^]*treasury: must not be the zero address[^]*rewardTokens/,
    ),
  });
  const { paymentTokens, feeds } = setup as { paymentTokens: { address: Address }[]; feeds: Record<string, Address> };
  const [sixDecimals] = paymentTokens;
  const nonce = await chain.rpc.request(pendingTransactionCount(chain.account(DEPLOYER).account.address));
  const found = await deployMarket(
    {
      stakingToken: sixDecimals?.address,
      rewardToken: feeds['native'],
      paymentTokens: [sixDecimals, { address: NOBODY, minimumDeposit: '1' }, sixDecimals],
      feeds: { ...feeds, native: chain.stakeToken },
    },
    ...elsewhere,
  ).catch((error: unknown) => String(error));
  expect(found).toMatch(/stakingToken: 0x\w+ has 6 decimals; name a token of 18/);
  expect(found).toMatch(/rewardToken: 0x\w+ has 8 decimals; name a token of 18/);
  expect(found).toMatch(/paymentTokens\.1\.address: the chain has no code at 0xfa/);
  expect(found).toMatch(/paymentTokens\.2\.address: is token 1 already/);
  expect(found).toMatch(/feeds\.native: 0x\w+ gives no price/);
  expect(await chain.rpc.request(pendingTransactionCount(chain.account(DEPLOYER).account.address))).toBe(nonce);
});

test.each([
  ['a chain that only receives tables', ['--network', 'base'], /base has no allocationManager.*--stake-network/],
  [
    'an unknown stake network',
    ['--network', 'base', '--stake-network', 'goerli'],
    /--stake-network: goerli is unknown/,
  ],
  ['the wrong chain', ['--network', 'sepolia'], /serves chain 31337, not 11155111/],
])('%s is refused with the fix', async (_, flags, message) => {
  const refused = run(
    ['market', '--setup', write('setup.json', setup), '--out', path.join(folder, 'third'), ...flags],
    ['--rpc', chain.anvil.url, '--private-key-env', 'TEST_DEPLOYER_KEY'],
  );
  await expect(refused).rejects.toThrow(message);
});

test('a market on one chain takes tables there and its operator set from another', async () => {
  const refused = run(
    ['market', '--network', 'base', '--stake-network', 'mainnet', '--setup', write('setup.json', setup)],
    ['--out', path.join(folder, 'third'), '--rpc', chain.anvil.url, '--private-key-env', 'TEST_DEPLOYER_KEY'],
  );
  await expect(refused).rejects.toThrow(/serves chain 31337, not 8453/);
});
