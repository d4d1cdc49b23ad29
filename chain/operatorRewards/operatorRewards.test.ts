import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { erc20Abi, type Address } from 'viem';
import { submitRewardsRoot, type SubmittedRoot } from '../../devnet/rewardsRoot.js';
import { EigenClaimTree } from '../../protocol/rewards/eigenClaimTree.js';
import { operatorPayout } from '../../protocol/rewards/operatorPayout.js';
import { control } from '../../test/support/marketChain.js';
import { startStakeChain, WHOLE, type StakeChain } from '../../test/support/stakeChain.js';
import { delegateStake } from '../eigenlayer/delegateStake.js';
import { EigenCallRevertedError, readEigen } from '../eigenlayer/eigenCall.js';
import { registerOperator } from '../eigenlayer/registerOperator.js';
import { latestBlock } from '../rpc/rpcCall.js';
import { claimOperatorRewards, findRoot, NotClaimerError, RootNotClaimableError } from './claimRewards.js';
import { readSubmissions } from './readSubmissions.js';
import { checkPeriod, readPeriodLimits } from './rewardPeriod.js';
import { submitOperatorRewards, type PreparedRewards } from './submitOperatorRewards.js';

/** Accounts by index; the AVS and rewards updater is 0. */
const FIRST = 1;
const SECOND = 2;
const RESTAKER = 5;

let chain: StakeChain;
let root: SubmittedRoot;

beforeAll(async () => {
  chain = await startStakeChain();
  for (const index of [FIRST, SECOND]) {
    await chain.fund(chain.lane(index).address, 30n * WHOLE);
    await registerOperator(chain.registration(index, 30n * WHOLE), { lane: chain.lane(index), rpc: chain.rpc });
  }
  await chain.fund(chain.lane(RESTAKER).address, 10n * WHOLE);
  await delegateStake({ ...deployment(), operator: address(FIRST), amount: 10n * WHOLE }, dependencies(RESTAKER));
  await chain.fund(address(0), 2_000n * WHOLE);
}, 120_000);

afterAll(() => chain?.stop());

const address = (index: number): Address => chain.lane(index).address;
const dependencies = (index: number) => ({ lane: chain.lane(index), rpc: chain.rpc });
const lower = (account: Address): Address => `0x${account.slice(2).toLowerCase()}`;

function deployment() {
  const { eigenlayer, stakeSide, strategy, stakeToken } = chain;
  const { operatorSet, ...contracts } = stakeSide;
  const stake = { ...contracts, chainId: 31_337, deploymentBlock: 0, blockTimeMs: 1_000 };
  return { eigenlayer, operatorSet, strategy, stakeToken, stake };
}

/** Rewards for the two operators by these signing weights, over the newest period that is over. */
async function prepared(amount: bigint, weights: readonly bigint[]): Promise<PreparedRewards> {
  const limits = await readPeriodLimits(deployment(), chain.rpc);
  const toSeconds = limits.nowSeconds - 1 - ((limits.nowSeconds - 1) % limits.intervalSeconds);
  const period = { fromSeconds: toSeconds - limits.intervalSeconds, toSeconds };
  checkPeriod(period, limits);
  const credits = weights.map((weight, index) => ({ operator: lower(address(index + 1)), rounds: 1, weight }));
  return {
    rewards: { period, token: chain.stakeToken, amount, again: false },
    participation: { credits, rounds: [1], uncountedRounds: [] },
    amounts: operatorPayout(amount, credits),
    strategies: [{ strategy: chain.strategy, multiplier: WHOLE }],
    description: 'test',
  };
}

const balanceOf = (account: Address) =>
  readEigen(chain.rpc, { address: chain.stakeToken, abi: erc20Abi, functionName: 'balanceOf', args: [account] });

async function refusal(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Lets the root's activation delay pass. */
async function activate({ activeFromSeconds }: SubmittedRoot): Promise<void> {
  await chain.rpc.request(control('evm_setNextBlockTimestamp', [activeFromSeconds + 1]));
  await chain.rpc.request(control('anvil_mine', ['0x1']));
}

test('only the AVS can submit, and what it submits is read back', async () => {
  const rewards = await prepared(1_000n * WHOLE, [3n, 1n]);
  const stranger = await refusal(submitOperatorRewards(deployment(), rewards, dependencies(FIRST)));
  expect(stranger).toMatchObject({ code: 'TOKEN_BALANCE' });
  await chain.fund(address(FIRST), 1_000n * WHOLE);
  const refused = await refusal(submitOperatorRewards(deployment(), rewards, dependencies(FIRST)));
  expect(refused).toMatchObject({ errorName: 'InvalidPermissions' });

  const before = await balanceOf(address(0));
  await submitOperatorRewards(deployment(), rewards, dependencies(0));
  expect(before - (await balanceOf(address(0)))).toBe(1_000n * WHOLE);
  const ascending = [FIRST, SECOND].sort((a, b) => (BigInt(address(a)) < BigInt(address(b)) ? -1 : 1));
  expect(await readSubmissions(deployment(), chain.rpc)).toMatchObject([
    {
      period: rewards.rewards.period,
      amounts: ascending.map((index) => ({
        operator: address(index),
        amount: (index === FIRST ? 750n : 250n) * WHOLE,
      })),
    },
  ]);
});

test('the root gives operators their split and restakers the rest by stake', async () => {
  root = await submitRewardsRoot(deployment(), dependencies(0));
  const earned = new Map(root.earnings.map(({ earner, cumulative }) => [earner, cumulative]));
  // 10 % of 750, and three quarters of the other 90 % for its own 30 of 40 staked.
  expect(earned.get(lower(address(FIRST)))).toBe((58_125n * WHOLE) / 100n);
  expect(earned.get(lower(address(RESTAKER)))).toBe((16_875n * WHOLE) / 100n);
  expect(earned.get(lower(address(SECOND)))).toBe(250n * WHOLE);
  expect(await findRoot(deployment(), chain.rpc, root.root)).toMatchObject({ rootIndex: 0, isDisabled: false });
});

test('everybody claims its own, once the root is active, and once', async () => {
  const tree = new EigenClaimTree(root.earnings);
  const claim = (index: number) => ({ claim: tree.claimOf(root.rootIndex, address(index)), recipient: address(index) });
  const { timestamp } = await chain.rpc.request(latestBlock());
  if (timestamp < root.activeFromSeconds) {
    const early = await refusal(claimOperatorRewards(deployment(), claim(FIRST), dependencies(FIRST)));
    expect(early).toBeInstanceOf(RootNotClaimableError);
  }
  await activate(root);
  const stolen = await refusal(claimOperatorRewards(deployment(), claim(FIRST), dependencies(SECOND)));
  expect(stolen).toBeInstanceOf(NotClaimerError);
  for (const index of [FIRST, SECOND, RESTAKER]) {
    const before = await balanceOf(address(index));
    const { paid } = await claimOperatorRewards(deployment(), claim(index), dependencies(index));
    const [{ amount } = { amount: 0n }] = paid;
    expect((await balanceOf(address(index))) - before).toBe(amount);
    expect(amount).toBe(root.earnings.find(({ earner }) => earner === lower(address(index)))?.cumulative);
  }
  const again = await refusal(claimOperatorRewards(deployment(), claim(FIRST), dependencies(FIRST)));
  expect(again).toBeInstanceOf(EigenCallRevertedError);
  expect(again).toMatchObject({ errorName: 'EarningsNotGreaterThanClaimed' });
});

test('a later root pays what was added, and a forged claim nothing', async () => {
  await submitOperatorRewards(deployment(), await prepared(100n * WHOLE, [0n, 1n]), dependencies(0));
  const later = await submitRewardsRoot(deployment(), dependencies(0));
  await activate(later);
  const tree = new EigenClaimTree(later.earnings);
  const claim = tree.claimOf(later.rootIndex, address(SECOND));
  const forged = {
    ...claim,
    tokenLeaves: claim.tokenLeaves.map((leaf) => ({ ...leaf, cumulativeEarnings: 10n ** 30n })),
  };
  const error = await refusal(
    claimOperatorRewards(deployment(), { claim: forged, recipient: address(SECOND) }, dependencies(SECOND)),
  );
  expect(error).toMatchObject({ errorName: 'InvalidClaimProof' });
  const { paid } = await claimOperatorRewards(deployment(), { claim, recipient: address(9) }, dependencies(SECOND));
  expect(paid.map(({ amount }) => amount)).toEqual([100n * WHOLE]);
  expect(await balanceOf(address(9))).toBe(100n * WHOLE);
});
