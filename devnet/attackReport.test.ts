import { describe, expect, it } from '@jest/globals';
import type { MatchRecord } from '../engine/record.js';
import { attackLines, attackResult, type AttackReport } from './attackReport.js';

const SPON = 10n ** 18n;

const honest: MatchRecord = {
  orderId: 171,
  machineId: 25,
  providerId: 5,
  priceMicroPerHour: 36_000_000,
  deviceMask: 0,
  milliGpu: 0,
  cpuMilli: 1_000,
  memoryMib: 0,
  storageGib: 0,
  offerIndex: 0,
  fromBid: false,
  tokenId: 1,
  bidIndex: 0,
};

const report: AttackReport = {
  planted: {
    round: 42,
    messageHash: `0x${'11'.repeat(32)}`,
    settled: { ...honest, machineId: 26, providerId: 6, priceMicroPerHour: 72_000_000 },
    honest,
  },
  offenceId: `0x${'22'.repeat(32)}`,
  fault: 'betterCandidate',
  provenAtBlock: 350,
  stakes: [
    { name: 'operator-1', signed: true, before: 30_000n * SPON, after: 15_000n * SPON },
    { name: 'operator-2', signed: true, before: 27_000n * SPON, after: 27_000n * SPON },
    { name: 'operator-3', signed: false, before: 20_000n * SPON, after: 20_000n * SPON },
  ],
  collected: 15_000n * SPON,
  challenger: { address: `0x${'c1'.repeat(20)}`, paid: 1_500n * SPON },
  tenant: { address: `0x${'7e'.repeat(20)}`, loss: 2_880n * SPON, paid: 2_000n * SPON },
  rest: 11_500n * SPON,
  later: { round: 50, orderId: 172, machineId: 25 },
};

describe('attackResult', () => {
  it('adds up the signers alone, and counts as slashed who has less than before', () => {
    expect(attackResult(report)).toEqual({
      round: 42,
      orderId: 171,
      fault: 'betterCandidate',
      offenceId: report.offenceId,
      signers: 2,
      slashed: 1,
      stakeBefore: (57_000n * SPON).toString(),
      stakeAfter: (42_000n * SPON).toString(),
      collected: (15_000n * SPON).toString(),
      paidToChallenger: (1_500n * SPON).toString(),
      tenantLoss: (2_880n * SPON).toString(),
      paidToTenant: (2_000n * SPON).toString(),
      leftInVault: (11_500n * SPON).toString(),
      laterRound: 50,
    });
  });
});

describe('attackLines', () => {
  it('tells within the width what was done, who signed it, who lost what and who was paid', () => {
    const lines = attackLines(report, ['three of four were in it']);
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    const text = lines.map((line) => line.trim()).join(' ');
    expect(text).toContain('three of four were in it');
    expect(text).toMatch(/round 42 +order 171 was settled on machine 26 of provider 6 for 72 uSPON per hour;/);
    expect(text).toMatch(/the rules give it machine 25 of provider 5 for 36 uSPON per hour/);
    expect(text).toMatch(/betterCandidate: another machine was eligible and scored higher; proven in block 350/);
    expect(text).toMatch(/operator-1 +signed it: 30000 SPON allocated before, 15000 SPON after/);
    expect(text).toMatch(/operator-3 +did not sign: 20000 SPON as before/);
    expect(text).toMatch(/2000 SPON of a loss of 2880 SPON paid to 0x7e7e/);
    expect(text).toMatch(/1500 SPON paid to 0xc1c1/);
    expect(text).toMatch(/round 50, and order 172/);
  });
});
