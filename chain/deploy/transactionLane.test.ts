import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { encodeDeployData, encodeFunctionData, type Address, type Hex } from 'viem';
import { startDevnetChain, type DevnetChain } from '../../devnet/devnetChain.js';
import { tokenRegistryAbi, tokenRegistryBytecode } from '../contracts/generated/TokenRegistry.js';
import { marketProxyAbi, marketProxyBytecode } from '../contracts/generated/MarketProxy.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import { balanceOf } from '../rpc/rpcCall.js';
import { TransactionRevertedError } from '../submission/submission.js';

const SINK: Address = '0x00000000000000000000000000000000000f00d5';

// Each starts or fills a chain of its own, which a busy machine takes its time for.
jest.setTimeout(60_000);

let chain: DevnetChain;
beforeAll(async () => {
  chain = await startDevnetChain({ mining: 0.05, accounts: 8 });
});
afterAll(() => chain.stop());

describe('TransactionLane', () => {
  it('has many transactions under way at once and mines them in the order of the calls', async () => {
    const lane = chain.lane(chain.nextAccount().privateKey);
    const sent = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        lane.send({ to: SINK, data: '0x', valueWei: 1n, label: `send ${index}` }),
      ),
    );
    expect(sent.map(({ nonce }) => nonce)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    const receipts = await Promise.all(sent.map(({ mined }) => mined));
    expect(receipts.every(({ succeeded }) => succeeded)).toBe(true);
    expect(new Set(receipts.map(({ blockNumber }) => blockNumber)).size).toBeLessThan(30);
    expect(await chain.rpc.request(balanceOf(SINK))).toBe(30n);
    expect(await lane.nextNonce()).toBe(30);
  });

  it('names the custom error of a transaction that was mined and reverted', async () => {
    const lane = chain.lane(chain.nextAccount().privateKey);
    const stranger = chain.nextAccount().account.address;
    const deploy = async (data: Hex): Promise<Address> =>
      (await lane.run({ data, label: 'deploy' })).contractAddress as Address;
    const implementation = await deploy(encodeDeployData({ abi: tokenRegistryAbi, bytecode: tokenRegistryBytecode }));
    // Nobody may do anything where the authority is an account without code.
    const registry = await deploy(
      encodeDeployData({
        abi: marketProxyAbi,
        bytecode: marketProxyBytecode,
        args: [
          implementation,
          encodeFunctionData({ abi: tokenRegistryAbi, functionName: 'initialize', args: [stranger] }),
        ],
      }),
    );
    const call = {
      to: registry,
      data: encodeFunctionData({ abi: tokenRegistryAbi, functionName: 'approveToken', args: [SINK, 1n] }),
      label: 'approve a token',
      errorsAbi: tokenRegistryAbi,
    };
    const failure = await lane.run({ ...call, gasLimit: 200_000n }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TransactionRevertedError);
    expect((failure as TransactionRevertedError).errorName).toBe('AccessManagedUnauthorized');
    // Estimated first, it is not even sent, and the lane goes on with the same nonce.
    const nonce = await lane.nextNonce();
    await expect(lane.run(call)).rejects.toThrow(RpcAnswerError);
    expect(await lane.nextNonce()).toBe(nonce);
  });

  it('goes on after a transaction that the node refused', async () => {
    const lane = chain.lane(chain.nextAccount().privateKey);
    const tooRich = lane.send({
      to: SINK,
      data: '0x',
      valueWei: 10n ** 30n,
      gasLimit: 21_000n,
      label: 'send too much',
    });
    const modest = lane.run({ to: SINK, data: '0x', valueWei: 1n, label: 'send little' });
    await expect(tooRich).rejects.toThrow(RpcAnswerError);
    expect((await modest).succeeded).toBe(true);
  });
});

describe('MinedBlocks', () => {
  it('resolves with a block at or beyond a height, at once when it is there already', async () => {
    const start = chain.blocks.head().number;
    const later = await chain.blocks.reached(start + 3);
    expect(later.number).toBeGreaterThanOrEqual(start + 3);
    expect((await chain.blocks.reached(start)).number).toBeGreaterThanOrEqual(start + 3);
  });

  it('tells of every block exactly once, in order, until taken off', async () => {
    const seen: number[] = [];
    const off = chain.blocks.onBlock(({ number }) => seen.push(number));
    const { number } = chain.blocks.head();
    await chain.blocks.reached(number + 5);
    off();
    const count = seen.length;
    expect(seen).toEqual(Array.from({ length: count }, (_, index) => number + 1 + index));
    await chain.blocks.reached(chain.blocks.head().number + 2);
    expect(seen).toHaveLength(count);
  });

  it('lets nobody wait for ever when it is stopped', async () => {
    const other = await startDevnetChain({ mining: 'on-demand', accounts: 1 });
    const height = other.blocks.reached(5);
    const receipt = other.blocks.receiptOf(`0x${'11'.repeat(32)}`);
    const settled = Promise.allSettled([height, receipt]);
    await other.stop();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(other.blocks.reached(5)).rejects.toThrow('stopped');
  });
});
