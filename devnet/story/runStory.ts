import type { PopulatedMarket } from '../populateMarket.js';
import { bidsScene } from './bids.js';
import { complianceScene } from './compliance.js';
import { earlyCloseScene } from './earlyClose.js';
import { maintenanceScene } from './maintenance.js';
import { notReadyScene } from './notReady.js';
import { paidThroughScene } from './paidThrough.js';
import { delegateBeforeEra, rewardScene } from './rewardEra.js';
import { selfMatchScene } from './selfMatch.js';
import { serveTradeScene, type Trade } from './serveTrade.js';
import { slashScene } from './slash.js';
import { StoryProviders, type SceneReport, type StoryContext } from './storyContext.js';
import { STORY_PROVIDERS } from './storyPlan.js';
import { windUpScene } from './windUp.js';

/** Accounts that the story takes beyond those of the trade, its providers included. */
export const STORY_ACCOUNTS = 48;

export interface StoryListeners {
  /** Called with every scene as it is over. */
  readonly onScene: (report: SceneReport) => void;
}

/**
 * Plays the market's whole economy on the running market, with the providers of `storyPlan`: every scene acts through the SDK, waits for the chain, and checks what it
 * claims. Scenes that do not touch each other run side by side. Resolves with their reports in the order in which they are told.
 * Throws SceneFailedError and the errors of the actions.
 */
export async function runStory(
  context: StoryContext,
  populated: PopulatedMarket,
  trade: Trade,
  { onScene }: StoryListeners,
): Promise<readonly SceneReport[]> {
  const providers = new StoryProviders(context, STORY_PROVIDERS, populated);
  const told = async (scene: Promise<SceneReport>): Promise<SceneReport> => {
    const report = await scene;
    onScene(report);
    return report;
  };

  const minute = paidThroughScene(context, providers);
  const paidThrough = told(minute.ended);
  const delegating = delegateBeforeEra(context, providers);
  const slashing = slashScene(context, providers);
  // Looked at later; until then a failure must not count as unheard.
  for (const early of [paidThrough, delegating, slashing]) early.catch(() => undefined);
  const [served, bids, compliance, earlyClose, maintenance, slash] = await Promise.all([
    told(serveTradeScene(context, trade)),
    told(bidsScene(context, providers)),
    told(complianceScene(context, providers)),
    told(earlyCloseScene(context, providers)),
    told(maintenanceScene(context, providers)),
    told(slashing.then(({ report }) => report)),
    minute.started,
    delegating,
  ]);
  // From here on nobody else waits for a match.
  const rewarding = delegating.then((delegator) => rewardScene(context, providers, delegator));
  const [rewards, [notReady, selfMatch], paid] = await Promise.all([
    told(rewarding.then(({ report }) => report)),
    oneAfterAnother(
      () => told(notReadyScene(context, providers)),
      () => told(selfMatchScene(context, providers)),
    ),
    paidThrough,
  ]);
  const { delegator } = await rewarding;
  const { delegator: harmedDelegator } = await slashing;
  const woundUp = await told(windUpScene(context, providers, trade, { delegator, harmedDelegator }));
  return [served, bids, compliance, earlyClose, paid, maintenance, slash, notReady, selfMatch, rewards, woundUp];
}

async function oneAfterAnother<A, B>(first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  return [await first(), await second()];
}
