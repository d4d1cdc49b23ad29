import { keccak256, parseUnits, toHex } from 'viem';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { formatAmount } from '../../sdk/amounts.js';
import { eventOf, writeMarket } from '../../sdk/calls/callMarket.js';
import { closeLease } from '../../sdk/leases/closeLease.js';
import { accruedAmount } from '../../protocol/lock.js';
import { getProvider } from '../../sdk/provider/getProvider.js';
import { delegateStake } from '../../sdk/stake/delegateStake.js';
import { getStake } from '../../sdk/stake/getStake.js';
import { requestUndelegate } from '../../sdk/stake/requestUndelegate.js';
import { withdrawCompensation } from '../../sdk/stake/withdrawCompensation.js';
import type { Actor } from './actor.js';
import { requireEqual, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { decimalsOf, leaseOf, serveLease } from './storyOrders.js';

const SCENE = 'slash';
const DECIMALS = 18;
const CAUSE_MISCONDUCT = 0;
const SLASH_BPS = 5_000n;
const BPS = 10_000n;
/** Odd amounts, so that roundings show. */
const DELEGATED = parseUnits('333.333333333333333333', DECIMALS);
const LEAVING_SHARES = parseUnits('111.111111111111111111', DECIMALS);
const HARM = parseUnits('12.345678901234567891', DECIMALS);

export interface SlashScene {
  readonly report: SceneReport;
  /** Is leaving the slashed provider with what is left. */
  readonly delegator: Actor;
}

/**
 * Misconduct of a provider with a delegator, an unbonding and a running lease: a half of each is taken, the tenant is compensated first,
 * the treasury has the rest, the provider is suspended, and the tenant leaves paying only the seconds it had.
 * Throws SceneFailedError and the errors of the actions.
 */
export async function slashScene(context: StoryContext, providers: StoryProviders): Promise<SlashScene> {
  const provider = providers.named('offender');
  const { owner, providerId } = provider;
  const [tenant, delegator] = [context.newActor(), context.newActor()];
  const leasing = leaseOf(context, SCENE, {
    tenant,
    providers: [provider],
    durationMinutes: 60,
  });
  await context.mint(delegator, context.market.stakingToken, DELEGATED);
  await delegator.act((client) => delegateStake(client, { providerId, amount: DELEGATED }));
  await delegator.act((client) => requestUndelegate(client, { providerId, shares: LEAVING_SHARES }));
  const { orderId } = await leasing;
  const lease = await serveLease(tenant, owner, orderId);

  const before = await getStake(tenant.client, { providerId });
  const treasuryBefore = await compensationOf(context, providerId, context.treasury);
  const receipt = await context.governor.act((client) =>
    writeMarket(client, {
      address: client.contracts.stakingManager,
      abi: iStakingManagerAbi,
      functionName: 'slash',
      args: [
        {
          providerId,
          cause: CAUSE_MISCONDUCT,
          amountBps: Number(SLASH_BPS),
          orderId,
          harm: HARM,
          evidenceHash: keccak256(toHex(`order ${orderId}: false results`)),
        },
      ],
    }),
  );
  const taken = eventOf(receipt, {
    address: tenant.client.contracts.stakingManager,
    abi: iStakingManagerAbi,
    eventName: 'Slashed',
  });
  requireEqual(SCENE, 'own stake taken', taken.ownAmount, roundedUpShare(before.own));
  requireEqual(SCENE, 'delegated stake taken', taken.delegatedAmount, roundedUpShare(before.delegated));
  requireEqual(SCENE, 'unbonding stake taken', taken.unbondingAmount, roundedUpShare(before.unbonding));
  const after = await getStake(tenant.client, { providerId });
  requireEqual(SCENE, 'own stake left', after.own, before.own - taken.ownAmount);
  requireEqual(SCENE, 'delegated stake left', after.delegated, before.delegated - taken.delegatedAmount);
  requireEqual(SCENE, 'unbonding stake left', after.unbonding, before.unbonding - taken.unbondingAmount);
  requireEqual(SCENE, 'the status', (await getProvider(tenant.client, { providerId })).status, 'Suspended');

  const all = taken.ownAmount + taken.delegatedAmount + taken.unbondingAmount;
  const treasury = (await compensationOf(context, providerId, context.treasury)) - treasuryBefore;
  requireEqual(SCENE, "the treasury's part", treasury, all - HARM);
  const paid = await tenant.act((client) => withdrawCompensation(client));
  requireEqual(SCENE, "the tenant's compensation", paid.amount, HARM);
  const inWallet = await context.walletOf(tenant.address, context.market.stakingToken);
  requireEqual(SCENE, "what arrived in the tenant's wallet", inWallet, HARM);

  const closed = await tenant.act((client) => closeLease(client, { orderId }));
  const seconds = closed.endTimeSeconds - (lease.readyAtSeconds ?? 0);
  const ran = accruedAmount(lease.priceMicroPerHour, seconds, decimalsOf(lease.tokenId));
  requireEqual(SCENE, 'what the tenant pays without a minimum', closed.accrued, ran);
  const rest = await getStake(delegator.client, { providerId, account: delegator.address });
  await delegator.act((client) => requestUndelegate(client, { providerId, shares: rest.account?.shares ?? 0n }));
  const shown = (units: bigint): string => formatAmount(units, DECIMALS);
  return {
    report: {
      scene: SCENE,
      line: `misconduct of provider ${providerId} took ${shown(all)} SPON (own, delegated, unbonding): ${shown(HARM)} to the tenant, the rest to the treasury; suspended; order ${orderId} closed without minimum charge`,
    },
    delegator,
  };
}

function roundedUpShare(amount: bigint): bigint {
  return (amount * SLASH_BPS + BPS - 1n) / BPS;
}

async function compensationOf(context: StoryContext, providerId: number, account: Actor): Promise<bigint> {
  const stake = await getStake(context.stranger.client, { providerId, account: account.address });
  return stake.account?.compensation ?? 0n;
}
