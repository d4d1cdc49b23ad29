import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import type { EconomyParameters } from '../../chain/deploy/marketParameters.js';
import { formatMicro } from '../../sdk/amounts.js';
import { placeBid } from '../../sdk/bids/placeBid.js';
import { writeMarket } from '../../sdk/calls/callMarket.js';
import { getBalance } from '../../sdk/escrow/getBalance.js';
import { endLease } from '../../sdk/leases/endLease.js';
import { getLease } from '../../sdk/leases/getLease.js';
import { withBidWindow } from './bids.js';
import { requireEqual, requireThat, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { fundAccount, postOrder, serveLease } from './storyOrders.js';
import { DEAR_PRICE_MICRO, STORY_PRICE_MICRO } from './storyPlan.js';

const SCENE = 'not ready';
const TOKEN = 1;
/** The time to get ready while the scene waits for it to pass. */
const READY_SECONDS = 3;
/** Far below the other provider's offer. */
const BID_MICRO = 18_000_000;

/**
 * A provider wins by a low bid and lets its time to get ready pass: its bond goes to the tenant, the order is open again, and another
 * machine takes it. Throws SceneFailedError and the errors of the actions.
 */
export async function notReadyScene(context: StoryContext, providers: StoryProviders): Promise<SceneReport> {
  const { leases, bids } = context.market.economy;
  const [late, punctual] = [providers.named('late'), providers.named('punctual')];
  const bond = BigInt(bids.bondMicro);
  const tenant = context.newActor();
  await fundAccount(context, late.owner, TOKEN, bond);
  await setLeaseTerms(context, { ...leases, readySeconds: READY_SECONDS });
  const { orderId } = await withBidWindow(context, () =>
    postOrder(context, { tenant, providers: [late, punctual], durationMinutes: 60 }),
  );
  await late.owner.act((client) =>
    placeBid(client, { orderId, machineId: late.machineId, priceMicroPerHour: BID_MICRO }),
  );
  await context.untilLeased(SCENE, orderId);
  const lost = await getLease(tenant.client, { orderId });
  requireEqual(SCENE, 'the first winner', lost.providerId, late.providerId);
  requireThat(SCENE, 'it won by its bid, below its own offer', lost.fromBid && BID_MICRO < DEAR_PRICE_MICRO);
  // What is matched from here on has the usual time again.
  await setLeaseTerms(context, leases);
  await context.untilTime(SCENE, lost.matchedAtSeconds + READY_SECONDS);
  const ended = await context.stranger.act((client) => endLease(client, { orderId }));
  requireEqual(SCENE, 'why it ended', ended.end, 'NotReady');
  requireEqual(SCENE, 'what it earned', ended.accrued, 0n);
  const { balance } = await getBalance(tenant.client, { account: tenant.address, tokenId: TOKEN });
  requireEqual(SCENE, 'what the tenant got for it', balance, bond);

  await context.untilLeased(SCENE, orderId);
  const second = await getLease(tenant.client, { orderId });
  requireEqual(SCENE, 'the second winner', second.providerId, punctual.providerId);
  requireEqual(SCENE, 'its price', second.priceMicroPerHour, STORY_PRICE_MICRO);
  await serveLease(tenant, punctual.owner, orderId);
  return {
    scene: SCENE,
    line: `provider ${late.providerId} let ${READY_SECONDS} s pass: its bond of ${formatMicro(bids.bondMicro)} uSPON went to the tenant, order ${orderId} went back to matching, and provider ${punctual.providerId} took it`,
    proofs: [
      {
        orderId,
        shownBy: (rounds) => {
          const winners = rounds.flatMap(({ explanation }) => explanation.record?.providerId ?? []);
          return winners.at(-1) === punctual.providerId && winners.includes(late.providerId) ? 'matched twice' : null;
        },
      },
    ],
  };
}

async function setLeaseTerms(context: StoryContext, terms: EconomyParameters['leases']): Promise<void> {
  await context.governor.act((client) =>
    writeMarket(client, {
      address: client.contracts.computeLease,
      abi: iComputeLeaseAbi,
      functionName: 'setLeaseTerms',
      args: [terms],
    }),
  );
}
