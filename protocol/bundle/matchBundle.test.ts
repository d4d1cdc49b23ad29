import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { matchRound } from '../../engine/matchRound.js';
import type { Policy } from '../../engine/policy.js';
import { roundPlanArbitrary, snapshotOf } from '../../engine/reference/arbitrarySnapshot.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { hashMatchBatch } from '../matchBatch.js';
import { hashPolicy } from '../policyHash.js';
import { encodeRecords, hashRecords } from '../records.js';
import { roundSeed } from '../seed.js';
import { decodeBundle } from './decodeBundle.js';
import { bundleAddress, bundleOf, encodeBundle } from './matchBundle.js';
import { verifyBundle } from './verifyBundle.js';

const TERMS = {
  chainId: 31_337,
  settlement: '0x00000000000000000000000000000000000000aa',
  operatorSetKey: `0x${'0b'.repeat(32)}`,
  tableTimestamp: 1_700_000_000,
  tableHash: `0x${'0c'.repeat(32)}`,
} as const;

/** A bundle's text with what the rules make of the snapshot. */
function textOf(snapshot: Snapshot, policy: Policy): { text: string; messageHash: string | null } {
  const records = matchRound(snapshot, policy, roundSeed(snapshot.snapshotHash, snapshot.round));
  const recordsHash = hashRecords(encodeRecords(records));
  const matchCount = records.length;
  const { chainId, settlement, ...named } = TERMS;
  const { round, blockNumber: snapshotBlock, snapshotHash } = snapshot;
  const batch = {
    round,
    snapshotBlock,
    snapshotHash,
    policyHash: hashPolicy(policy),
    ...named,
    recordsHash,
    matchCount,
  };
  const messageHash = matchCount === 0 ? null : hashMatchBatch(batch, { chainId, settlement });
  return {
    text: encodeBundle(bundleOf(snapshot, policy, TERMS, { matchCount, recordsHash, messageHash })),
    messageHash,
  };
}

test('a bundle gives the same digest offline, whatever the market and the order it was read in (S4)', () => {
  fc.assert(
    fc.property(roundPlanArbitrary, (plan) => {
      const { text, messageHash } = textOf(snapshotOf(plan, 'ascending'), plan.policy);
      const contents = decodeBundle(text);
      const verified = verifyBundle(contents);
      expect(verified.holds).toBe(true);
      expect(verified.messageHash).toBe(messageHash);
      expect(encodeBundle(contents.bundle)).toBe(text);
    }),
    { numRuns: 200 },
  );
});

/** A market in which the order goes to a machine. */
function matchedPlan(): { text: string; snapshot: Snapshot; policy: Policy } {
  const [plan] = fc
    .sample(roundPlanArbitrary, { seed: 7, numRuns: 200 })
    .filter(({ market, orders, bids, policy, seed }) => {
      const snapshot = snapshotOf({ market, orders, bids }, 'ascending');
      return matchRound(snapshot, policy, seed).length > 1;
    });
  const snapshot = snapshotOf(plan!, 'ascending');
  return { ...textOf(snapshot, plan!.policy), snapshot, policy: plan!.policy };
}

test('a bundle that claims another result does not hold', () => {
  const { text } = matchedPlan();
  const { bundle } = decodeBundle(text);
  for (const change of [
    { matchCount: bundle.matchCount - 1 },
    { recordsHash: `0x${'11'.repeat(32)}` as const },
    { messageHash: null },
    { tableTimestamp: bundle.tableTimestamp + 1 },
    { snapshotHash: `0x${'22'.repeat(32)}` as const },
  ]) {
    expect(verifyBundle(decodeBundle(encodeBundle({ ...bundle, ...change }))).holds).toBe(false);
  }
});

test('one content has one text and one name', () => {
  const { text } = matchedPlan();
  expect(bundleAddress(text)).toMatch(/^0x[0-9a-f]{64}$/);
  expect(bundleAddress(`${text} `)).not.toBe(bundleAddress(text));
  expect(() => decodeBundle(text.replace('\n', ''))).toThrow('bundle: text is not written as bundles are');
  expect(() => decodeBundle(JSON.stringify(JSON.parse(text)))).toThrow('is not written as bundles are');
});

test('what is no bundle is refused by the field', () => {
  const { text } = matchedPlan();
  const { bundle } = decodeBundle(text);
  const altered = (change: object): string => encodeBundle({ ...bundle, ...change });
  expect(() => decodeBundle('{')).toThrow('bundle: text is not JSON');
  expect(() => decodeBundle(altered({ format: 'matchmaker-bundle/3' }))).toThrow('bundle: format');
  expect(() => decodeBundle(altered({ round: -1 }))).toThrow('bundle: round');
  expect(() => decodeBundle(altered({ snapshotHash: '0x12' }))).toThrow('bundle: snapshotHash');
  expect(() => decodeBundle(altered({ extra: 1 }))).toThrow('bundle: (root)');
  const [first, ...others] = bundle.machines;
  const [id, ...fields] = first!;
  expect(() => decodeBundle(altered({ machines: [[id + 1, ...fields], ...others] }))).toThrow(
    'bundle: machines.0 has id 2',
  );
  const tooMuch = [id, ...fields.with(6, 2 ** 24)];
  expect(() => decodeBundle(altered({ machines: [tooMuch, ...others] }))).toThrow('bundle: rows hold no market');
  const [order, ...rest] = bundle.orders;
  expect(() => decodeBundle(altered({ orders: [order!.with(4, '0x00'), ...rest] }))).toThrow(
    'bundle: orders hold a spec',
  );
});
