import { loadDefaultPolicy } from '../../devnet/parameters.js';
import type { Policy } from '../../engine/policy.js';

/** Policies that can be measured. */
export const POLICY_NAMES = ['scores', 'scoresWithoutJitter', 'default'] as const;

/** Which policy a figure was measured under. */
export type PolicyName = (typeof POLICY_NAMES)[number];

/** The policy name that a text is. Throws for any other. */
export function policyNamed(text: string): PolicyName {
  const name = POLICY_NAMES.find((known) => known === text);
  if (name === undefined) throw new Error(`no policy is called ${text}: ${POLICY_NAMES.join(', ')}`);
  return name;
}

/** Weights of version 1 of the rules: price, stake, fit, region, uptime and reputation, and no packing. */
const SCORE_WEIGHTS = {
  weightPriceBps: 4500,
  weightStakeBps: 1500,
  weightFitBps: 1500,
  weightRegionBps: 1000,
  weightUptimeBps: 1000,
  weightReputationBps: 500,
} as const;

/**
 * The policies that are measured: the six scores of rules version 1 with the default jitter and with none, and the default policy of
 * config/policies where it follows later rules. All of them match every order of a round.
 */
export function benchPolicies(orderCount: number): ReadonlyMap<PolicyName, Policy> {
  const theDefault = { ...loadDefaultPolicy(), maxMatches: orderCount };
  const scores: Policy = { ...theDefault, ...SCORE_WEIGHTS, rulesVersion: 1, weightPackingBps: 0, packing: null };
  const policies = new Map<PolicyName, Policy>([
    ['scores', scores],
    ['scoresWithoutJitter', { ...scores, jitterRange: 0 }],
  ]);
  if (theDefault.rulesVersion > 1) policies.set('default', theDefault);
  return policies;
}
