import { expect, test } from '@jest/globals';
import { CAMPAIGN_KINDS, runFaultCampaign } from './faultCampaign.js';

/** Every kind once, and as many challenges of honest batches as fit. */
const PLANTED = CAMPAIGN_KINDS.length;
const HONEST_ATTEMPTS = 600;
const SEED = 4;

test('every wrong batch of every kind is slashed, and no honest one (S7, S8, S9)', async () => {
  const result = await runFaultCampaign({
    planted: PLANTED,
    honestAttempts: HONEST_ATTEMPTS,
    seed: SEED,
    rulesVersion: null,
  });
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({
    planted: PLANTED,
    slashed: PLANTED,
    kinds: PLANTED,
    honestAttempts: HONEST_ATTEMPTS,
    honestSlashed: 0,
  });
  // Refusals for anything but the lack of a fault would say little about the rules.
  expect(result.refusals['NoFault']).toBeGreaterThan(HONEST_ATTEMPTS / 2);
  expect(result.refusals['PackingMismatch']).toBeGreaterThan(0);
  expect(Math.min(result.versions[1]!.planted, result.versions[2]!.planted)).toBeGreaterThan(PLANTED / 5);
}, 300_000);
