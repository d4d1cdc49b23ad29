import { expect, test } from '@jest/globals';
import { snapshotOf, TODAY } from '../reference/arbitrarySnapshot.js';
import { plainMachine, plainProvider, plainRound } from '../reference/plainRound.js';
import { ProviderTerms } from './providerTerms.js';

function report(lastDay: number, bps: number): number {
  return 2 ** 26 + lastDay * 2 ** 10 + bps;
}

const { market, policy } = (() => {
  const round = plainRound({
    market: {
      providers: [plainProvider({ reports: [report(TODAY, 500), report(TODAY + 2, 200), 0, 0] }), plainProvider()],
      machines: [plainMachine()],
    },
  });
  return { market: snapshotOf(round, 'ascending').market, policy: { ...round.policy, complianceCapBps: 11_000 } };
})();

test('counts reports up to their last day, and tells whose count differs on another day', () => {
  const terms = new ProviderTerms(market, policy, TODAY);
  expect([...terms.complianceBps.subarray(1, 3)]).toEqual([10_700, 10_000]);
  const touched: number[] = [];
  const touch = (provider: number): number => touched.push(provider);
  terms.goTo(TODAY + 1, touch);
  expect(terms.complianceBps[1]).toBe(10_200);
  terms.goTo(TODAY + 2, touch);
  expect(touched).toEqual([1]);
  terms.goTo(TODAY, touch);
  expect(terms.complianceBps[1]).toBe(10_700);
  expect(touched).toEqual([1, 1]);
});

test('reads providers that came since, in columns that grow, and keeps the others', () => {
  const terms = new ProviderTerms(market, policy, TODAY);
  const before = terms.weightedStanding[1];
  for (let provider = 3; provider <= 60; provider++) market.setProvider(provider, plainProvider({ stakeWhole: 0 }));
  terms.readNew();
  expect(terms.count).toBe(60);
  expect(terms.weightedStanding[1]).toBe(before);
  expect(terms.weightedStanding[60]).toBeLessThan(before!);
  expect(terms.complianceBps[60]).toBe(10_000);
});
