import { chargeOnTenantClose, splitAccrued } from '../../protocol/lock.js';
import { getBalance } from '../../sdk/escrow/getBalance.js';
import { closeLease } from '../../sdk/leases/closeLease.js';
import { formatAmount } from '../../sdk/amounts.js';
import { requireEqual, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { decimalsOf, leaseOf, serveLease, storyLock, storySpec } from './storyOrders.js';

const SCENE = 'early close';
/** One with 18 decimals and all fees. */
const TOKEN = 2;
const RUN_SECONDS = 4;

/**
 * A tenant closes an hour's lease after seconds: it pays the minimum charge and fees, and has the rest of its lock back to the unit.
 * Throws SceneFailedError and the errors of the actions.
 */
export async function earlyCloseScene(context: StoryContext, providers: StoryProviders): Promise<SceneReport> {
  const { fees, leases } = context.market.economy;
  const provider = providers.named('steady');
  const tenant = context.newActor();
  const order = { tenant, providers: [provider], durationMinutes: 60, tokenId: TOKEN };
  const { orderId } = await leaseOf(context, SCENE, order);
  const lease = await serveLease(tenant, provider.owner, orderId);
  const [readyAt, paidThrough] = [lease.readyAtSeconds ?? 0, lease.endTimeSeconds ?? 0];
  await context.untilTime(SCENE, readyAt + RUN_SECONDS);

  const providerBefore = await getBalance(tenant.client, { account: provider.owner.address, tokenId: TOKEN });
  const closed = await tenant.act((client) => closeLease(client, { orderId }));
  const meter = {
    readyAtSeconds: readyAt,
    pricedAtSeconds: readyAt,
    paidThroughSeconds: paidThrough,
    priceMicroPerHour: lease.priceMicroPerHour,
    decimals: decimalsOf(TOKEN),
    earnedBefore: 0n,
  };
  const due = chargeOnTenantClose(meter, closed.endTimeSeconds, leases.minimumChargeSeconds);
  const shares = splitAccrued(due, fees);
  const charged = shares.toProvider + shares.toTreasury + shares.toFoundation;
  const refund = storyLock(context, storySpec(order)) - charged;
  requireEqual(SCENE, 'what the lease earned', closed.accrued, due);
  const { balance } = await getBalance(tenant.client, { account: tenant.address, tokenId: TOKEN });
  requireEqual(SCENE, "the tenant's refund", balance, refund);
  const providerAfter = await getBalance(tenant.client, { account: provider.owner.address, tokenId: TOKEN });
  requireEqual(SCENE, "the provider's earnings", providerAfter.balance - providerBefore.balance, shares.toProvider);
  const shown = (units: bigint): string => formatAmount(units, decimalsOf(TOKEN));
  return {
    scene: SCENE,
    line: `order ${orderId} closed ${closed.endTimeSeconds - readyAt} s after ready: ${shown(charged)} DAI charged (minimum ${leases.minimumChargeSeconds} s), ${shown(refund)} DAI back to the unit`,
  };
}
