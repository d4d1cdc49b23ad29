import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Address } from 'viem';

import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { readBlock } from '../../sdk/calls/readBlock.js';
import { writeMarket } from '../../sdk/calls/callMarket.js';
import { createMarketClient, type MarketClient } from '../../sdk/marketClient.js';
import { createOrder } from '../../sdk/orders/createOrder.js';
import { listTokens } from '../../sdk/tokens/listTokens.js';
import { control, MarketChain, TEST_ORDER } from '../support/marketChain.js';
import { MarketCommands } from '../support/marketCommands.js';
import { TEST_CERTIFICATE } from '../support/testCertificate.js';

const TENANT = 2;
const PROVIDER = 3;
const SPONSOR = 4;
const STRANGER = 6;

let chain: MarketChain;
let commands: MarketCommands;
let folder: string;

beforeAll(async () => {
  chain = await MarketChain.start();
  await chain.addProvider(0, [2_000_000]);
  await chain.rpc.request(control('evm_setAutomine', [true]));
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-upkeep-'));
  commands = new MarketCommands(chain, folder);
  const [token] = await listTokens(clientOf(SPONSOR));
  await writeMarket(clientOf(SPONSOR), {
    address: token!.address,
    abi: devnetTokenAbi,
    functionName: 'mint',
    args: [addressOf(SPONSOR), 10n ** 9n],
  });
}, 120_000);

afterAll(async () => {
  commands.close();
  rmSync(folder, { recursive: true, force: true });
  await chain.stop();
});

function addressOf(index: number): Address {
  return chain.account(index).account.address;
}

function clientOf(index: number): MarketClient {
  return createMarketClient({
    deployment: chain.deployment,
    rpcUrl: chain.anvil.url,
    account: chain.account(index).account,
  });
}

/** An order that the tenant posted, and matched itself after the rounds that this takes. */
async function lease(): Promise<string> {
  const { orderId } = await createOrder(clientOf(TENANT), { spec: TEST_ORDER, expiresAtSeconds: 0xffff_ffff });
  await chain.rpc.request(control('anvil_mine', ['0x8c']));
  await commands.run(TENANT, 'order', 'self-match', String(orderId));
  return String(orderId);
}

// oxlint-disable-next-line typescript/no-explicit-any -- every test says what it expects of the printed JSON
async function balanceOf(index: number): Promise<Record<string, any>> {
  return (await commands.run(null, 'escrow', 'balance', addressOf(index)))['balances'][0];
}

test('a sponsor pays for an order, and gets back what is left', async () => {
  await commands.run(SPONSOR, 'escrow', 'sponsor', '8', 'TUSD', addressOf(TENANT));
  await commands.run(TENANT, 'escrow', 'choose-sponsor', addressOf(SPONSOR));
  const before = await balanceOf(TENANT);
  expect(before).toMatchObject({ sponsor: addressOf(SPONSOR), sponsored: '8' });
  const { orderId } = await createOrder(clientOf(TENANT), { spec: TEST_ORDER, expiresAtSeconds: 0xffff_ffff });
  // Five an hour for an hour; the token has no user fee.
  expect(await balanceOf(TENANT)).toMatchObject({ sponsored: '3', balance: before['balance'] });
  const more = await commands.fails(SPONSOR, 'escrow', 'unsponsor', '3.5', 'TUSD', addressOf(TENANT));
  expect(more).toMatchObject({ exitCode: 1 });
  await commands.run(TENANT, 'order', 'cancel', String(orderId));
  await chain.rpc.request(control('anvil_mine', ['0x10']));
  await commands.run(STRANGER, 'order', 'refund', String(orderId));
  expect(await balanceOf(TENANT)).toMatchObject({ sponsored: '8', balance: before['balance'] });
  await commands.run(SPONSOR, 'escrow', 'unsponsor', '8', 'TUSD', addressOf(TENANT));
  await commands.run(TENANT, 'escrow', 'choose-sponsor', 'none');
  expect(await balanceOf(TENANT)).toMatchObject({ sponsor: null, sponsored: '0' });
}, 60_000);

test('an order whose time has passed is ended and refunded by anyone, and not before', async () => {
  const client = clientOf(TENANT);
  const { timestamp } = await readBlock(client);
  const before = await balanceOf(TENANT);
  const { orderId } = await createOrder(client, { spec: TEST_ORDER, expiresAtSeconds: Number(timestamp) + 900 });
  const early = await commands.fails(STRANGER, 'order', 'expire', String(orderId));
  expect(early).toMatchObject({ exitCode: 1, message: expect.stringContaining('is open until') });
  await commands.passTime(901);
  const { untilRound } = await commands.run(STRANGER, 'order', 'expire', String(orderId));
  expect(await commands.run(null, 'order', 'status', String(orderId))).toMatchObject({
    status: 'ORDER_ENDING',
    untilRound,
  });
  await chain.rpc.request(control('anvil_mine', ['0x10']));
  await commands.run(STRANGER, 'order', 'refund', String(orderId));
  expect(await commands.run(null, 'order', 'status', String(orderId))).toMatchObject({ status: 'ORDER_CLOSED' });
  expect(await balanceOf(TENANT)).toEqual(before);
}, 60_000);

test('what a lock holds beyond the price is returned by anyone, and a lease without manifest is ended by anyone', async () => {
  const id = await lease();
  const early = await commands.fails(STRANGER, 'order', 'release-excess', id);
  expect(early).toMatchObject({ exitCode: 1 });
  await commands.run(PROVIDER, 'provider', 'ready', id);
  const before = Number((await balanceOf(TENANT))['balance']);
  const released = await commands.run(STRANGER, 'order', 'release-excess', id);
  // Five an hour was locked; 2 a GPU, 4 cores, 8 GiB and 50 of 1024 GiB at the offer's prices are due at most.
  expect(released).toMatchObject({ amount: '2.951952', token: 'TUSD' });
  expect(Number((await balanceOf(TENANT))['balance']) - before).toBeCloseTo(2.951952, 6);

  expect(await commands.fails(STRANGER, 'order', 'end', id)).toMatchObject({ exitCode: 1 });
  const { nextDeadline } = (await commands.run(null, 'order', 'status', id))['lease'];
  expect(nextDeadline.end).toBe('NoManifest');
  await commands.passTime(301);
  expect(await commands.run(STRANGER, 'order', 'end', id)).toMatchObject({ end: 'NoManifest' });
  expect(await commands.run(null, 'order', 'status', id)).toMatchObject({ status: 'LEASE_CLOSED' });
}, 60_000);

test('a machine is taken out, changed, and retired, which frees its stake', async () => {
  const machine = ['provider', 'machine'];
  const change = ['1', '--gpus', '2', '--cpu', '32'];
  expect(await commands.fails(PROVIDER, ...machine, 'reconfigure', ...change)).toMatchObject({ exitCode: 1 });
  await commands.run(PROVIDER, ...machine, 'deactivate', '1');
  await chain.rpc.request(control('anvil_mine', ['0x8']));
  const required = async (): Promise<number> =>
    Number((await commands.run(null, 'provider', 'status', '--provider', '1'))['requiredStakeWhole']);
  const before = await required();
  await commands.run(PROVIDER, ...machine, 'reconfigure', ...change);
  const [changed] = (await commands.run(null, ...machine, 'list', '--provider', '1'))['machines'];
  expect(changed).toMatchObject({ deviceCount: 2, cpuMilli: 32_000, memoryMib: 262_144, requiredStakeWhole: 232 });
  // A hundred a device and one a core, of four devices and 64 cores.
  expect([before, await required()]).toEqual([464, 232]);
  await commands.run(PROVIDER, ...machine, 'retire', '1');
  expect(await required()).toBe(100);
  const [retired] = (await commands.run(null, ...machine, 'list', '--provider', '1'))['machines'];
  expect(retired).toMatchObject({ deviceCount: 0, cpuMilli: 0, freeCpuMilli: 0, requiredStakeWhole: 0 });
}, 60_000);

test("a certificate's key speaks for its account until it is revoked, for ever", async () => {
  const file = path.join(folder, 'provider.crt');
  writeFileSync(file, TEST_CERTIFICATE);
  const { fingerprint, notAfterSeconds } = await commands.run(PROVIDER, 'provider', 'certificate', 'publish', file);
  const listed = async () => (await commands.run(PROVIDER, 'provider', 'certificate', 'list'))['certificates'];
  expect(await listed()).toEqual([{ fingerprint, notAfterSeconds }]);
  const other = await commands.fails(TENANT, 'provider', 'certificate', 'revoke', fingerprint);
  expect(other).toMatchObject({ exitCode: 1 });
  await commands.run(PROVIDER, 'provider', 'certificate', 'revoke', fingerprint);
  expect(await listed()).toEqual([]);
  expect(await commands.fails(PROVIDER, 'provider', 'certificate', 'publish', file)).toMatchObject({ exitCode: 1 });
}, 60_000);
