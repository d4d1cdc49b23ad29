import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { dueTierChange, TRUST_TIERS } from './trustTier.js';
import type { EraUptime } from './trustTier.js';

function run(count: number, uptimeBps: number, from = 10): EraUptime[] {
  return Array.from({ length: count }, (_, index) => ({ era: from + index, uptimeBps }));
}

/** Spheron's table, typed in once more: tier, uptime above, upgrade eras, downgrade eras. */
const TABLE: readonly [
  tier: number,
  uptimeAboveBps: number,
  upgradeEras: number | null,
  downgradeEras: number | null,
][] = [
  [1, 9900, null, 32],
  [2, 9800, 30, 25],
  [3, 9700, 23, 20],
  [4, 9500, 17, 14],
  [5, 9000, 11, 7],
  [6, 8500, 5, 5],
  [7, 7500, 3, null],
];

describe('a trust tier', () => {
  test('has the rules of the table', () => {
    expect(TRUST_TIERS).toEqual(
      TABLE.map(([tier, uptimeAboveBps, upgradeEras, downgradeEras]) => ({
        tier,
        uptimeAboveBps,
        upgradeEras,
        downgradeEras,
      })),
    );
  });

  test.each(TABLE.filter(([, , upgrade]) => upgrade !== null))(
    '%i rises after its own number of eras',
    (tier, _, eras) => {
      const needed = TABLE[tier - 2]![1] + 1;
      expect(dueTierChange(tier, run(eras!, needed))).toEqual({ from: tier, to: tier - 1, eras });
      expect(dueTierChange(tier, run(eras! - 1, needed))).toBeNull();
      expect(dueTierChange(tier, run(eras!, needed - 1))).toBeNull();
    },
  );

  test.each(TABLE.filter(([, , , downgrade]) => downgrade !== null))(
    '%i falls after its own number of eras',
    (tier, uptime, _, eras) => {
      expect(dueTierChange(tier, run(eras!, uptime))).toEqual({ from: tier, to: tier + 1, eras });
      expect(dueTierChange(tier, run(eras! - 1, uptime))).toBeNull();
      // Above its own threshold it stays; for the lower tiers that may already be enough to rise.
      expect(dueTierChange(tier, run(eras!, uptime + 1))?.to ?? tier).toBeLessThanOrEqual(tier);
    },
  );

  test('1 does not rise and 7 does not fall', () => {
    expect(dueTierChange(1, run(100, 10_000))).toBeNull();
    expect(dueTierChange(7, run(100, 0))).toBeNull();
  });

  test('counts consecutive eras up to the newest only', () => {
    const good = 8501;
    expect(dueTierChange(7, [...run(2, good), ...run(1, good, 13)])).toBeNull();
    expect(dueTierChange(7, [...run(2, good), ...run(1, 0, 12), ...run(2, good, 13)])).toBeNull();
    expect(dueTierChange(7, [...run(3, good), ...run(1, 0, 13)])).toBeNull();
    expect(dueTierChange(7, [...run(1, 0), ...run(3, good, 11)])).toEqual({ from: 7, to: 6, eras: 3 });
    expect(dueTierChange(7, [])).toBeNull();
  });

  test('does not depend on the order of eras, and moves by one', () => {
    const uptimes = fc.array(fc.integer({ min: 7_000, max: 10_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), uptimes, (tier, values) => {
        const eras = values.map((uptimeBps, era) => ({ era, uptimeBps }));
        const due = dueTierChange(tier, eras);
        expect(dueTierChange(tier, eras.toReversed())).toEqual(due);
        if (due !== null) expect(Math.abs(due.to - due.from)).toBe(1);
      }),
    );
  });

  test('outside 1..7 is refused', () => {
    expect(() => dueTierChange(0, [])).toThrow(RangeError);
    expect(() => dueTierChange(8, [])).toThrow(RangeError);
  });
});
