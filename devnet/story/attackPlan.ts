import type { MarketPlan } from '../marketPlan.js';
import { storyPlanOf, STORY_PRICE_MICRO } from './storyPlan.js';

/** Price of a core of the provider that the colluding quorum favours, micro-units per hour: twice the honest one's. */
export const CRONY_PRICE_MICRO = 2 * STORY_PRICE_MICRO;

/** Names of the attack's providers, in the order of its plan. */
export const ATTACK_PROVIDERS = ['honest', 'crony'] as const;

/** Two providers that differ in their price alone. */
export function attackPlan(): MarketPlan {
  return storyPlanOf([
    { name: 'honest', priceMicro: STORY_PRICE_MICRO, audited: false },
    { name: 'crony', priceMicro: CRONY_PRICE_MICRO, audited: false },
  ]);
}
