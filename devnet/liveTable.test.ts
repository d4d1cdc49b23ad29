import { describe, expect, it } from '@jest/globals';
import { LiveTable, rowLine, type TableRow, type TableStatus } from './liveTable.js';

const row: TableRow = {
  round: 7,
  snapshotBlock: 63,
  settledBlock: 65,
  signatures: 3,
  operators: 4,
  signedPercent: 77,
  leases: 9,
  skipped: 0,
  gasPerMatch: 30_836,
  orderToLeaseMs: 1950.4,
};
const status: TableStatus = { headBlock: 70, openRound: 7, ordersInChain: 4, ordersTotal: 10, leases: 2 };

function table(isTerminal: boolean): { table: LiveTable; written: string[] } {
  const written: string[] = [];
  return { table: new LiveTable({ isTerminal, write: (text) => written.push(text) }), written };
}

describe('LiveTable', () => {
  it('writes one plain line a round, and the headings once, where lines can not be taken back', () => {
    const { table: live, written } = table(false);
    live.update(status, 0);
    live.add(row);
    live.add({ ...row, round: 8, orderToLeaseMs: null });
    expect(written).toHaveLength(3);
    expect(written.join('')).not.toContain('\u001b');
    expect(written[0]).toContain('to lease');
    expect(written[1]?.trim().split(/\s{2,}/)).toEqual([
      '7',
      '63',
      '+2 blocks',
      '3/4',
      '77 %',
      '9',
      '0',
      '30836',
      '1950 ms',
    ]);
    expect(written[2]).toContain(' -\n');
  });

  it('draws over its own lines on a terminal', () => {
    const { table: live, written } = table(true);
    live.update(status, 0);
    live.add(row);
    live.update({ ...status, headBlock: 71 }, 500);
    expect(written).toHaveLength(3);
    expect(written[0]).toContain('block 70');
    expect(written[1]?.startsWith('\u001b[2A')).toBe(true);
    expect(written[2]?.startsWith('\u001b[3A')).toBe(true);
    expect(written[2]).toContain('block 71');
  });

  it('fits eighty columns at the largest numbers, and cuts what a narrower terminal has no room for', () => {
    const widest = { ...row, round: 99_999, snapshotBlock: 9_999_999, settledBlock: 10_000_009, operators: 64 };
    const lines = rowLine({
      ...widest,
      signatures: 64,
      signedPercent: 100,
      gasPerMatch: 500_000,
      orderToLeaseMs: 60_000,
    });
    expect(lines.length).toBeLessThanOrEqual(80);

    const written: string[] = [];
    const narrow = new LiveTable({ isTerminal: true, write: (text) => written.push(text), columns: () => 20 });
    narrow.update(status, 0);
    narrow.add(row);
    for (const line of written.join('').split('\n')) {
      expect(line.replaceAll('\u001b', '').replaceAll(/\[\d*[A-Z]/g, '').length).toBeLessThanOrEqual(20);
    }
  });

  it('keeps what is said above the table, and leaves a frozen table alone', () => {
    const { table: live, written } = table(true);
    live.say('before\n');
    live.update(status, 0);
    live.say('meanwhile\n');
    expect(written[0]).toBe('before\n');
    expect(written[2]).toBe('\u001b[2A\u001b[Jmeanwhile\n');
    expect(written[3]?.startsWith('\u001b[2K')).toBe(true);
    live.freeze();
    live.update({ ...status, headBlock: 99 }, 1_000);
    live.say('after\n');
    expect(written.slice(4)).toEqual(['after\n']);
  });

  it('redraws a terminal at most ten times a second, and keeps the last twelve rounds', () => {
    const { table: live, written } = table(true);
    for (let ms = 0; ms < 1_000; ms++) live.update(status, ms);
    expect(written).toHaveLength(10);
    for (let round = 1; round <= 20; round++) live.add({ ...row, round });
    expect(written.at(-1)?.split('\n')).toHaveLength(1 + 1 + 12 + 1);
  });
});
