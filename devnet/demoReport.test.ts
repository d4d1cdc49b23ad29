import { describe, expect, it } from '@jest/globals';
import type { AuditReport } from './auditRun.js';
import { demoResult, passed, reportLines, type RunFindings, type RunMeasurements } from './demoReport.js';
import { tokenAccount } from './tokenAccounts.js';

const audit: AuditReport = {
  rounds: 3,
  settlements: 2,
  matched: 5,
  selfMatched: 0,
  takenRounds: [],
  reopened: 0,
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
  explained: new Map(),
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
    messageHash: '0x',
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
  curve: 'ecdsa',
  chains: 1,
  operators: 4,
  machines: 72,
  orders: 10,
  settlements: [settlement(1, 1, 2, 60_000n, 3), settlement(2, 3, 3, 40_000n, 4)],
  orderToLeaseMs: [1000.4, 2000.6, 3000],
};

const findings: RunFindings = { audit, wholeAudit: audit, scenes: [], sceneMismatches: [], tokens: [], attack: null };

/** One unit in, none out, `held` there. */
function oneUnit(held: bigint): RunFindings['tokens'][number] {
  return tokenAccount({
    symbol: 'uSPON',
    decimals: 6,
    contractName: 'escrow',
    contract: '0x00000000000000000000000000000000000000e5',
    transfers: [
      {
        from: '0x0000000000000000000000000000000000000001',
        to: '0x00000000000000000000000000000000000000e5',
        amount: 1n,
      },
    ],
    balance: held,
    liabilities: held,
    entitlements: [{ kind: 'balances', amount: held }],
    roleOf: () => 'tenants',
  });
}

function differing(audit: AuditReport): RunFindings {
  return { ...findings, audit, wholeAudit: audit };
}

describe('demoResult', () => {
  it('has exactly the documented keys, in their order', () => {
    expect(Object.keys(demoResult(run, findings))).toEqual(
      'curve chains operators machines orders matched unmatched skipped rounds settlements mismatches latencyBlocksP50 latencyBlocksP99 orderToLeaseMsP50 orderToLeaseMsP99 gasPerMatchMean quorumSigners scenes tokensIn tokensOut tokensHeld tokenDifference attack'.split(
        ' ',
      ),
    );
  });

  it('counts blocks from the snapshot to the settlement and gas over all records', () => {
    expect(demoResult(run, { ...findings, tokens: [oneUnit(1n)] })).toEqual({
      curve: 'ecdsa',
      chains: 1,
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
      scenes: 0,
      tokensIn: { uSPON: '1' },
      tokensOut: { uSPON: '0' },
      tokensHeld: { uSPON: '1' },
      tokenDifference: '0',
      attack: null,
    });
  });

  it('has no figures where nothing was settled', () => {
    const empty = demoResult(
      { ...run, settlements: [], orderToLeaseMs: [] },
      differing({ ...audit, matched: 0, settlements: 0 }),
    );
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
    expect(passed(demoResult(run, findings))).toBe(true);
    expect(passed(demoResult(run, differing({ ...audit, skipped: 1 })))).toBe(false);
    expect(passed(demoResult(run, differing({ ...audit, mismatches: ['order 1 was in no closed round'] })))).toBe(
      false,
    );
    expect(passed(demoResult(run, { ...findings, sceneMismatches: ['scene "bids"'] }))).toBe(false);
    expect(passed(demoResult(run, { ...findings, tokens: [oneUnit(0n)] }))).toBe(false);
  });
});

describe('reportLines', () => {
  it('gives every unmatched order with its reason, runs of ids shortened', () => {
    const text = reportLines(demoResult(run, findings), findings).join('\n');
    expect(text).toMatch(/DEVICES\s+4 {2}orders 2-4, 7/);
    expect(text).toMatch(/PRICE\s+1 {2}orders 6/);
    expect(text).toContain('PASSED');
  });

  it('shows the first mismatches and how many more there are', () => {
    const mismatches = Array.from({ length: 25 }, (_, index) => `mismatch ${index}`);
    const failed = differing({ ...audit, mismatches });
    const text = reportLines(demoResult(run, failed), failed).join('\n');
    expect(text).toContain('FAILED');
    expect(text).toContain('mismatch 19');
    expect(text).not.toContain('mismatch 20');
    expect(text).toContain('and 5 more');
  });

  it('tells every scene within the width, and each token to the last unit', () => {
    const scenes = [{ scene: 'bids', line: 'three providers bid below their offer '.repeat(6).trim() }];
    const told = { ...findings, scenes, tokens: [oneUnit(1n)] };
    const lines = reportLines(demoResult(run, told), told);
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    const text = lines.join('\n');
    expect(text).toMatch(/bids {2,}three providers/);
    expect(text).toMatch(/in {4}0\.000001/);
    expect(text).toContain('in = out + held');
    expect(reportLines(demoResult(run, told), { ...told, tokens: [oneUnit(0n)] }).join('\n')).toContain('(DIFFERS)');
  });
});
