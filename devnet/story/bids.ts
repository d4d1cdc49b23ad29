import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { formatMicro } from '../../sdk/amounts.js';
import { placeBid } from '../../sdk/bids/placeBid.js';
import { releaseBond } from '../../sdk/bids/releaseBond.js';
import { readMarket, writeMarket } from '../../sdk/calls/callMarket.js';
import { getBalance } from '../../sdk/escrow/getBalance.js';
import { getLease } from '../../sdk/leases/getLease.js';
import { inParallel } from '../inParallel.js';
import { requireEqual, requireThat, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { fundAccount, postOrder, serveLease } from './storyOrders.js';
import { STORY_PRICE_MICRO } from './storyPlan.js';

const SCENE = 'bids';
const TOKEN = 1;
/** Each bids so much less than the one before, micro-units per hour: more than the seeded part of a score can make up for. */
const STEP_MICRO = 6_000_000;

/** Blocks that people, or three accounts one after another, need to bid. */
export const STORY_BID_WINDOW_BLOCKS = 40;

/** Sets how long orders take bids; it holds for those that come. Throws the errors of `writeMarket`. */
export async function setBidWindow(context: StoryContext, bidWindowBlocks: number): Promise<void> {
  await context.governor.act((client) =>
    writeMarket(client, {
      address: client.contracts.orderRequest,
      abi: iOrderRequestAbi,
      functionName: 'setBidWindowBlocks',
      args: [bidWindowBlocks],
    }),
  );
}

/** Runs `post` while new orders take bids for as long as the story needs. Throws what it throws, and the errors of `writeMarket`. */
export async function withBidWindow<Result>(context: StoryContext, post: () => Promise<Result>): Promise<Result> {
  const usual = context.market.bidWindowBlocks;
  await setBidWindow(context, STORY_BID_WINDOW_BLOCKS);
  const result = await post();
  await setBidWindow(context, usual);
  return result;
}

/**
 * Three providers with the same offer bid below it; the cheapest wins at its bid, the others have their bonds back at once, the winner
 * when it is ready. Throws SceneFailedError and the errors of the actions.
 */
export async function bidsScene(context: StoryContext, providers: StoryProviders): Promise<SceneReport> {
  const bidders = ['bidder-1', 'bidder-2', 'bidder-3'].map((name) => providers.named(name));
  const bond = BigInt(context.market.economy.bids.bondMicro);
  const tenant = context.newActor();
  await inParallel(bidders, bidders.length, ({ owner }) => fundAccount(context, owner, TOKEN, bond));
  const { orderId } = await withBidWindow(context, () =>
    postOrder(context, { tenant, providers: bidders, durationMinutes: 60 }),
  );
  const prices = bidders.map((_, index) => STORY_PRICE_MICRO - (index + 1) * STEP_MICRO);
  await inParallel(bidders, bidders.length, ({ owner, machineId }, index) =>
    owner.act((client) => placeBid(client, { orderId, machineId, priceMicroPerHour: prices[index] as number })),
  );
  for (const { owner, name } of bidders) {
    const { balance, bonds } = await getBalance(owner.client, { account: owner.address, tokenId: TOKEN });
    requireEqual(SCENE, `what ${name} has left beside its bond`, balance, 0n);
    requireEqual(SCENE, `the bond of ${name}`, bonds, bond);
  }
  await context.untilLeased(SCENE, orderId);
  const lease = await getLease(tenant.client, { orderId });
  const winner = bidders.at(-1);
  const price = prices.at(-1);
  if (winner === undefined || price === undefined) throw new RangeError('the scene has no bidders');
  requireEqual(SCENE, 'the winner', lease.providerId, winner.providerId);
  requireEqual(SCENE, 'the price of the lease', lease.priceMicroPerHour, price);
  requireThat(SCENE, 'the lease is marked as won by a bid', lease.fromBid);
  for (const { owner, providerId, name } of bidders.slice(0, -1)) {
    const released = await context.stranger.act((client) => releaseBond(client, { orderId, providerId }));
    requireEqual(SCENE, `the released bond of ${name}`, released.bond, bond);
    const { balance } = await getBalance(owner.client, { account: owner.address, tokenId: TOKEN });
    requireEqual(SCENE, `what ${name} has free after the release`, balance, bond);
  }
  const held = await readMarket(tenant.client, {
    address: tenant.client.contracts.bid,
    abi: iBidAbi,
    functionName: 'heldBids',
    args: [winner.providerId],
  });
  requireEqual(SCENE, "the winner's held bids", held, 1);
  await serveLease(tenant, winner.owner, orderId);
  const released = await context.stranger.act((client) =>
    releaseBond(client, { orderId, providerId: winner.providerId }),
  );
  requireEqual(SCENE, "the winner's released bond", released.bond, bond);
  return {
    scene: SCENE,
    line: `three providers bid below their offer; order ${orderId} went to ${winner.name} at ${formatMicro(price)} instead of ${formatMicro(STORY_PRICE_MICRO)} uSPON per hour; all bonds returned`,
    proofs: [
      {
        orderId,
        shownBy: (rounds) => {
          const best = rounds.at(-1)?.explanation.scores ?? [];
          const isSo =
            best.length === bidders.length &&
            best.every(({ fromBid }) => fromBid) &&
            best[0]?.providerId === winner.providerId;
          return isSo ? `totals ${best.map(({ total }) => total.toExponential(3)).join(' > ')}` : null;
        },
      },
    ],
  };
}
