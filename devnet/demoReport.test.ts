import { describe, expect, it } from '@jest/globals';
import type { AuditReport } from './auditRun.js';
import { demoResult, passed, reportLines, type RunMeasurements } from './demoReport.js';

const audit: AuditReport = {
  rounds: 3,
  settlements: 2,
  matched: 5,
  skipped: 0,
  unmatched: [
    { orderId: 2, reason: 'DEVICES' },
    { orderId: 3, reason: 'DEVICES' },
    { orderId: 4, reason: 'DEVICES' },
    { orderId: 7, reason: 'DEVICES' },
    { orderId: 6, reason: 'PRICE' },
  ],
  lapsedRounds: [],
  lastClosedRound: 9,
  lapsedInLastRound: 0,
  mismatches: [],
};

function settlement(
  round: number,
  latency: number,
  leased: number,
  gasUsed: bigint,
  signers: number,
): RunMeasurements['settlements'][number] {
  return {
    round,
    snapshotBlock: round * 8,
    blockNumber: round * 8 + latency,
    transactionHash: '0x',
    gasUsed,
    leased: Array.from({ length: leased }, (_, index) => index),
    skipped: 0,
    seenAtMs: 0,
    signers,
  };
}

const run: RunMeasurements = {
  operators: 4,
  machines: 72,
  orders: 10,
  settlements: [settlement(1, 1, 2, 60_000n, 3), settlement(2, 3, 3, 40_000n, 4)],
  orderToLeaseMs: [1000.4, 2000.6, 3000],
};

describe('demoResult', () => {
  it('has exactly the documented keys, in their order', () => {
    expect(Object.keys(demoResult(run, audit))).toEqual(
      'operators machines orders matched unmatched skipped rounds settlements mismatches latencyBlocksP50 latencyBlocksP99 orderToLeaseMsP50 orderToLeaseMsP99 gasPerMatchMean quorumSigners'.split(
        ' ',
      ),
    );
  });

  it('counts blocks from the snapshot to the settlement and gas over all records', () => {
    expect(demoResult(run, audit)).toEqual({
      operators: 4,
      machines: 72,
      orders: 10,
      matched: 5,
      unmatched: 5,
      skipped: 0,
      rounds: 3,
      settlements: 2,
      mismatches: 0,
      latencyBlocksP50: 1,
      latencyBlocksP99: 3,
      orderToLeaseMsP50: 2001,
      orderToLeaseMsP99: 3000,
      gasPerMatchMean: 20_000,
      quorumSigners: 3,
    });
  });

  it('has no figures where nothing was settled', () => {
    const empty = demoResult({ ...run, settlements: [], orderToLeaseMs: [] }, { ...audit, matched: 0, settlements: 0 });
    expect([empty.latencyBlocksP50, empty.orderToLeaseMsP99, empty.gasPerMatchMean, empty.quorumSigners]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('passed', () => {
  it('is so without skips and mismatches only', () => {
    expect(passed(demoResult(run, audit))).toBe(true);
    expect(passed(demoResult(run, { ...audit, skipped: 1 }))).toBe(false);
    expect(passed(demoResult(run, { ...audit, mismatches: ['order 1 was in no closed round'] }))).toBe(false);
  });
});

describe('reportLines', () => {
  it('gives every unmatched order with its reason, runs of ids shortened', () => {
    const text = reportLines(demoResult(run, audit), audit).join('\n');
    expect(text).toMatch(/DEVICES\s+4 {2}orders 2-4, 7/);
    expect(text).toMatch(/PRICE\s+1 {2}orders 6/);
    expect(text).toContain('PASSED');
  });

  it('shows the first mismatches and how many more there are', () => {
    const mismatches = Array.from({ length: 25 }, (_, index) => `mismatch ${index}`);
    const failed = { ...audit, mismatches };
    const text = reportLines(demoResult(run, failed), failed).join('\n');
    expect(text).toContain('FAILED');
    expect(text).toContain('mismatch 19');
    expect(text).not.toContain('mismatch 20');
    expect(text).toContain('and 5 more');
  });
});
