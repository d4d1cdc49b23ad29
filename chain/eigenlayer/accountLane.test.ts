import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeFunctionData, parseAbi } from 'viem';
import { startStakeChain, WHOLE, type StakeChain } from '../../test/support/stakeChain.js';
import { devnetTokenAbi } from '../contracts/generated/DevnetToken.js';
import { AccountLane, StakeTransactionPendingError } from './accountLane.js';

let chain: StakeChain;

beforeAll(async () => {
  chain = await startStakeChain();
}, 60_000);

afterAll(() => chain?.stop());

const control = (method: string, params: readonly unknown[]) =>
  chain.rpc.request({ method, params, decode: (raw) => raw });

function laneOf(index: number, receiptTimeoutMs?: number): AccountLane {
  return new AccountLane(
    {
      chainId: chain.anvil.chainId,
      privateKey: chain.account(index).privateKey,
      pollIntervalMs: 5,
      ...(receiptTimeoutMs === undefined ? {} : { receiptTimeoutMs }),
    },
    {
      rpc: chain.rpc,
      nowMs: () => performance.now(),
      sleep: (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)),
    },
  );
}

function mint(amount: bigint) {
  const data = encodeFunctionData({
    abi: devnetTokenAbi,
    functionName: 'mint',
    args: [chain.account(6).account.address, amount],
  });
  return { to: chain.stakeToken, data, label: 'mint' };
}

test('transactions follow one another with the node’s nonces and fees', async () => {
  const lane = laneOf(5);
  const first = await lane.run(mint(WHOLE));
  const second = await lane.run(mint(WHOLE));
  expect([first.succeeded, second.succeeded]).toEqual([true, true]);
  expect(second.blockNumber).toBeGreaterThan(first.blockNumber);
});

test('a call that would revert is never sent', async () => {
  const lane = laneOf(5);
  const data = encodeFunctionData({
    abi: parseAbi(['function transfer(address to, uint256 amount)']),
    functionName: 'transfer',
    args: [lane.address, 10n ** 30n],
  });
  const before = await control('eth_getTransactionCount', [lane.address, 'latest']);
  await expect(lane.run({ to: chain.stakeToken, data, label: 'transfer' })).rejects.toMatchObject({
    code: 'RPC_ANSWER',
  });
  expect(await control('eth_getTransactionCount', [lane.address, 'latest'])).toBe(before);
});

test('one that is not mined in time is named by its hash, and may be mined later', async () => {
  await control('evm_setAutomine', [false]);
  try {
    const error: unknown = await laneOf(5, 30)
      .run(mint(WHOLE))
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StakeTransactionPendingError);
    const { hash } = (error as StakeTransactionPendingError).metadata;
    await control('evm_mine', []);
    expect(await control('eth_getTransactionReceipt', [hash])).toMatchObject({ status: '0x1' });
  } finally {
    await control('evm_setAutomine', [true]);
  }
});
