import { costAmount } from '../../protocol/lock.js';
import { MarketCallRefusedError } from '../../sdk/calls/marketCallRefused.js';
import { endLease } from '../../sdk/leases/endLease.js';
import { getLease } from '../../sdk/leases/getLease.js';
import { topUpLease } from '../../sdk/leases/topUpLease.js';
import { requireEqual, requireThat, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { decimalsOf, leaseOf, serveLease } from './storyOrders.js';
import { STORY_PRICE_MICRO } from './storyPlan.js';

const SCENE = 'paid through';
const TOKEN = 1;
const MINUTES = 1;
/** The lease that goes on is topped up so long before its end. */
const TOP_UP_BEFORE_SECONDS = 15;
const ADDED_MINUTES = 10;

/** Leases of a minute that run while the rest of the story goes on. */
export interface PaidThroughScene {
  /** Resolves when both leases run. */
  readonly started: Promise<void>;
  readonly ended: Promise<SceneReport>;
}

/**
 * Two leases of a minute: one is topped up shortly before its end and goes on, the other has no funds and is ended by a stranger, with
 * every second of its minute paid. Throws SceneFailedError and the errors of the actions.
 */
export function paidThroughScene(context: StoryContext, providers: StoryProviders): PaidThroughScene {
  const started = start(context, providers);
  return {
    started: started.then(() => undefined),
    ended: started.then((leases) => end(context, providers, leases)),
  };
}

interface MinuteLeases {
  readonly poor: number;
  readonly rich: number;
  readonly richTenant: ReturnType<StoryContext['newActor']>;
}

async function start(context: StoryContext, providers: StoryProviders): Promise<MinuteLeases> {
  const provider = providers.named('steady');
  const [tenant, richTenant] = [context.newActor(), context.newActor()];
  const order = { providers: [provider], durationMinutes: MINUTES, tokenId: TOKEN };
  const spare = costAmount(STORY_PRICE_MICRO, ADDED_MINUTES * 60, decimalsOf(TOKEN));
  const [poor, rich] = await Promise.all([
    leaseOf(context, SCENE, { ...order, tenant }),
    leaseOf(context, SCENE, { ...order, tenant: richTenant, spare }),
  ]);
  await Promise.all([
    serveLease(tenant, provider.owner, poor.orderId),
    serveLease(richTenant, provider.owner, rich.orderId),
  ]);
  return { poor: poor.orderId, rich: rich.orderId, richTenant };
}

async function end(
  context: StoryContext,
  providers: StoryProviders,
  { poor, rich, richTenant }: MinuteLeases,
): Promise<SceneReport> {
  const { stranger } = context;
  const before = await getLease(richTenant.client, { orderId: rich });
  const richEnd = before.endTimeSeconds ?? 0;
  await context.untilTime(SCENE, richEnd - TOP_UP_BEFORE_SECONDS);
  const toppedUp = await richTenant.act((client) => topUpLease(client, { orderId: rich, addedMinutes: ADDED_MINUTES }));
  requireEqual(SCENE, 'the end after the top-up', toppedUp.paidThroughSeconds, richEnd + ADDED_MINUTES * 60);

  const { endTimeSeconds, readyAtSeconds, priceMicroPerHour, providerId } = await getLease(stranger.client, {
    orderId: poor,
  });
  requireEqual(SCENE, 'the provider', providerId, providers.named('steady').providerId);
  const poorEnd = endTimeSeconds ?? 0;
  requireEqual(SCENE, 'the paid time of the lease', poorEnd - (readyAtSeconds ?? 0), MINUTES * 60);
  await context.untilTime(SCENE, Math.max(poorEnd, richEnd));
  const ended = await stranger.act((client) => endLease(client, { orderId: poor }));
  requireEqual(SCENE, 'why it ended', ended.end, 'PaidThrough');
  requireEqual(SCENE, 'when it ended', ended.endTimeSeconds, poorEnd);
  const minute = costAmount(priceMicroPerHour, MINUTES * 60, decimalsOf(TOKEN));
  requireEqual(SCENE, 'what it earned', ended.accrued, minute);
  requireThat(SCENE, 'the lease that was topped up cannot be ended', await isRefused(context, rich));
  const running = await getLease(stranger.client, { orderId: rich });
  requireEqual(SCENE, 'the state of the lease that was topped up', running.end, 'None');
  return {
    scene: SCENE,
    line: `order ${poor} had no funds beyond its minute and was ended by a stranger at its paid-through time; order ${rich}, topped up ${TOP_UP_BEFORE_SECONDS} s before its end, goes on`,
  };
}

async function isRefused(context: StoryContext, orderId: number): Promise<boolean> {
  try {
    await context.stranger.act((client) => endLease(client, { orderId }));
    return false;
  } catch (error) {
    return error instanceof MarketCallRefusedError && error.errorName === 'LeaseNotOverdue';
  }
}
