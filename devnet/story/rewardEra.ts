import { parseUnits } from 'viem';
import { computeDistribution } from '../../chain/rewards/computeDistribution.js';
import { readRewardHistory } from '../../chain/rewards/rewardHistory.js';
import { verifyRoot } from '../../chain/rewards/verifyRoot.js';
import { latestBlock } from '../../chain/rpc/rpcCall.js';
import { formatAmount } from '../../sdk/amounts.js';
import { claimRewards } from '../../sdk/rewards/claimRewards.js';
import { closeEra } from '../../sdk/rewards/closeEra.js';
import { contestRoot } from '../../sdk/rewards/contestRoot.js';
import { fundRewards } from '../../sdk/rewards/fundRewards.js';
import { getRewardStatus } from '../../sdk/rewards/getRewardStatus.js';
import { postResults } from '../../sdk/rewards/postResults.js';
import { proposeRoot } from '../../sdk/rewards/proposeRoot.js';
import { resolveContest } from '../../sdk/rewards/resolveContest.js';
import { setRewardWallet } from '../../sdk/rewards/setRewardWallet.js';
import { withdrawRewardCredit } from '../../sdk/rewards/withdrawRewardCredit.js';
import { delegateStake } from '../../sdk/stake/delegateStake.js';
import { getStake } from '../../sdk/stake/getStake.js';
import { requestUndelegate } from '../../sdk/stake/requestUndelegate.js';
import { ensureAllowance } from '../../sdk/tokens/ensureAllowance.js';
import type { Actor } from './actor.js';
import {
  requireEqual,
  requireThat,
  SceneFailedError,
  type SceneReport,
  type StoryContext,
  type StoryProviders,
} from './storyContext.js';

const SCENE = 'rewards';
const DECIMALS = 18;
const FUND = parseUnits('250000', DECIMALS);
const DELEGATED = parseUnits('77.777777777777777777', DECIMALS);
const RESULT = { gpuPassedBps: null, cpuPassedBps: 9_800, reputationBps: 5_400, idleSeconds: 3, voided: false };

export interface RewardScene {
  readonly report: SceneReport;
  /** Has asked for its stake back after it earned with it. */
  readonly delegator: Actor;
}

/** Somebody whose stake counts in the era that is closed. */
export async function delegateBeforeEra(context: StoryContext, providers: StoryProviders): Promise<Actor> {
  const { providerId } = providers.named('steady');
  const delegator = context.newActor();
  await context.mint(delegator, context.market.stakingToken, DELEGATED);
  await delegator.act((client) => delegateStake(client, { providerId, amount: DELEGATED }));
  return delegator;
}

/**
 * An era of rewards: funds, results of the oracle, the closing by anyone, a wrong root that is contested and taken down with the bond
 * returned, the right root that a second computation confirms, and after its delay the claims of a provider, a delegator, an operator at
 * its wallet, and the settler. Throws SceneFailedError and the errors of the actions.
 */
export async function rewardScene(
  context: StoryContext,
  providers: StoryProviders,
  delegator: Actor,
): Promise<RewardScene> {
  const { market, chain, governor, oracle, stranger, settler } = context;
  const { deployment, stakingToken: token } = market;
  const provider = providers.named('steady');
  const [sponsor, challenger, wallet] = [context.newActor(), context.newActor(), context.newActor()];
  const operator = operatorThatEarns(context);
  const contestBond = parseUnits(String(market.economy.rewards.contestBondWhole), DECIMALS);
  await context.mint(sponsor, token, FUND);
  await sponsor.act((client) => fundRewards(client, { amount: FUND }));
  await context.mint(challenger, token, contestBond);
  await challenger.act((client) =>
    ensureAllowance(client, { token, spender: client.contracts.rewarder, amount: contestBond }),
  );
  await operator?.act((client) => setRewardWallet(client, { wallet: wallet.address }));

  const { currentEra: running, eraEndsAtSeconds } = await getRewardStatus(stranger.client, {});
  const era = running;
  await context.untilTime(SCENE, eraEndsAtSeconds);
  await oracle.act((client) => postResults(client, { era, results: [{ ...RESULT, providerId: provider.providerId }] }));
  const closing = await stranger.act((client) => closeEra(client, { era }));

  const distribution = await computeAgain(context, era);
  // Whoever posts roots could add a unit for itself; anyone who computes the era finds it.
  const wrong = { ...distribution, cumulativeTotal: distribution.cumulativeTotal + 1n };
  await governor.act((client) =>
    proposeRoot(client, { distribution: wrong, uri: 'https://rewards.example/wrong.json' }),
  );
  const contested = await challenger.act((client) =>
    contestRoot(client, { era, uri: 'https://challenger.example/computation.json' }),
  );
  requireEqual(SCENE, 'the bond of the contest', contested.bond, contestBond);
  const verdict = await verifyAgain(context, era);
  requireEqual(SCENE, 'what is wrong with the wrong root', verdict.differences.join(), 'cumulativeTotal');
  await governor.act((client) => resolveContest(client, { era, upheld: true }));
  const { amount: returned } = await challenger.act((client) => withdrawRewardCredit(client));
  requireEqual(SCENE, 'the bond that came back', returned, contestBond);

  const uri = 'https://rewards.example/right.json';
  const { activeAtSeconds } = await governor.act((client) => proposeRoot(client, { distribution, uri }));
  const second = await verifyAgain(context, era);
  requireEqual(SCENE, 'what is wrong with the right root', second.differences.join(), '');
  const stake = await getStake(delegator.client, { providerId: provider.providerId, account: delegator.address });
  await delegator.act((client) =>
    requestUndelegate(client, { providerId: provider.providerId, shares: stake.account?.shares ?? 0n }),
  );

  await context.untilTime(SCENE, activeAtSeconds);
  const claims = [
    { who: 'provider', earner: provider.owner.address, to: provider.owner.address },
    { who: 'delegator', earner: delegator.address, to: delegator.address },
    ...(operator === undefined ? [] : [{ who: 'operator', earner: operator.address, to: wallet.address }]),
    { who: 'settler', earner: settler, to: settler },
  ];
  const shown: string[] = [];
  for (const { who, earner, to } of claims) {
    const given = distribution.leaves.find((leaf) => leaf.earner.toLowerCase() === earner.toLowerCase());
    if (given === undefined) throw new SceneFailedError(SCENE, `the ${who} earned nothing`, { earner });
    const before = await context.walletOf(to, token);
    const { amount } = await stranger.act((client) => claimRewards(client, { earner, distribution }));
    requireEqual(SCENE, `what the ${who} claimed`, amount, given.cumulative);
    requireEqual(SCENE, `what arrived at the ${who}`, (await context.walletOf(to, token)) - before, given.cumulative);
    requireThat(SCENE, `the ${who} earned something`, amount > 0n);
    shown.push(`${who} ${rounded(amount)}`);
  }
  requireThat(SCENE, 'no signature stayed uncounted', distribution.uncountedRounds.length === 0);
  requireThat(
    SCENE,
    'the era closed in a block that was mined',
    Number(closing.blockNumber) <= chain.blocks.head().number,
  );
  requireThat(SCENE, 'the total is funded', distribution.cumulativeTotal <= FUND);
  requireEqual(SCENE, 'the rewarder', distribution.rewarder.toLowerCase(), deployment.contracts.rewarder);
  return {
    report: {
      scene: SCENE,
      line: `era ${era}: a wrong root contested and taken down, the right one confirmed by a second computation; of ${rounded(distribution.cumulativeTotal)} SPON claimed: ${shown.join(', ')}`,
    },
    delegator,
  };
}

/** Operators earn in an era under the account of their signing key; one on BN254 is none, and earns through EigenLayer alone. */
function operatorThatEarns(context: StoryContext): Actor | undefined {
  const [operator] = context.operators;
  const isAccount = context.market.deployment.quorum.curve === 'ecdsa';
  return isAccount && operator !== undefined ? context.actor(operator.signer) : undefined;
}

async function computeAgain(context: StoryContext, era: number): ReturnType<typeof computeDistribution> {
  const { deployment } = context.market;
  const { rpc } = context.chain;
  const history = await readRewardHistory(deployment, rpc, { head: await rpc.request(latestBlock()) });
  return computeDistribution(deployment, rpc, { history, era });
}

async function verifyAgain(context: StoryContext, era: number): ReturnType<typeof verifyRoot> {
  const { deployment } = context.market;
  const { rpc } = context.chain;
  const history = await readRewardHistory(deployment, rpc, { head: await rpc.request(latestBlock()) });
  return verifyRoot(deployment, rpc, { history, era });
}

/** Whole tokens with two decimals, rounded down, for people. */
function rounded(units: bigint): string {
  const cents = units / 10n ** BigInt(DECIMALS - 2);
  return formatAmount(cents, 2);
}
