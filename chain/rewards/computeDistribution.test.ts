import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeFunctionData, keccak256 } from 'viem';
import type { Address, Hex } from 'viem';
import { RewardTree } from '../../protocol/rewards/rewardTree.js';
import {
  DELEGATOR,
  DEPLOYER,
  PROVIDER_OWNER,
  RewardedMarket,
  ROLES,
  TOKEN,
} from '../../test/support/rewardedMarket.js';
import { providerRegistryAbi } from '../contracts/generated/ProviderRegistry.js';
import { rewarderAbi } from '../contracts/generated/Rewarder.js';
import { stakingManagerAbi } from '../contracts/generated/StakingManager.js';
import type { Receipt } from '../rpc/rpcCall.js';
import { computeDistribution } from './computeDistribution.js';
import type { Distribution } from './computeDistribution.js';
import { formatDistribution, parseDistribution } from './distributionFile.js';
import { readTierChanges } from './readTierChanges.js';
import { findSettleCalls } from '../quorum/findSettleCalls.js';
import { minedTransaction } from './transactionCall.js';
import { verifyRoot } from './verifyRoot.js';

describe('rewards of a real market', () => {
  let market: RewardedMarket;
  let first: Distribution;
  let firstEra: number;
  let settled: Receipt;

  const owner = (): Address => market.chain.account(PROVIDER_OWNER).account.address.toLowerCase() as Address;
  const delegator = (): Address => market.chain.account(DELEGATOR).account.address.toLowerCase() as Address;
  const amountOf = ({ leaves }: Distribution, earner: Address): bigint =>
    leaves.find((leaf) => leaf.earner === earner)?.cumulative ?? 0n;

  beforeAll(async () => {
    market = await RewardedMarket.start();
    settled = await market.settleOne();
    firstEra = await market.endEra();
    await market.post(firstEra);
    await market.close(firstEra);
    first = await market.compute(firstEra);
  }, 120_000);

  afterAll(async () => {
    await market.stop();
  });

  test('follow from provider, stake, operators and gas', () => {
    // (2 x 3 x 20 + 32 x 0.1) x 1.5 = 184.8 points of one cent, at $0.50 a token.
    const tokens = (3_696n * TOKEN) / 1_000n;
    // 20 % commission; the rest by stake, 100 000 each.
    expect(amountOf(first, delegator())).toBe((tokens * 4n) / 10n);
    expect(amountOf(first, owner())).toBe((tokens * 6n) / 10n);
    const operators = market.chain.operators.map(({ account }) => account.address.toLowerCase()).sort();
    expect(first.participation).toEqual(operators.map((operator) => ({ operator, batches: 1 })));
    for (const operator of operators) expect(amountOf(first, operator as Address)).toBe(100n * TOKEN);
    const settler = market.chain.account(0).account.address.toLowerCase() as Address;
    const refund = first.explanations.find(({ earner }) => earner === settler)?.lines[0];
    expect(refund).toMatchObject({
      kind: 'settler',
      settlements: 1,
      refundWei: settled.gasUsed * settled.effectiveGasPrice,
    });
    expect(first.baseEra).toBeNull();
    expect(first.uncountedRounds).toEqual([]);
  });

  test('come out the same in spans of one block, later, and after more has happened', async () => {
    const { deployment, rpc } = market.chain;
    await market.chain.mined([
      market.call(PROVIDER_OWNER, 'stakingManager', stakingManagerAbi, 'setCommission', [1, 0]),
    ]);
    const history = await market.history(1);
    expect(await computeDistribution(deployment, rpc, { history, era: firstEra, rangeBlocks: 1 })).toEqual(first);
  });

  test('are written to a file that is read back, and to no file that was tampered with', () => {
    const text = formatDistribution(first);
    const { explanations: _, ...published } = first;
    expect(parseDistribution(JSON.parse(text))).toEqual(published);
    const leaf = first.leaves[0];
    expect(() => parseDistribution(JSON.parse(text.replaceAll(String(leaf?.cumulative), '1')))).toThrow(
      expect.objectContaining({ code: 'DISTRIBUTION_INVALID' }),
    );
    expect(() => parseDistribution({ format: 'other' })).toThrow(/format/);
  });

  test('signatures are found inside another call too, and nowhere else', async () => {
    const { deployment, rpc } = market.chain;
    const { input } = await rpc.request(minedTransaction(settled.transactionHash));
    const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
    const [call] = findSettleCalls(input, domain);
    const wrapped = encodeFunctionData({
      abi: [
        {
          type: 'function',
          name: 'execute',
          stateMutability: 'nonpayable',
          inputs: [
            { name: 'target', type: 'address' },
            { name: 'data', type: 'bytes' },
          ],
          outputs: [],
        },
      ],
      args: [deployment.contracts.matchSettlement, input],
    });
    expect(call).toBeDefined();
    expect(findSettleCalls(wrapped, domain)).toEqual([call]);
    expect(findSettleCalls(`0x${input.slice(10)}`, domain)).toEqual([]);
    expect(findSettleCalls(input.slice(0, 400) as Hex, domain)).toEqual([]);
  });

  test('are proposed, verified, claimed, built on and forfeited', async () => {
    const { chain } = market;
    const { deployment, rpc } = chain;
    await market.propose(first);
    expect((await verifyRoot(deployment, rpc, { history: await market.history(), era: firstEra })).differences).toEqual(
      [],
    );
    await market.activate();
    const tree = new RewardTree(first.leaves, first);
    for (const { earner } of first.leaves) {
      const { cumulative, proof } = tree.proofOf(earner);
      await chain.mined([market.call(DEPLOYER, 'rewarder', rewarderAbi, 'claim', [earner, cumulative, proof])]);
    }

    // The second era is closed before its results come; the third pays for both.
    const second = await market.endEra();
    await market.close(second);
    const empty = await market.compute(second);
    expect(empty.leaves).toEqual(first.leaves);
    await market.post(second);
    const third = await market.endEra();
    await market.post(third, 9_900, 15);
    await market.close(third);
    const both = await market.compute(third);
    expect(both.baseEra).toBe(firstEra);
    const tokens = (3_696n * TOKEN) / 1_000n;
    // The commission is 0 by now; half of the third era was idle.
    expect(amountOf(both, delegator()) - amountOf(first, delegator())).toBe((tokens * 3n) / 2n / 2n);
    await market.propose(both);
    await market.activate();

    // What the base was is read from the chain or from its file, which must be that of the root.
    const history = await market.history();
    const known = { era: firstEra, leaves: first.leaves };
    expect(await computeDistribution(deployment, rpc, { history, era: third, known })).toEqual(both);
    await expect(
      computeDistribution(deployment, rpc, { history, era: third, known: { ...known, leaves: first.leaves.slice(1) } }),
    ).rejects.toMatchObject({ code: 'BASE_ROOT_MISMATCH' });
    await expect(computeDistribution(deployment, rpc, { history, era: second })).rejects.toMatchObject({
      code: 'ERA_SUPERSEDED',
    });
    await expect(computeDistribution(deployment, rpc, { history, era: third + 9 })).rejects.toMatchObject({
      code: 'ERA_NOT_CLOSED',
    });

    // Misconduct: what the owner has not claimed goes to the treasury, and the era that runs is lost with it.
    const slash = {
      providerId: 1,
      cause: 0,
      amountBps: 100,
      orderId: 0,
      harm: 0n,
      evidenceHash: keccak256('0x01'),
    };
    await chain.mined([market.call(ROLES, 'stakingManager', stakingManagerAbi, 'slash', [slash])]);
    const fourth = await market.endEra();
    await market.close(fourth);
    const forfeited = await market.compute(fourth);
    expect(amountOf(forfeited, owner())).toBe(amountOf(first, owner()));
    expect(amountOf(forfeited, ROLES)).toBe(amountOf(both, owner()) - amountOf(first, owner()));
    expect(forfeited.cumulativeTotal).toBe(both.cumulativeTotal);
  });

  test('a wrong root is told apart, and the era computed anew once it is disabled', async () => {
    const { deployment, rpc } = market.chain;
    const era = (await market.history()).closings.at(-1)?.era ?? 0;
    const right = await market.compute(era);
    await market.propose({ ...right, root: keccak256('0x02'), cumulativeTotal: right.cumulativeTotal + 1n });
    const verdict = await verifyRoot(deployment, rpc, { history: await market.history(), era });
    expect(verdict.differences).toEqual(['root', 'cumulativeTotal']);
    await market.chain.mined([market.call(ROLES, 'rewarder', rewarderAbi, 'disableRoot', [era])]);
    expect(await market.compute(era)).toEqual(right);
  });

  test('tier changes are due by the results since the last one', async () => {
    const { deployment, rpc } = market.chain;
    await market.chain.mined([market.call(ROLES, 'providerRegistry', providerRegistryAbi, 'setProviderTier', [1, 7])]);
    const eras: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const era = await market.endEra();
      eras.push(era);
      await market.post(era);
      await market.close(era);
    }
    const history = await market.history();
    const dueAfter = (era: number) => readTierChanges(deployment, rpc, { history, era });
    // Tier 3 would need 23 eras; tier 7 needs three, and none before it was given counts.
    expect(await dueAfter(firstEra)).toEqual([]);
    expect(await dueAfter(eras[1]!)).toEqual([]);
    expect(await dueAfter(eras[2]!)).toEqual([{ providerId: 1, from: 7, to: 6, eras: 3 }]);
    expect(await dueAfter(eras[3]!)).toEqual([{ providerId: 1, from: 7, to: 6, eras: 4 }]);
  });
});
