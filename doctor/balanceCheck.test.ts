import { encodeEventTopics, parseEther, type Address } from 'viem';
import { expect, test } from '@jest/globals';

import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { answeringRpc, hash, quantity, rawBlock } from '../test/support/answeringRpc.js';
import { testDeployment } from '../test/support/testDeployment.js';
import { checkBalance } from './balanceCheck.js';
import type { Finding } from './finding.js';

const SENDER: Address = '0x00000000000000000000000000000000000000aa';
const HEAD = 10_000;
const GWEI = 10n ** 9n;
const [SETTLED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled' });

/** What is found for an aggregator that holds so much, on a chain of one block a second with settlements at these blocks, each of a million gas at a gwei. */
function findingOf(balance: bigint, settledAt: readonly number[]): Promise<Finding> {
  const deployment = { ...testDeployment(), blockTimeMs: 1_000, deploymentBlock: 1 };
  const rpc = answeringRpc({
    eth_getBalance: () => quantity(balance),
    eth_getBlockByNumber: () => rawBlock({ number: HEAD, timestamp: 0, baseFeePerGas: GWEI }),
    eth_getLogs: () =>
      settledAt.map((number) => ({
        address: deployment.contracts.matchSettlement,
        topics: [SETTLED],
        data: '0x',
        blockNumber: quantity(number),
        blockHash: hash(number),
        transactionHash: hash(number),
        logIndex: '0x0',
      })),
    eth_getTransactionReceipt: ([transactionHash]) => ({
      transactionHash,
      blockNumber: transactionHash,
      blockHash: transactionHash,
      status: '0x1',
      gasUsed: quantity(1_000_000),
      effectiveGasPrice: quantity(GWEI),
      contractAddress: null,
      logs: [],
    }),
  });
  return checkBalance({
    role: 'aggregator',
    rpc,
    deployment,
    unlock: async () => ({ publicKey: SENDER, id: SENDER }),
  });
}

/** Twenty settlements in the last 2,000 blocks of a second: 864 a day, 0.864 ETH. */
const TWENTY = Array.from({ length: 20 }, (_, index) => HEAD - 20 + index);

test('an operator sends nothing and needs no balance', async () => {
  const finding = await checkBalance({
    role: 'operator',
    rpc: answeringRpc({}),
    deployment: testDeployment(),
    unlock: () => Promise.reject(new Error('not to be opened')),
  });
  expect(finding).toMatchObject({ status: 'skipped' });
});

test('what is less than one settlement costs is a failure, by the likely cost where none was seen', async () => {
  expect(await findingOf(parseEther('0.001') - 1n, TWENTY)).toEqual({
    status: 'failed',
    detail: `${SENDER} holds 0.000999999999999999 ETH, a settlement costs 0.001 ETH`,
    fix: `send it funds on chain ${testDeployment().chainId}`,
  });
  expect(await findingOf(parseEther('0.002') - 1n, [])).toMatchObject({ status: 'failed' });
  expect(await findingOf(parseEther('0.002'), [])).toEqual({
    status: 'ok',
    detail: '0.002 ETH; nothing was settled lately',
  });
});

test('the days that it lasts at the pace of late: under one fails, under seven is noted', async () => {
  expect(await findingOf(parseEther('0.8'), TWENTY)).toMatchObject({
    status: 'failed',
    detail: '0.8 ETH, about 0.9 days of settlements as of late',
    fix: expect.stringContaining(SENDER),
  });
  expect(await findingOf(parseEther('0.864'), TWENTY)).toMatchObject({ status: 'warning' });
  expect(await findingOf(parseEther('6'), TWENTY)).toMatchObject({ status: 'warning' });
  expect(await findingOf(parseEther('8.64'), TWENTY)).toEqual({
    status: 'ok',
    detail: '8.64 ETH, about 10.0 days of settlements as of late',
  });
});
