import { AUDITOR_COUNT, DEVNET_TOKENS, type MachinePlan, type MarketPlan, type ProviderPlan } from '../marketPlan.js';

/** Price of a core in the story, micro-units per hour: 10 000 units of a 6-decimal token a second, so that seconds show. */
export const STORY_PRICE_MICRO = 36_000_000;
/** Price of one that only ever wins by bidding below it. */
export const DEAR_PRICE_MICRO = 72_000_000;
/** What tenants of the story are ready to pay, micro-units per hour. */
export const STORY_MAX_PRICE_MICRO = 144_000_000;

/** A provider of a scene. */
export interface StoryProviderPlan {
  readonly name: string;
  readonly priceMicro: number;
  readonly audited: boolean;
}

const PROVIDERS: readonly StoryProviderPlan[] = [
  { name: 'steady', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'bidder-1', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'bidder-2', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'bidder-3', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'plain', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'audited', priceMicro: STORY_PRICE_MICRO, audited: true },
  { name: 'caretaker', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'offender', priceMicro: STORY_PRICE_MICRO, audited: false },
  { name: 'late', priceMicro: DEAR_PRICE_MICRO, audited: false },
  { name: 'punctual', priceMicro: STORY_PRICE_MICRO, audited: false },
];

const REGION = 1;
/** Pays double, and needs 80 % uptime. */
const TIER = 2;
const SCORES = { uptimeBps: 9_900, reputationBps: 5_200, slashes: 0 };
const REPORT_BPS = 1_000;
const REPORT_DAYS = 365;

/** Names of the story's providers, in the order of the plan. */
export const STORY_PROVIDERS: readonly string[] = PROVIDERS.map(({ name }) => name);

/** Providers of the story: alike in all but what their scene is about, each with one machine without GPU. */
export function storyPlan(): MarketPlan {
  return storyPlanOf(PROVIDERS);
}

/** Such providers of these names and prices. */
export function storyPlanOf(providers: readonly StoryProviderPlan[]): MarketPlan {
  return {
    providers: providers.map(provider),
    machines: providers.map(machine),
    orders: [],
    tenantCount: 0,
    modelNames: new Map(),
  };
}

function provider({ name, audited }: StoryProviderPlan): ProviderPlan {
  return {
    name,
    hostUri: `https://${name}.example:8443`,
    tier: TIER,
    attributes: 0n,
    scores: SCORES,
    extraStakeWhole: 0,
    reports: audited
      ? Array.from({ length: AUDITOR_COUNT }, (_, auditor) => ({
          auditor,
          standard: auditor + 1,
          bps: REPORT_BPS,
          validDays: REPORT_DAYS,
        }))
      : [],
  };
}

function machine({ priceMicro }: StoryProviderPlan, index: number): MachinePlan {
  return {
    provider: index,
    spec: { model: 0, region: REGION, cpuMilli: 32_000, memoryMib: 65_536, storageGib: 1_024, deviceCount: 0 },
    offers: DEVNET_TOKENS.map(({ id }) => ({
      tokenId: id,
      gpuMicroPerHour: 0,
      coreMicroPerHour: priceMicro,
      memoryGibMicroPerHour: 0,
      storageTibMicroPerHour: 0,
    })),
  };
}
