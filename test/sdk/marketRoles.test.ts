import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keccak256, stringToBytes, type Address } from 'viem';

import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { marketPauseAbi, marketPauseBytecode } from '../../chain/contracts/generated/MarketPause.js';
import { readMarket, writeMarket } from '../../sdk/calls/callMarket.js';
import { createMarketClient, type MarketClient } from '../../sdk/marketClient.js';
import { submitAttributes } from '../../sdk/provider/submitAttributes.js';
import { getStakingToken } from '../../sdk/tokens/stakingToken.js';
import { control, MarketChain } from '../support/marketChain.js';
import { MarketCommands } from '../support/marketCommands.js';

const GOVERNOR = 1;
const TENANT = 2;
const PROVIDER = 3;
const OFFICER = 4;
const DELEGATOR = 5;
const STRANGER = 6;
/** Of the verifier, the compliance officer, the slasher and the guardian. */
const OFFICER_ROLES = [1, 3, 6, 9];
const PARAMETERS = '7';
const DELAY_SECONDS = 600;

let chain: MarketChain;
let commands: MarketCommands;
let folder: string;

beforeAll(async () => {
  chain = await MarketChain.start();
  await chain.addProvider(0, [2_000_000]);
  await chain.rpc.request(control('evm_setAutomine', [true]));
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-roles-'));
  commands = new MarketCommands(chain, folder);
  const { address } = await getStakingToken(clientOf(STRANGER));
  for (const index of [PROVIDER, DELEGATOR, STRANGER]) {
    await writeMarket(clientOf(index), {
      address,
      abi: devnetTokenAbi,
      functionName: 'mint',
      args: [addressOf(index), 10n ** 24n],
    });
  }
  for (const role of OFFICER_ROLES) await grant(String(role), OFFICER, 0);
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

async function grant(role: string, index: number, delaySeconds: number): Promise<void> {
  const words = ['governance', 'call', 'accessManager', 'grantRole', role, addressOf(index), String(delaySeconds)];
  await commands.run(GOVERNOR, ...words);
}

function bidWindow(): Promise<number> {
  const { orderRequest } = chain.deployment.contracts;
  const call = { address: orderRequest, abi: iOrderRequestAbi, functionName: 'bidWindowBlocks', args: [] } as const;
  return readMarket(clientOf(STRANGER), call);
}

test('a parameter is scheduled by a role with a delay, waits, and is executed', async () => {
  await grant(PARAMETERS, OFFICER, DELAY_SECONDS);
  const change = ['orderRequest', 'setBidWindowBlocks', '40'];
  const direct = await commands.fails(OFFICER, 'governance', 'call', ...change);
  expect(direct).toEqual({
    exitCode: 2,
    message: expect.stringContaining('acts after a delay of 600 s; schedule the call'),
  });
  expect(await commands.fails(STRANGER, 'governance', 'schedule', ...change)).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('lacks the role for this call'),
  });
  expect(await commands.fails(GOVERNOR, 'governance', 'schedule', ...change)).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('nothing is to be scheduled'),
  });

  const { operationId, executableAtSeconds } = await commands.run(OFFICER, 'governance', 'schedule', ...change);
  const status = await commands.run(null, 'governance', 'status');
  expect(status['operations']).toEqual([
    expect.objectContaining({ operationId, caller: addressOf(OFFICER), executableAtSeconds }),
  ]);
  expect(status['operations'][0].call).toMatchObject({
    contract: 'orderRequest',
    functionName: 'setBidWindowBlocks',
    args: [40],
  });
  expect(await commands.lines(null, 'governance', 'status')).toEqual(
    expect.arrayContaining([
      'the market runs',
      expect.stringMatching(/^ *7 +PARAMETERS +0x\w{40} +600 s$/),
      expect.stringMatching(/does +orderRequest\.setBidWindowBlocks\(40\)$/),
    ]),
  );
  const parameters = status['roles'].find((role: { readonly name: string }) => role.name === 'PARAMETERS');
  expect(parameters.members).toContainEqual(
    expect.objectContaining({ account: addressOf(OFFICER), delaySeconds: DELAY_SECONDS }),
  );

  const early = await commands.fails(OFFICER, 'governance', 'execute', operationId);
  expect(early).toEqual({ exitCode: 1, message: expect.stringContaining('is not over') });
  await commands.passTime(DELAY_SECONDS);
  expect(await commands.fails(STRANGER, 'governance', 'execute', operationId)).toMatchObject({
    message: expect.stringContaining(`was scheduled by ${addressOf(OFFICER)}`),
  });
  expect(await bidWindow()).toBe(1);
  await commands.run(OFFICER, 'governance', 'execute', operationId);
  expect(await bidWindow()).toBe(40);
  expect(await commands.fails(OFFICER, 'governance', 'execute', operationId)).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('is not pending'),
  });
  expect(await commands.lines(null, 'governance', 'status')).toContain('no operation is pending');
}, 60_000);

test('a scheduled call is cancelled, and one that would be refused when executed says why', async () => {
  const terms = (bids: number): string =>
    JSON.stringify({ maxBidsPerOrder: bids, maxBidsPerProvider: 10, bondMicro: '5' });
  const { bid } = chain.deployment.contracts;
  const read = { address: bid, abi: iBidAbi, functionName: 'bidTerms', args: [] } as const;
  const before = await readMarket(clientOf(STRANGER), read);
  const first = await commands.run(OFFICER, 'governance', 'schedule', 'bid', 'setBidTerms', terms(3));
  await commands.run(OFFICER, 'governance', 'cancel', first['operationId']);
  const second = await commands.run(OFFICER, 'governance', 'schedule', 'bid', 'setBidTerms', terms(201));
  await commands.passTime(DELAY_SECONDS);
  expect(await commands.fails(OFFICER, 'governance', 'execute', first['operationId'])).toMatchObject({ exitCode: 1 });
  const refused = await commands.fails(OFFICER, 'governance', 'execute', second['operationId']);
  expect(refused).toEqual({ exitCode: 1, message: expect.stringContaining('maxBidsPerOrder') });
  expect(await readMarket(clientOf(STRANGER), read)).toEqual(before);
  await commands.run(GOVERNOR, 'governance', 'cancel', second['operationId']);
  await commands.run(GOVERNOR, 'governance', 'call', 'bid', 'setBidTerms', terms(200));
  expect(await readMarket(clientOf(STRANGER), read)).toEqual({
    maxBidsPerOrder: 200,
    maxBidsPerProvider: 10,
    bondMicro: 5,
  });
}, 60_000);

test('arguments that do not fit are named, and nothing is sent', async () => {
  const words = (...rest: string[]) => commands.fails(GOVERNOR, 'governance', 'call', ...rest);
  expect(await words('bid', 'setBidTerms', '{"maxBidsPerOrder":3}')).toEqual({
    exitCode: 2,
    message: 'error: terms: maxBidsPerProvider, bondMicro missing',
  });
  expect(await words('orderRequest', 'setBidWindowBlock', '1')).toEqual({
    exitCode: 2,
    message:
      'error: function: orderRequest has no setBidWindowBlock that changes anything; did you mean setBidWindowBlocks?',
  });
  expect(await words('orderRequests', 'x')).toEqual({
    exitCode: 2,
    message: 'error: contract: `orderRequests` is not known; did you mean `orderRequest`?',
  });
  expect(await words('nothing', 'x')).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('name one of accessManager, '),
  });
  expect(await words('orderRequest', 'setBidWindowBlocks')).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('there are 0, 1 are needed'),
  });
});

test('what roles may call on a contract is listed with its arguments', async () => {
  const { functions } = await commands.run(null, 'governance', 'functions', 'bid');
  expect(functions).toEqual([
    {
      function: 'setBidTerms',
      role: 'PARAMETERS',
      parameters: ['{uint8 maxBidsPerOrder, uint16 maxBidsPerProvider, uint40 bondMicro} terms'],
    },
    { function: 'upgradeToAndCall', role: 'UPGRADER', parameters: ['address newImplementation', 'bytes data'] },
  ]);
});

test('the guardian pauses what is new and lets go early; ways out stay open', async () => {
  const paused = await commands.run(OFFICER, 'governance', 'pause', '--for', '1h');
  expect(await commands.run(null, 'governance', 'status')).toMatchObject({
    pausedUntilSeconds: paused['untilSeconds'],
  });
  const deposit = await commands.fails(TENANT, 'escrow', 'deposit', '1', 'TUSD');
  expect(deposit).toEqual({ exitCode: 1, message: expect.stringContaining('takes nothing new in until') });
  await commands.run(TENANT, 'escrow', 'withdraw', '1', 'TUSD');
  await commands.run(OFFICER, 'governance', 'unpause');
  expect(await commands.run(null, 'governance', 'status')).toMatchObject({ pausedUntilSeconds: null });
  await commands.run(TENANT, 'escrow', 'deposit', '1', 'TUSD');
  expect(await commands.fails(OFFICER, 'governance', 'pause', '--for', '1h')).toMatchObject({ exitCode: 1 });
}, 60_000);

test('an upgrade is checked first, then scheduled, executed, and keeps the state', async () => {
  await grant('8', DELEGATOR, DELAY_SECONDS);
  const { marketPause, escrow } = chain.deployment.contracts;
  const { publicClient, walletClient } = clientOf(DELEGATOR);
  const hash = await walletClient!.deployContract({ abi: marketPauseAbi, bytecode: marketPauseBytecode, args: [] });
  const { contractAddress } = await publicClient.waitForTransactionReceipt({ hash });
  const implementation = contractAddress as Address;
  const upgrade = (contract: string, code: string) =>
    commands.fails(DELEGATOR, 'governance', 'upgrade', contract, code);
  expect(await upgrade('orderRequest', implementation)).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('orderRequest is no proxy'),
  });
  for (const code of [addressOf(STRANGER), escrow]) {
    expect(await upgrade('marketPause', code)).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('is no upgradeable code'),
    });
  }
  const until = (await readMarket(clientOf(STRANGER), {
    address: marketPause,
    abi: marketPauseAbi,
    functionName: 'pausedUntil',
    args: [],
  })) satisfies number;
  const { operationId } = await commands.run(DELEGATOR, 'governance', 'upgrade', 'marketPause', implementation);
  await commands.passTime(DELAY_SECONDS);
  await commands.run(DELEGATOR, 'governance', 'execute', operationId);
  const slot = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
  const code = await publicClient.getStorageAt({ address: marketPause, slot });
  expect(code?.slice(-40)).toBe(implementation.slice(2).toLowerCase());
  const after = { address: marketPause, abi: marketPauseAbi, functionName: 'pausedUntil', args: [] } as const;
  expect([until > 0, await readMarket(clientOf(STRANGER), after)]).toEqual([true, until]);
}, 60_000);

test('the verifier looks at hardware and capabilities, approves just these, and takes them away', async () => {
  for (const [category, name] of [
    ['0', 'gp'],
    ['1', 'h100'],
  ] as const) {
    await commands.run(GOVERNOR, 'governance', 'call', 'providerAttributes', 'addResource', category, name, '10000');
  }
  await submitAttributes(clientOf(PROVIDER), {
    providerId: 1,
    category: 'gpu',
    resources: [{ resourceId: 2, units: 4 }],
  });
  const shown = await commands.run(null, 'provider', 'verify', 'show', '1');
  expect(shown).toMatchObject({
    gpu: { active: [], pending: { rows: [{ resourceId: 2, name: 'h100', units: 4 }] } },
    cpu: { active: [], pending: null },
  });
  const hash: string = shown['gpu'].pending.hash;
  await submitAttributes(clientOf(PROVIDER), {
    providerId: 1,
    category: 'gpu',
    resources: [{ resourceId: 2, units: 8 }],
  });
  const approve = ['provider', 'verify', 'approve', '1', 'gpu', '--hash'];
  expect(await commands.fails(OFFICER, ...approve, hash)).toMatchObject({ exitCode: 1 });
  const now: string = (await commands.run(null, 'provider', 'verify', 'show', '1'))['gpu'].pending.hash;
  expect(await commands.fails(STRANGER, ...approve, now)).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('lacks the role'),
  });
  await commands.run(OFFICER, ...approve, now);
  expect(await commands.run(null, 'provider', 'verify', 'show', '1')).toMatchObject({
    gpu: { active: [{ name: 'h100', units: 8 }], pending: null },
  });
  await commands.run(OFFICER, 'provider', 'verify', 'remove', '1', 'gpu');
  expect(await commands.lines(null, 'provider', 'verify', 'show', '1')).toContain('gpu                   nothing');

  await commands.run(PROVIDER, 'provider', 'attributes', 'capabilities', 'nvme-storage');
  expect(await commands.fails(OFFICER, 'provider', 'verify', 'approve-capabilities', '1', 'none')).toMatchObject({
    exitCode: 1,
  });
  await commands.run(OFFICER, 'provider', 'verify', 'approve-capabilities', '1', 'nvme-storage');
  expect(await commands.run(null, 'provider', 'status', '--provider', '1')).toMatchObject({
    capabilities: '2',
    pendingCapabilities: null,
  });
  await commands.run(OFFICER, 'provider', 'verify', 'remove-capabilities', '1');
  expect(await commands.run(null, 'provider', 'status', '--provider', '1')).toMatchObject({ capabilities: '0' });
}, 60_000);

test('the verifier moves a provider to another tier and status', async () => {
  await commands.run(OFFICER, 'provider', 'verify', 'tier', '1', '3');
  await commands.run(OFFICER, 'provider', 'verify', 'status', '1', '--to', 'Suspended');
  expect(await commands.run(null, 'provider', 'status', '--provider', '1')).toMatchObject({
    tier: 3,
    status: 'Suspended',
  });
  expect(await commands.fails(OFFICER, 'provider', 'verify', 'tier', '1', '8')).toMatchObject({ exitCode: 1 });
  await commands.run(OFFICER, 'provider', 'verify', 'status', '1', '--to', 'Active');
}, 60_000);

test('a slash takes what its cause may take, once for an evidence', async () => {
  await commands.run(DELEGATOR, 'stake', 'delegate', '1000', '--provider', '1');
  await commands.run(DELEGATOR, 'stake', 'undelegate', '400', '--provider', '1');
  await commands.run(PROVIDER, 'stake', 'remove', '1000');
  const leaving = await commands.run(null, 'stake', 'status', '--provider', '1');
  expect(leaving['unbondings']).toEqual([
    expect.objectContaining({ account: addressOf(DELEGATOR), own: false, amount: '400' }),
    expect.objectContaining({ account: addressOf(PROVIDER), own: true, amount: '1000' }),
  ]);
  const evidence = path.join(folder, 'evidence.txt');
  writeFileSync(evidence, 'it served a fake GPU');
  const slash = ['stake', 'slash', '1', '--cause'];
  expect(await commands.fails(OFFICER, ...slash, 'misconduct', '--share', '10')).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('--evidence'),
  });
  const idle = ['downtime-idle', '--evidence-hash', keccak256(stringToBytes('idle'))];
  expect(await commands.run(OFFICER, ...slash, ...idle)).toMatchObject({ ownAmount: '0', toTreasury: '0' });
  const done = await commands.run(OFFICER, ...slash, 'misconduct', '--share', '10', '--evidence', evidence);
  expect(done).toMatchObject({
    ownAmount: '9900',
    delegatedAmount: '60',
    unbondingAmount: '140',
    toTenant: '0',
    toTreasury: '10100',
    evidenceHash: keccak256(stringToBytes('it served a fake GPU')),
  });
  expect(await commands.run(null, 'provider', 'status', '--provider', '1')).toMatchObject({
    status: 'Suspended',
    slashes: 1,
  });
  const after = await commands.lines(DELEGATOR, 'stake', 'status', '--provider', '1');
  expect(after.at(-2)).toMatch(/^ *1 +you +delegated +360 TSTK/);
  const again = await commands.fails(OFFICER, ...slash, 'misconduct', '--share', '10', '--evidence', evidence);
  expect(again).toEqual({ exitCode: 1, message: expect.stringContaining('evidenceHash') });
  await commands.run(OFFICER, 'provider', 'verify', 'status', '1', '--to', 'Active');
}, 60_000);

test("an auditor's bond is slashed, and the treasury paid by anyone", async () => {
  await commands.run(OFFICER, 'compliance', 'accredit', addressOf(STRANGER), '--max-bonus', '5');
  await commands.run(STRANGER, 'compliance', 'bond', 'post', '1500');
  const slash = ['compliance', 'slash', addressOf(STRANGER), '--amount'];
  const evidence = ['--evidence-hash', keccak256(stringToBytes('false report'))];
  const more = ['--evidence-hash', keccak256(stringToBytes('another false report'))];
  expect(await commands.fails(STRANGER, ...slash, '100', ...evidence)).toMatchObject({ exitCode: 1 });
  expect(await commands.run(OFFICER, ...slash, '600.5', ...evidence)).toMatchObject({ amount: '600.5', token: 'TSTK' });
  expect(await commands.run(null, 'compliance', 'auditor', addressOf(STRANGER))).toMatchObject({ bond: '899.5' });
  expect(await commands.run(TENANT, 'compliance', 'treasury')).toMatchObject({ amount: '600.5' });
  expect(await commands.fails(OFFICER, ...slash, '1', ...evidence)).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('evidenceHash'),
  });
  expect(await commands.run(OFFICER, ...slash, '5000', ...more)).toMatchObject({ amount: '899.5' });
}, 60_000);

test('a would-be provider waits until the approver lets it in', async () => {
  await commands.run(GOVERNOR, 'governance', 'call', 'providerAdmission', 'setAutoApproval', 'false');
  await grant('4', OFFICER, 0);
  const words = ['--name', 'newcomer', '--host-uri', 'https://new.example', '--region', 'germany', '--gpus', '3'];
  expect(await commands.fails(STRANGER, 'provider', 'register', ...words)).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('and --cores'),
  });
  const { proposalId, providerId } = await commands.run(STRANGER, 'provider', 'register', ...words, '--cores', '8');
  expect(providerId).toBeNull();
  const listed = async (...flags: string[]) =>
    (await commands.run(null, 'provider', 'proposal', 'list', ...flags))['proposals'];
  expect(await listed()).toEqual([
    expect.objectContaining({ proposalId, state: 'Pending', name: 'newcomer', devices: 3, owner: addressOf(STRANGER) }),
  ]);
  const join = ['provider', 'register', '--proposal', String(proposalId)];
  expect(await commands.fails(STRANGER, ...join)).toMatchObject({ exitCode: 1 });
  await commands.run(OFFICER, 'provider', 'proposal', 'approve', String(proposalId));
  expect(await listed()).toEqual([]);
  await commands.run(STRANGER, ...join);
  expect(await listed('--all')).toEqual([
    expect.objectContaining({ state: 'Registered', name: 'provider 0' }),
    expect.objectContaining({ state: 'Registered', name: 'newcomer' }),
  ]);
}, 60_000);
