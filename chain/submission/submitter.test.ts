import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDeployData, encodeFunctionData, parseGwei } from 'viem';
import type { Address, Hex } from 'viem';
import { devAccounts } from '../../devnet/devAccounts.js';
import { startAnvil } from '../../devnet/startAnvil.js';
import type { Anvil } from '../../devnet/startAnvil.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../contracts/generated/DevnetToken.js';
import { createRpc, RpcUnavailableError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { callAt, latestBlock, transactionCount, transactionReceipt } from '../rpc/rpcCall.js';
import type { SubmissionRequest, SubmitterEvent, SubmitterOptions } from './submission.js';
import { Submitter } from './submitter.js';

const { account } = devAccounts()(1);
const RECEIVER: Address = '0x00000000000000000000000000000000000000ee';

let anvil: Anvil;
let rpc: Rpc;
let token: Address;
let directory: string;
let events: SubmitterEvent[];
const running: Submitter[] = [];

jest.setTimeout(20_000);

beforeEach(async () => {
  anvil = await startAnvil({ mining: 'instant', accounts: 3 });
  rpc = createRpc({ url: anvil.url, requestTimeoutMs: 5_000 });
  directory = await mkdtemp(path.join(tmpdir(), 'submitter-'));
  events = [];
  const data = encodeDeployData({ abi: devnetTokenAbi, bytecode: devnetTokenBytecode, args: ['Test', 'T', 6] });
  const hash = await ask<Hex>('eth_sendTransaction', { from: account.address, data });
  await until(async () => {
    token = (await rpc.request(transactionReceipt(hash)))?.contractAddress ?? '0x';
    return token !== '0x';
  });
  await ask('evm_setAutomine', false);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((submitter) => submitter.stop()));
  await anvil.stop();
  await rm(directory, { recursive: true });
});

function ask<Answer>(method: string, ...params: unknown[]): Promise<Answer> {
  return rpc.request({ method, params, decode: (raw) => raw as Answer });
}

async function submitter(options: Partial<SubmitterOptions> = {}, through: Rpc = rpc): Promise<Submitter> {
  const made = new Submitter(
    {
      chainId: anvil.chainId,
      journalFile: path.join(directory, 'nonces.jsonl'),
      maxFeePerGas: parseGwei('100'),
      priorityFeePerGas: parseGwei('1'),
      spendCapWei: 10n ** 19n,
      spendPeriodSeconds: 3600,
      pollIntervalMs: 5,
      ...options,
    },
    { rpc: through, account, onEvent: (event) => events.push(event) },
  );
  running.push(made);
  await made.start();
  return made;
}

/** A mint of one unit: how often it was included can be read from the receiver's balance. */
function mint(request: Partial<SubmissionRequest> = {}): SubmissionRequest {
  const data = encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [RECEIVER, 1n] });
  return { to: token, data, gasLimit: 200_000n, label: 'mint', errorsAbi: devnetTokenAbi, ...request };
}

async function minted(): Promise<bigint> {
  const data = encodeFunctionData({ abi: devnetTokenAbi, functionName: 'balanceOf', args: [RECEIVER] });
  return BigInt(await rpc.request(callAt({ to: token, data }, 'latest')));
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`waited in vain after ${JSON.stringify(events)}`);
    await sleep(5);
  }
}

const sentCount = () => events.filter(({ kind }) => kind === 'sent').length;

/** An RPC that loses the first `count` raw transactions on their way, and answers as if the node had taken them. */
function losingRpc(count: number): Rpc {
  let left = count;
  return {
    batch: (calls) => rpc.batch(calls),
    request: (call) => {
      if (call.method !== 'eth_sendRawTransaction' || left === 0) return rpc.request(call);
      left -= 1;
      return Promise.resolve(call.decode(`0x${'0'.repeat(64)}`));
    },
  };
}

describe('a transaction', () => {
  test('that gets in is mined once, with its receipt', async () => {
    const result = (await submitter()).submit(mint());
    await until(() => sentCount() === 1);
    await ask('evm_mine');
    expect(await result).toMatchObject({ status: 'mined', replacements: 0, receipt: { succeeded: true } });
    expect(await minted()).toBe(1n);
  });

  test('that the base fee outran is replaced at the same nonce with fees an eighth higher', async () => {
    const result = (await submitter()).submit(mint());
    await until(() => sentCount() === 1);
    for (let block = 0; block < 6 && sentCount() < 2; block++) {
      await ask('anvil_setNextBlockBaseFeePerGas', '0x12a05f200');
      await ask('evm_mine');
      await sleep(50);
    }
    await ask('evm_mine');
    await until(async () => (await minted()) === 1n);
    expect(await result).toMatchObject({ status: 'mined', replacements: 1 });
    const nonces = events.map((event) => ('nonce' in event ? event.nonce : -1));
    expect(new Set(nonces).size).toBe(1);
    const lines = (await readFile(path.join(directory, 'nonces.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"sent"'));
    expect(lines).toHaveLength(2);
  });

  test('that the pool dropped is sent again', async () => {
    const result = (await submitter()).submit(mint());
    await until(() => sentCount() === 1);
    const [first] = events;
    await ask('anvil_dropTransaction', first !== undefined && 'hash' in first ? first.hash : '0x');
    await ask('evm_mine');
    await ask('evm_mine');
    await until(() => sentCount() === 2);
    await ask('evm_mine');
    expect(await result).toMatchObject({ status: 'mined', replacements: 1 });
    expect(await minted()).toBe(1n);
  });

  test('is never offered more than the cap, and waits until the base fee fits again', async () => {
    const result = (await submitter({ maxFeePerGas: parseGwei('4') })).submit(mint());
    await until(() => sentCount() === 1);
    for (let block = 0; block < 5; block++) {
      await ask('anvil_setNextBlockBaseFeePerGas', '0x12a05f200');
      await ask('evm_mine');
      await sleep(20);
    }
    await ask('anvil_setNextBlockBaseFeePerGas', '0x3b9aca00');
    await until(async () => {
      await ask('evm_mine');
      return (await minted()) === 1n;
    });
    const mined = await result;
    expect(mined.status === 'mined' && mined.receipt.effectiveGasPrice <= parseGwei('4')).toBe(true);
  });

  test('after its deadline gives its nonce to a no-op', async () => {
    const { number } = await rpc.request(latestBlock());
    const made = await submitter({}, losingRpc(1));
    const nonce = await rpc.request(transactionCount(account.address));
    const result = made.submit(mint({ deadlineBlock: number + 1 }));
    await until(() => sentCount() === 1);
    await ask('evm_mine');
    await until(() => events.some(({ kind }) => kind === 'cancelling'));
    await ask('evm_mine');
    expect(await result).toEqual({ status: 'lapsed', deadlineBlock: number + 1 });
    expect(await rpc.request(transactionCount(account.address))).toBe(nonce + 1);
    expect(await minted()).toBe(0n);
    expect(await made.submit(mint({ deadlineBlock: number }))).toEqual({ status: 'lapsed', deadlineBlock: number });
  });

  test('whose nonce somebody else used goes in with the next one', async () => {
    const result = (await submitter({}, losingRpc(1))).submit(mint());
    await until(() => sentCount() === 1);
    await ask('eth_sendTransaction', { from: account.address, to: RECEIVER, value: '0x1' });
    await ask('evm_mine');
    await until(() => sentCount() === 2);
    await ask('evm_mine');
    expect(await result).toMatchObject({ status: 'mined' });
    expect(events.map(({ kind }) => kind)).toEqual(['sent', 'nonceTaken', 'sent']);
    expect(await minted()).toBe(1n);
  });

  test('that reverts is told with the contract’s custom error', async () => {
    const data = encodeFunctionData({ abi: devnetTokenAbi, functionName: 'transfer', args: [RECEIVER, 10n ** 30n] });
    const result = (await submitter()).submit(mint({ data }));
    await Promise.all([
      expect(result).rejects.toMatchObject({ code: 'TRANSACTION_REVERTED', errorName: 'ERC20InsufficientBalance' }),
      until(() => sentCount() === 1).then(() => ask('evm_mine')),
    ]);
  });

  test('waits for the one before it', async () => {
    const made = await submitter();
    const results = [made.submit(mint()), made.submit(mint()), made.submit(mint())];
    for (let count = 1; count <= 3; count++) {
      await until(() => sentCount() === count);
      await ask('evm_mine');
    }
    expect((await Promise.all(results)).map(({ status }) => status)).toEqual(['mined', 'mined', 'mined']);
    expect(await minted()).toBe(3n);
  });
});

/** An RPC that takes down what it is asked. */
function recordingRpc(): { through: Rpc; methods: string[] } {
  const methods: string[] = [];
  const through: Rpc = {
    batch: (calls) => {
      methods.push(...calls.map(({ method }) => method));
      return rpc.batch(calls);
    },
    request: (call) => {
      methods.push(call.method);
      return rpc.request(call);
    },
  };
  return { through, methods };
}

describe('what was asked for in advance', () => {
  test('lets a transaction go out without a question, once', async () => {
    const { through, methods } = recordingRpc();
    const made = await submitter({}, through);
    made.prepare(60_000);
    const first = made.submit(mint());
    await until(() => sentCount() === 1);
    expect(methods.slice(0, 4)).toEqual([
      'eth_getBlockByNumber',
      'eth_getTransactionCount',
      'eth_getBalance',
      'eth_sendRawTransaction',
    ]);
    await ask('evm_mine');
    expect(await first).toMatchObject({ status: 'mined' });
    const asked = methods.length;
    const second = made.submit(mint());
    await until(() => sentCount() === 2);
    expect(methods.slice(asked, asked + 4)).toEqual([
      'eth_getBlockByNumber',
      'eth_getTransactionCount',
      'eth_getBalance',
      'eth_sendRawTransaction',
    ]);
    await ask('evm_mine');
    expect(await second).toMatchObject({ status: 'mined' });
    expect(await minted()).toBe(2n);
  });

  test('is asked for again when it is too old', async () => {
    const { through, methods } = recordingRpc();
    const made = await submitter({}, through);
    made.prepare(-1);
    const result = made.submit(mint());
    await until(() => sentCount() === 1);
    const before = methods.slice(0, methods.indexOf('eth_sendRawTransaction'));
    expect(before.filter((method) => method === 'eth_getTransactionCount')).toHaveLength(2);
    await ask('evm_mine');
    expect(await result).toMatchObject({ status: 'mined' });
  });

  test('is asked for again when the node did not answer', async () => {
    let isDown = true;
    const flaky: Rpc = {
      batch: (calls) => {
        if (!isDown) return rpc.batch(calls);
        isDown = false;
        return Promise.reject(new RpcUnavailableError('no answer'));
      },
      request: (call) => rpc.request(call),
    };
    const made = await submitter({}, flaky);
    made.prepare(60_000);
    const result = made.submit(mint());
    await until(() => sentCount() === 1);
    await ask('evm_mine');
    expect(await result).toMatchObject({ status: 'mined' });
  });

  test('is nothing while a transaction is under way, whose nonce it would name again', async () => {
    const made = await submitter();
    const first = made.submit(mint());
    await until(() => sentCount() === 1);
    made.prepare(60_000);
    const second = made.submit(mint());
    await ask('evm_mine');
    expect(await first).toMatchObject({ status: 'mined' });
    await until(() => sentCount() === 2);
    await ask('evm_mine');
    expect(await second).toMatchObject({ status: 'mined' });
    expect(events.filter(({ kind }) => kind === 'nonceTaken')).toEqual([]);
    expect(await minted()).toBe(2n);
  });
});

test('a receipt is looked for with a new block, however long the pause between looks is', async () => {
  const made = await submitter({ pollIntervalMs: 3_600_000 });
  const result = made.submit(mint());
  await until(() => sentCount() === 1);
  await ask('evm_mine');
  // The first look may still be under way, which a call in between does not disturb.
  const calls = setInterval(() => made.headMoved(), 5);
  expect(await result).toMatchObject({ status: 'mined' });
  clearInterval(calls);
});

describe('before anything is signed', () => {
  test('a key without funds is named', async () => {
    await ask('anvil_setBalance', account.address, '0x1');
    await expect((await submitter()).submit(mint())).rejects.toMatchObject({ code: 'UNFUNDED_KEY', retryable: true });
    expect(events).toEqual([]);
  });

  test('the spend cap holds for what was spent in the period, also after a restart', async () => {
    const first = await submitter();
    const result = first.submit(mint());
    await until(() => sentCount() === 1);
    await ask('evm_mine');
    const mined = await result;
    if (mined.status !== 'mined') throw new Error('not mined');
    await first.stop();
    const spent = mined.receipt.gasUsed * mined.receipt.effectiveGasPrice;
    const { baseFeePerGas } = await rpc.request(latestBlock());
    const cost = 200_000n * (2n * baseFeePerGas + parseGwei('1'));
    const tooTight = await submitter({ spendCapWei: spent + cost - 1n });
    await expect(tooTight.submit(mint())).rejects.toMatchObject({ code: 'SPEND_CAP_REACHED' });
    await tooTight.stop();
    const justEnough = await submitter({ spendCapWei: spent + cost });
    const next = justEnough.submit(mint());
    await until(() => sentCount() === 2);
    await ask('evm_mine');
    expect(await next).toMatchObject({ status: 'mined' });
  });

  test('a base fee over the cap is named', async () => {
    await expect((await submitter({ maxFeePerGas: parseGwei('1') })).submit(mint())).rejects.toMatchObject({
      code: 'FEE_CAP_REACHED',
    });
  });
});

describe('after a restart', () => {
  test('a stored transaction that was never sent goes in exactly once', async () => {
    const first = await submitter({}, losingRpc(1));
    const lost = first.submit(mint());
    await until(() => sentCount() === 1);
    const refused = expect(lost).rejects.toMatchObject({ code: 'SUBMITTER_STOPPED' });
    await first.stop();
    await refused;
    const second = await submitter();
    const next = second.submit(mint());
    await until(async () => {
      await ask('evm_mine');
      return (await minted()) === 2n;
    });
    expect(await next).toMatchObject({ status: 'mined' });
    expect(events).toContainEqual(expect.objectContaining({ kind: 'resumed', outcome: 'mined' }));
  });

  test('one that was mined meanwhile is found and not sent again', async () => {
    const first = await submitter();
    const lost = first.submit(mint());
    await until(() => sentCount() === 1);
    const refused = expect(lost).rejects.toMatchObject({ code: 'SUBMITTER_STOPPED' });
    await first.stop();
    await refused;
    await ask('evm_mine');
    await submitter();
    await until(() => events.some(({ kind }) => kind === 'resumed'));
    await ask('evm_mine');
    expect(await minted()).toBe(1n);
    expect(await rpc.request(transactionCount(account.address))).toBe(2);
  });
});

test('a second process that opens the journal stops the first from sending', async () => {
  const first = await submitter();
  await submitter();
  await expect(first.submit(mint())).rejects.toMatchObject({ code: 'JOURNAL_CLOSED' });
});
