import { expect, test } from '@jest/globals';
import { runRulesCampaign } from './rulesCampaign.js';

const VECTORS = 100_000;
const SEED = 2;

test('engine and judge agree on 100,000 random pairs of an order and a machine (S4)', async () => {
  const { vectors, mismatches, problems, reasons, versions } = await runRulesCampaign({ vectors: VECTORS, seed: SEED });
  expect(problems).toEqual([]);
  expect(mismatches).toBe(0);
  expect(vectors).toBeGreaterThanOrEqual(VECTORS);
  // Either version has a good part of them.
  expect(Math.min(versions[1]!, versions[2]!)).toBeGreaterThan(VECTORS / 3);
  // Every filter was met, and scores were compared.
  expect(Object.keys(reasons)).toHaveLength(20);
  expect(reasons['none']).toBeGreaterThan(VECTORS / 50);
}, 300_000);
