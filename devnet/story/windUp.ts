import { escrowAbi } from '../../chain/contracts/generated/Escrow.js';
import type { TransactionLane } from '../../chain/deploy/transactionLane.js';
import { viewCall } from '../../chain/rewards/viewCall.js';
import { OrderState } from '../../protocol/words/orderWord.js';
import { readLogs } from '../../sdk/calls/readLogs.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { withdraw } from '../../sdk/escrow/withdraw.js';
import { closeLease } from '../../sdk/leases/closeLease.js';
import { getStake } from '../../sdk/stake/getStake.js';
import { withdrawCompensation } from '../../sdk/stake/withdrawCompensation.js';
import { withdrawUnbonded } from '../../sdk/stake/withdrawUnbonded.js';
import { inParallel } from '../inParallel.js';
import { DEVNET_TOKENS } from '../marketPlan.js';
import type { Actor } from './actor.js';
import { endTrade, run, type Trade } from './serveTrade.js';
import { requireEqual, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';

const SCENE = 'winding up';
const AT_ONCE = 24;

export interface Stakers {
  readonly delegator: Actor;
  /** Delegated to the slashed provider. */
  readonly harmedDelegator: Actor;
}

/**
 * Everybody leaves: leases are closed, unmatched orders refunded, all escrow balances withdrawn, delegations unbonded and paid out, the
 * treasury has what slashes gave it. Throws SceneFailedError and the errors of the actions.
 */
export async function windUpScene(
  context: StoryContext,
  providers: StoryProviders,
  trade: Trade,
  { delegator, harmedDelegator }: Stakers,
): Promise<SceneReport> {
  const offender = providers.named('offender').providerId;
  const [{ closed, refunded }, storyLeases] = await Promise.all([endTrade(context, trade), closeStoryLeases(context)]);
  const withdrawals = await withdrawAll(context, trade);
  await context.treasury.act((client) => withdrawCompensation(client));
  await leave(context, delegator, providers.named('steady').providerId);
  await leave(context, harmedDelegator, offender);
  return {
    scene: SCENE,
    line: `${closed + storyLeases} leases closed, ${refunded} unmatched orders refunded, ${withdrawals} balances withdrawn, delegators and treasury paid out`,
  };
}

/** Tenants of the story close what still runs. */
async function closeStoryLeases(context: StoryContext): Promise<number> {
  const counts = await inParallel(context.actors, AT_ONCE, async (actor) => {
    const created = await readLogs(actor.client, {
      address: actor.client.contracts.orderRequest,
      abi: iOrderRequestAbi,
      eventName: 'OrderCreated',
      args: { tenant: actor.address },
    });
    let closed = 0;
    for (const { args } of created) {
      if ((await context.orderState(args.orderId)) !== OrderState.MATCHED) continue;
      await actor.act((client) => closeLease(client, { orderId: args.orderId }));
      closed++;
    }
    return closed;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Everybody withdraws everything; who has a lane goes on using it. */
async function withdrawAll(context: StoryContext, trade: Trade): Promise<number> {
  const { rpc, blocks } = context.chain;
  const { escrow } = context.market.deployment.contracts;
  const lanes = [...trade.tenantLanes, ...trade.providerLanes];
  const holders: readonly (Actor | TransactionLane)[] = [...context.actors, ...lanes];
  const tokens = DEVNET_TOKENS.map(({ id }) => id);
  const { hash } = blocks.head();
  const balances = await rpc.batch(
    holders.flatMap(({ address }) =>
      tokens.map((tokenId) =>
        viewCall({ address: escrow, abi: escrowAbi, functionName: 'balanceOf', args: [address, tokenId] }, hash),
      ),
    ),
  );
  const due = holders.flatMap((holder, index) =>
    tokens.flatMap((tokenId, place) => {
      const amount = balances[index * tokens.length + place] as bigint;
      return amount === 0n ? [] : [{ holder, tokenId, amount }];
    }),
  );
  await inParallel(due, AT_ONCE, async ({ holder, tokenId, amount }) => {
    if ('act' in holder) await holder.act((client) => withdraw(client, { tokenId, amount }));
    else await run(holder, escrow, { abi: escrowAbi, functionName: 'withdraw', args: [tokenId, amount] });
  });
  return due.length;
}

/** Waits for an account's unbondings and has them paid out, each with what roundings of the one before left to it. */
async function leave(context: StoryContext, actor: Actor, providerId: number): Promise<void> {
  for (;;) {
    const { account } = await getStake(actor.client, { providerId, account: actor.address });
    const next = account?.unbondings[0];
    if (next === undefined) break;
    await context.untilTime(SCENE, next.releaseAtSeconds);
    const { unbondingId } = next;
    const paid = await actor.act((client) => withdrawUnbonded(client, { providerId, unbondingId }));
    requireEqual(SCENE, 'what an unbonding paid', paid.amount, next.amount);
  }
  const { account } = await getStake(actor.client, { providerId, account: actor.address });
  requireEqual(SCENE, 'the delegation that is left', account?.shares ?? 0n, 0n);
}
