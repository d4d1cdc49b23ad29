import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Address } from 'viem';

import { createMarketClient } from '../../sdk/marketClient.js';
import { getOrder } from '../../sdk/orders/getOrder.js';
import { control, MarketChain } from '../support/marketChain.js';
import { MarketCommands } from '../support/marketCommands.js';

const TENANT = 2;
const RELAYER = 6;

let chain: MarketChain;
let commands: MarketCommands;
let folder: string;
let icl: string;

beforeAll(async () => {
  chain = await MarketChain.start();
  await chain.rpc.request(control('evm_setAutomine', [true]));
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-signed-'));
  commands = new MarketCommands(chain, folder);
  const example = readFileSync(new URL('../../docs/examples/web.icl.yaml', import.meta.url), 'utf8');
  icl = path.join(folder, 'web.icl.yaml');
  writeFileSync(icl, example.replaceAll('uSPON', 'TUSD'));
}, 120_000);

afterAll(async () => {
  commands.close();
  rmSync(folder, { recursive: true, force: true });
  await chain.stop();
});

function addressOf(index: number): Address {
  return chain.account(index).account.address;
}

/** Writes what a command printed into a file, for `relay`. */
function fileOf(lines: readonly string[]): string {
  const file = path.join(folder, 'signed.json');
  writeFileSync(file, lines.join('\n'));
  return file;
}

async function relay(lines: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  return (await commands.run(RELAYER, 'relay', fileOf(lines)))['sent'];
}

test('an order is signed by its tenant, sent by somebody else, and not sent twice', async () => {
  const nonce = await chain.rpc.request(control('eth_getTransactionCount', [addressOf(TENANT), 'latest']));
  const signed = await commands.lines(TENANT, 'order', 'create', icl, '--sign-only');
  const [sent] = await relay(signed);
  expect(sent).toMatchObject({ type: 'CreateOrder', orderId: 1 });
  const client = createMarketClient({ deployment: chain.deployment, rpcUrl: chain.anvil.url });
  const { tenant, spec } = await getOrder(client, { orderId: 1 });
  expect([tenant, spec.milliGpu, spec.cpuMilli]).toEqual([addressOf(TENANT), 1000, 6000]);
  expect(await chain.rpc.request(control('eth_getTransactionCount', [addressOf(TENANT), 'latest']))).toBe(nonce);
  expect(await relay(signed)).toEqual([{ type: 'CreateOrder', transactionHash: null, orderId: null }]);
}, 60_000);

test('calls that need nothing of the chain are signed without a node', async () => {
  const [cancelled] = await relay(await commands.offline(TENANT, 'order', 'cancel', '1', '--sign-only'));
  expect(cancelled).toMatchObject({ type: 'CancelOrder' });
  expect(await commands.run(null, 'order', 'status', '1')).toMatchObject({ status: 'ORDER_ENDING' });
  await relay(await commands.offline(TENANT, 'escrow', 'choose-sponsor', addressOf(RELAYER), '--sign-only'));
  const [balance] = (await commands.run(null, 'escrow', 'balance', addressOf(TENANT)))['balances'];
  expect(balance.sponsor).toBe(addressOf(RELAYER));
  for (const words of [
    ['close', '1'],
    ['renew', '1', '--for', '2h'],
    ['top-up', '1', '--add', '1h'],
    ['update', '1', '--cancel'],
  ]) {
    const file = fileOf(await commands.offline(TENANT, 'order', ...words, '--sign-only'));
    // The lease's own answer shows that the signature passed.
    expect(await commands.fails(RELAYER, 'relay', file)).toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('order 1 has no running lease'),
    });
  }
}, 60_000);

test('a deposit and a withdrawal by signature are of the tenant alone', async () => {
  const free = async (): Promise<number> =>
    Number((await commands.run(null, 'escrow', 'balance', addressOf(TENANT)))['balances'][0].balance);
  const before = await free();
  await relay(await commands.lines(TENANT, 'escrow', 'withdraw', '3.5', 'TUSD', '--sign-only'));
  expect(before - (await free())).toBe(3.5);
  await relay(await commands.lines(TENANT, 'escrow', 'deposit', '1.25', 'TUSD', '--sign-only'));
  expect(before - (await free())).toBe(2.25);
}, 60_000);

test('what was changed, has run out, or is of another market is refused', async () => {
  const [text = ''] = await commands.offline(TENANT, 'order', 'cancel', '1', '--sign-only');
  const file = JSON.parse(text);
  const refused = (changed: unknown) => commands.fails(RELAYER, 'relay', fileOf([JSON.stringify(changed)]));
  const [entry] = file.calls;
  expect(await refused({ ...file, calls: [{ ...entry, call: { ...entry.call, orderId: 2 } }] })).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('signature'),
  });
  expect(await refused({ ...file, chainId: 1 })).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('on chain 1, this market has'),
  });
  expect(await refused({ ...file, calls: [{ ...entry, call: { type: 'CancelOrder', orderId: 2 ** 32 } }] })).toEqual({
    exitCode: 2,
    message: 'error: the file of signed calls cannot be sent: calls[0]: call.orderId: it must be 0 to 4294967295',
  });
  expect(await refused({ ...file, calls: [{ ...entry, call: { type: 'OrderSpec' } }] })).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('there is no signed call OrderSpec'),
  });
  expect(await refused({})).toMatchObject({ exitCode: 2, message: expect.stringContaining('format') });
  await commands.passTime(7200);
  expect(await refused(file)).toMatchObject({ exitCode: 1, message: expect.stringContaining('signature') });
  const nothing = await commands.fails(TENANT, 'order', 'manifest', icl, '--sign-only');
  expect(nothing).toMatchObject({ exitCode: 2, message: expect.stringContaining('there is nothing to sign') });
}, 60_000);
