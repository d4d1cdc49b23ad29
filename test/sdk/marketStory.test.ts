import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keccak256, stringToBytes, type Address } from 'viem';

import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { buildProgram } from '../../cli/program.js';
import { describeError, exitCodeOf } from '../../cli/usage.js';
import { writeMarket } from '../../sdk/calls/callMarket.js';
import { MarketCallRefusedError } from '../../sdk/calls/marketCallRefused.js';
import { accreditAuditor } from '../../sdk/compliance/accreditAuditor.js';
import { createMarketClient, type MarketClient } from '../../sdk/marketClient.js';
import { createOrder } from '../../sdk/orders/createOrder.js';
import { getOrder } from '../../sdk/orders/getOrder.js';
import { sendSignedCall, signCall, type SignedCall } from '../../sdk/signed/signedCalls.js';
import { listTokens } from '../../sdk/tokens/listTokens.js';
import { getStakingToken } from '../../sdk/tokens/stakingToken.js';
import { MarketChain, TEST_ORDER } from '../support/marketChain.js';

const TENANT = 2;
const PROVIDER = 3;
const DELEGATOR = 4;
const AUDITOR = 5;
const RELAYER = 6;
/** Holds the roles of the fixture's market. */
const OFFICER: Address = '0x00000000000000000000000000000000000000ff';

let chain: MarketChain;
let folder: string;

beforeAll(async () => {
  chain = await MarketChain.start();
  await node('evm_setAutomine', [true]);
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-story-'));
  writeFileSync(path.join(folder, 'deployment.json'), JSON.stringify(chain.deployment));
  const example = readFileSync(new URL('../../docs/examples/web.icl.yaml', import.meta.url), 'utf8');
  writeFileSync(path.join(folder, 'web.icl.yaml'), example.replaceAll('uSPON', 'TUSD'));
  for (const index of [TENANT, PROVIDER, DELEGATOR, AUDITOR]) {
    process.env[`STORY_KEY_${index}`] = chain.account(index).privateKey;
  }
  const { address } = await getStakingToken(clientOf(RELAYER));
  for (const index of [PROVIDER, DELEGATOR, AUDITOR]) {
    await writeMarket(clientOf(index), {
      address,
      abi: devnetTokenAbi,
      functionName: 'mint',
      args: [chain.account(index).account.address, 10n ** 24n],
    });
  }
}, 120_000);

afterAll(async () => {
  for (const index of [TENANT, PROVIDER, DELEGATOR, AUDITOR]) delete process.env[`STORY_KEY_${index}`];
  rmSync(folder, { recursive: true, force: true });
  await chain.stop();
});

function node(method: string, params: readonly unknown[]): Promise<unknown> {
  return chain.rpc.request({ method, params, decode: (raw) => raw });
}

function clientOf(account: number | Address): MarketClient {
  return createMarketClient({
    deployment: chain.deployment,
    rpcUrl: chain.anvil.url,
    account: typeof account === 'number' ? chain.account(account).account : account,
  });
}

/** A client that has `act` done before it reads a function of the market for the first time. */
function clientBefore(functionName: string, act: () => Promise<void>): MarketClient {
  const client = clientOf(RELAYER);
  const { publicClient } = client;
  let isDone = false;
  const readContract: typeof publicClient.readContract = async (call) => {
    if (call.functionName === functionName && !isDone) {
      isDone = true;
      await act();
    }
    return publicClient.readContract(call);
  };
  return { ...client, publicClient: { ...publicClient, readContract } };
}

/** Runs a command as it is typed; the account's key comes from the environment. Gives what --json prints. */
// oxlint-disable-next-line typescript/no-explicit-any -- every test says what it expects of the printed JSON
async function run(account: number | null, ...words: string[]): Promise<Record<string, any>> {
  const lines = await lineOutput(account, ...words, '--json');
  return JSON.parse(lines.at(-1) ?? 'null');
}

async function lineOutput(account: number | null, ...words: string[]): Promise<string[]> {
  const lines: string[] = [];
  const key = account === null ? [] : ['--private-key-env', `STORY_KEY_${account}`];
  const market = ['--deployment', path.join(folder, 'deployment.json'), '--rpc', chain.anvil.url];
  await buildProgram((line) => lines.push(line)).parseAsync([...words, ...market, ...key], { from: 'user' });
  return lines;
}

async function statusOf(orderId: number): Promise<string> {
  return (await run(null, 'order', 'status', String(orderId)))['status'];
}

async function passTime(seconds: number): Promise<void> {
  await node('evm_increaseTime', [seconds]);
  await node('evm_mine', []);
}

const icl = (): string => path.join(folder, 'web.icl.yaml');

test('a provider joins, stakes and offers a machine', async () => {
  const joined = await run(
    PROVIDER,
    'provider',
    'register',
    '--name',
    'story',
    '--host-uri',
    'https://gpu.example:8443',
    '--region',
    'germany',
    '--tier',
    '4',
    '--gpus',
    '2',
    '--cores',
    '64',
  );
  expect(joined).toMatchObject({ proposalId: 1, providerId: 1 });
  await run(PROVIDER, 'stake', 'add', '50000');
  await run(PROVIDER, 'provider', 'activate');
  const machine = await run(
    PROVIDER,
    'provider',
    'machine',
    'register',
    '--model',
    'h100',
    '--gpus',
    '2',
    '--region',
    'germany',
    '--cpu',
    '64',
    '--memory',
    '512Gi',
    '--storage',
    '4Ti',
  );
  expect(machine['machineId']).toBe(1);
  await run(
    PROVIDER,
    'provider',
    'offer',
    'set',
    '1',
    '--token',
    'TUSD',
    '--gpu',
    '2',
    '--core',
    '0.01',
    '--memory-gib',
    '0.001',
    '--storage-tib',
    '0.05',
  );
  await run(PROVIDER, 'provider', 'machine', 'activate', '1');
  expect(await run(PROVIDER, 'provider', 'status')).toMatchObject({
    status: 'Active',
    name: 'story',
    tier: 7,
    stakeWhole: 50_000,
  });
  expect(await run(PROVIDER, 'stake', 'status')).toMatchObject({ own: '50000', delegated: '0' });
  const table = await lineOutput(PROVIDER, 'provider', 'machine', 'list');
  expect(table[1]).toMatch(/1 +1 +h100 +germany +2\/2 +64\/64 +512\/512 +4096\/4096 .*2 TUSD\/GPU/);
}, 60_000);

test('what the market refuses is one line with the fix, and nothing is sent', async () => {
  const error: unknown = await run(TENANT, 'provider', 'activate', '--provider', '1').catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MarketCallRefusedError);
  expect(describeError(error)).toMatch(
    /^error: activateProvider was refused: .* does not own provider 1; sign with the owner's account$/,
  );
  const usage: unknown = await run(TENANT, 'escrow', 'deposit', '1', 'TUSDD').catch((thrown: unknown) => thrown);
  expect([exitCodeOf(usage), describeError(usage)]).toEqual([
    2,
    'error: token: the market has no token TUSDD; name one of TUSD',
  ]);
  const decimals: unknown = await run(TENANT, 'escrow', 'deposit', '0.0000001', 'TUSD').catch(
    (thrown: unknown) => thrown,
  );
  expect([exitCodeOf(decimals), describeError(decimals)]).toEqual([2, expect.stringContaining('at most 6 decimals')]);
});

test('a tenant deposits, orders, matches alone, runs, changes, extends and closes; the provider is paid', async () => {
  const before = await run(TENANT, 'escrow', 'balance');
  expect(await run(TENANT, 'escrow', 'deposit', '12.5', 'TUSD')).toMatchObject({ credited: '12.5', token: 'TUSD' });
  const after = await run(TENANT, 'escrow', 'balance');
  expect(Number(after['balances'][0].balance) - Number(before['balances'][0].balance)).toBe(12.5);

  const posted = await run(TENANT, 'order', 'create', icl(), '--expires-in', '1d');
  const orderId: number = posted['orders'][0].orderId;
  const id = String(orderId);
  expect(await statusOf(orderId)).toBe('PROVIDER_LOOKUP');
  await node('anvil_mine', ['0x8c']);
  const matched = await run(TENANT, 'order', 'self-match', id);
  // A GPU, 6 cores, 18 GiB and 40 GiB of 1024 at the offer's prices.
  expect(matched).toMatchObject({ machineId: 1, priceMicroPerHour: 2_000_000 + 60_000 + 18_000 + 1_953 });
  expect(await statusOf(orderId)).toBe('CREATE_LEASE');
  expect((await run(PROVIDER, 'provider', 'leases'))['leases']).toEqual([
    expect.objectContaining({ orderId, status: 'CREATE_LEASE' }),
  ]);

  await run(PROVIDER, 'provider', 'ready', id);
  expect(await statusOf(orderId)).toBe('PROVIDER_READY');
  const manifest = path.join(folder, 'manifest.json');
  const announced = await run(TENANT, 'order', 'manifest', icl(), '--out', manifest, '--announce', id);
  await run(PROVIDER, 'provider', 'confirm', id, '--manifest', manifest);
  expect(await run(null, 'order', 'status', id, '--wait', 'DEPLOYMENT_CONFIRMED')).toMatchObject({
    lease: { manifestHash: announced['manifestHash'], pricePerHour: '2.079953' },
  });

  await run(TENANT, 'order', 'update', id, '--memory', '20Gi', '--max-price', '2.2');
  expect(await statusOf(orderId)).toBe('UPDATE_LEASE');
  await run(TENANT, 'order', 'update', id, '--cancel');
  expect(await statusOf(orderId)).toBe('DEPLOYMENT_CONFIRMED');
  await run(TENANT, 'order', 'update', id, '--gpu', '2', '--max-price', '4.2');
  const early: unknown = await run(PROVIDER, 'provider', 'accept', id).catch((thrown: unknown) => thrown);
  expect(early).toMatchObject({ errorName: 'GateClosed', retryable: true });
  await node('anvil_mine', ['0x80']);
  expect(await run(PROVIDER, 'provider', 'accept', id, '--price', '4.1')).toMatchObject({
    priceMicroPerHour: 4_100_000,
  });
  expect((await getOrder(clientOf(RELAYER), { orderId })).lease).toMatchObject({
    milliGpu: 2000,
    deviceMask: 0b11,
    update: null,
  });

  const topped = await run(TENANT, 'order', 'top-up', id, '--add', '1h');
  const renewed = await run(TENANT, 'order', 'renew', id, '--for', '30min');
  expect(renewed['paidThroughSeconds']).toBeLessThan(topped['paidThroughSeconds']);

  await passTime(600);
  const claimed = await run(PROVIDER, 'provider', 'claim', id);
  expect(Number(claimed['amount'])).toBeGreaterThan(0);
  const earnings = await run(PROVIDER, 'provider', 'earnings');
  expect(earnings['earnings'][0]).toMatchObject({
    token: 'TUSD',
    credited: claimed['amount'],
    runningLeases: [orderId],
  });
  const closing: Record<string, unknown>[] = [];
  const reader = clientBefore('nextDeadline', async () => {
    closing.push(await run(TENANT, 'order', 'close', id));
  });
  // The lease ends while it is read, and is shown as it was in the block before.
  expect(await getOrder(reader, { orderId })).toMatchObject({ status: 'DEPLOYMENT_CONFIRMED', lease: { end: 'None' } });
  expect(closing).toMatchObject([{ end: 'ByTenant', token: 'TUSD' }]);
  expect(await statusOf(orderId)).toBe('LEASE_CLOSED');
  const [row] = (await run(PROVIDER, 'provider', 'earnings'))['earnings'];
  expect(row).toMatchObject({ runningLeases: [], accruing: '0', withdrawable: row.credited });
  expect(await run(PROVIDER, 'provider', 'withdraw', 'all', 'TUSD')).toMatchObject({ amount: row.credited });
  expect((await run(PROVIDER, 'escrow', 'balance'))['balances'][0].balance).toBe('0');
}, 120_000);

test('an order is bid on, replaced, cancelled and refunded', async () => {
  const [token] = await listTokens(clientOf(RELAYER));
  await writeMarket(clientOf(PROVIDER), {
    address: token!.address,
    abi: devnetTokenAbi,
    functionName: 'mint',
    args: [chain.account(PROVIDER).account.address, 10n ** 9n],
  });
  await run(PROVIDER, 'escrow', 'deposit', '100', 'TUSD');
  const { orderId } = await createOrder(clientOf(TENANT), {
    spec: { ...TEST_ORDER, cpuMilli: 2000 },
    expiresAtSeconds: 0xffff_ffff,
  });
  const bid = await run(PROVIDER, 'provider', 'bid', 'place', String(orderId), '--machine', '1', '--price', '1.5');
  expect(bid).toMatchObject({ providerId: 1, bidIndex: 0, token: 'TUSD' });
  expect(await run(null, 'order', 'status', String(orderId))).toMatchObject({
    status: 'CREATE_BID',
    bids: [{ providerId: 1, machineId: 1, priceMicroPerHour: 1_500_000 }],
  });
  const replaced = await run(TENANT, 'order', 'update', String(orderId), '--icl', icl());
  const second = String(replaced['newOrderId']);
  await run(TENANT, 'order', 'cancel', second);
  expect(await statusOf(Number(second))).toBe('ORDER_ENDING');
  const early: unknown = await run(TENANT, 'order', 'refund', second).catch((thrown: unknown) => thrown);
  expect(early).toMatchObject({ errorName: 'RefundTooEarly', retryable: true });
  await node('anvil_mine', ['0x10']);
  await run(TENANT, 'order', 'refund', second);
  await run(TENANT, 'order', 'refund', String(orderId));
  expect(await statusOf(Number(second))).toBe('ORDER_CLOSED');
  await run(PROVIDER, 'provider', 'bid', 'release-bond', String(orderId));
  expect((await run(PROVIDER, 'escrow', 'balance'))['balances'][0]).toMatchObject({ bonds: '0', balance: '100' });
}, 60_000);

test('a signed order is posted by somebody else, and not twice nor changed', async () => {
  const { timestamp } = await clientOf(TENANT).publicClient.getBlock();
  const signed = await signCall(clientOf(TENANT), {
    call: { type: 'CreateOrder', spec: { ...TEST_ORDER, regions: [64], attributes: 2n }, expiresAt: 0xffff_ffff },
    deadlineSeconds: Number(timestamp) + 600,
    nonceKey: 7n,
  });
  const { call } = signed;
  if (call.type !== 'CreateOrder') throw new Error(call.type);
  const changed = sendSignedCall(clientOf(RELAYER), {
    ...signed,
    call: { ...call, spec: { ...call.spec, attributes: 3n } },
  });
  await expect(changed).rejects.toMatchObject({ errorName: 'InvalidSignature' });
  const { orderId } = await sendSignedCall(clientOf(RELAYER), signed);
  const order = await getOrder(clientOf(RELAYER), { orderId: orderId! });
  expect([order.tenant, order.spec.attributes]).toEqual([chain.account(TENANT).account.address, 2n]);
  await expect(sendSignedCall(clientOf(RELAYER), signed)).rejects.toBeInstanceOf(MarketCallRefusedError);
  const cancel = await signCall(clientOf(TENANT), {
    call: { type: 'CancelOrder', orderId: orderId! },
    deadlineSeconds: Number(timestamp) + 600,
  });
  await sendSignedCall(clientOf(RELAYER), cancel);
  expect(await statusOf(orderId!)).toBe('ORDER_ENDING');
}, 60_000);

test('every kind of signed call verifies on the chain', async () => {
  const { timestamp } = await clientOf(TENANT).publicClient.getBlock();
  const spec = {
    ...TEST_ORDER,
    models: [50, 51],
    regions: [64],
    regionsExcluded: [32],
    providersExcluded: [9],
    tiers: 3,
  };
  const manifestHash = keccak256(stringToBytes('manifest'));
  const update = { milliGpu: 0, cpuMilli: 1000, memoryMib: 1, storageGib: 1, maxPriceMicroPerHour: 1, manifestHash };
  const orderId = 4_000_000;
  const calls: readonly [SignedCall, string | null][] = [
    [{ type: 'CreateOrder', spec, expiresAt: 0xffff_ffff }, null],
    [{ type: 'ReplaceOrder', orderId, spec, expiresAt: 0xffff_ffff }, 'OrderNotFound'],
    [{ type: 'CancelOrder', orderId }, 'OrderNotFound'],
    [{ type: 'AnnounceManifest', orderId, manifestHash }, 'LeaseNotActive'],
    [{ type: 'RequestUpdate', orderId, update }, 'LeaseNotActive'],
    [{ type: 'CancelUpdate', orderId }, 'LeaseNotActive'],
    [{ type: 'RenewLease', orderId, durationMinutes: 60 }, 'LeaseNotActive'],
    [{ type: 'TopUp', orderId, addedMinutes: 60 }, 'LeaseNotActive'],
    [{ type: 'CloseLease', orderId }, 'LeaseNotActive'],
    [{ type: 'Deposit', tokenId: 1, amount: 1_000_000n }, null],
    [{ type: 'Withdraw', tokenId: 1, amount: 1_000_000n }, null],
    [{ type: 'ChooseSponsor', sponsor: chain.account(RELAYER).account.address }, null],
  ];
  for (const [call, refusal] of calls) {
    const signed = await signCall(clientOf(TENANT), { call, deadlineSeconds: Number(timestamp) + 6_000, nonceKey: 9n });
    const outcome: unknown = await sendSignedCall(clientOf(RELAYER), signed).catch((error: unknown) => error);
    // What the market contract itself says shows that the signature passed.
    const refused =
      outcome instanceof MarketCallRefusedError ? outcome.errorName : outcome instanceof Error ? outcome : null;
    expect([call.type, refused]).toEqual([call.type, refusal]);
  }
  const late = await signCall(clientOf(TENANT), {
    call: { type: 'CancelOrder', orderId },
    deadlineSeconds: 1,
    nonceKey: 9n,
  });
  await expect(sendSignedCall(clientOf(RELAYER), late)).rejects.toMatchObject({ errorName: 'SignatureExpired' });
}, 60_000);

test('stake is delegated, leaves, and is paid out; commission changes', async () => {
  expect(await run(DELEGATOR, 'stake', 'delegate', '100', '--provider', '1')).toMatchObject({
    amount: '100',
    token: 'TSTK',
  });
  expect(await run(PROVIDER, 'stake', 'commission', '5')).toMatchObject({ commissionBps: 500 });
  const leaving = await run(DELEGATOR, 'stake', 'undelegate', '40', '--provider', '1');
  expect(Number(leaving['amount'])).toBeCloseTo(40);
  expect((await run(DELEGATOR, 'stake', 'withdraw', '--provider', '1'))['paid']).toEqual([]);
  const status = await run(DELEGATOR, 'stake', 'status', '--provider', '1');
  expect(status['account'].unbondings).toEqual([expect.objectContaining({ unbondingId: leaving['unbondingId'] })]);
  const { timestamp } = await clientOf(TENANT).publicClient.getBlock();
  await passTime(leaving['releaseAtSeconds'] - Number(timestamp));
  expect((await run(DELEGATOR, 'stake', 'withdraw', '--provider', '1'))['paid']).toEqual([
    expect.objectContaining({ amount: leaving['amount'] }),
  ]);
  expect((await run(DELEGATOR, 'stake', 'status', '--provider', '1'))['account'].unbondings).toEqual([]);
}, 60_000);

test('an auditor is accredited, bonded, and its report counts', async () => {
  await node('anvil_impersonateAccount', [OFFICER]);
  await node('anvil_setBalance', [OFFICER, '0xde0b6b3a7640000']);
  const auditor = chain.account(AUDITOR).account.address;
  await accreditAuditor(clientOf(OFFICER), { auditor, maxBps: 1000 });
  const standing = await run(AUDITOR, 'compliance', 'auditor');
  await run(AUDITOR, 'compliance', 'bond', 'post', standing['minimumBond']);
  const report = path.join(folder, 'report.pdf');
  writeFileSync(report, 'all is well');
  await run(
    AUDITOR,
    'compliance',
    'attest',
    '--provider',
    '1',
    '--standard',
    'soc2',
    '--scope',
    'the data centre',
    '--report',
    report,
    '--uri',
    'https://audit.example/1',
    '--until',
    '2027-06-30',
    '--bonus',
    '5',
  );
  const listed = await run(null, 'compliance', 'list', '--provider', '1');
  expect(listed).toMatchObject({
    complianceBps: 10_500,
    reports: [
      { auditor, counts: true, report: { standard: 1, bps: 500, reportHash: keccak256(stringToBytes('all is well')) } },
    ],
  });
  await run(AUDITOR, 'compliance', 'revoke', '--provider', '1');
  expect(await run(null, 'compliance', 'list', '--provider', '1')).toMatchObject({
    complianceBps: 10_000,
    reports: [],
  });
}, 60_000);

test('a provider goes into maintenance and names capabilities, hardware and an mTLS key', async () => {
  await run(PROVIDER, 'provider', 'maintenance', 'on');
  expect(await run(PROVIDER, 'provider', 'status')).toMatchObject({ status: 'Maintenance' });
  await run(PROVIDER, 'provider', 'maintenance', 'off');
  await run(PROVIDER, 'provider', 'attributes', 'capabilities', 'nvme-storage');
  expect(await run(PROVIDER, 'provider', 'status')).toMatchObject({ status: 'Active', pendingCapabilities: '2' });
  await run(PROVIDER, 'provider', 'host-uri', 'https://gpu2.example:8443');
  expect(await run(null, 'provider', 'status', '--provider', '1')).toMatchObject({
    hostUri: 'https://gpu2.example:8443',
  });
}, 60_000);
