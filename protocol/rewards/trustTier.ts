/** What a trust tier asks of a provider. Uptimes in bps; eras are consecutive. */
export interface TrustTierRule {
  readonly tier: number;
  /** An era counts as good for the tier when its uptime is above this. */
  readonly uptimeAboveBps: number;
  /** Good eras for the next better tier after which a provider rises, null for the best. */
  readonly upgradeEras: number | null;
  /** Eras that are not good for the tier after which a provider falls, null for the lowest. */
  readonly downgradeEras: number | null;
}

/** Spheron's table of trust tiers (docs, providers/reward-details). */
export const TRUST_TIERS: readonly TrustTierRule[] = [
  { tier: 1, uptimeAboveBps: 9900, upgradeEras: null, downgradeEras: 32 },
  { tier: 2, uptimeAboveBps: 9800, upgradeEras: 30, downgradeEras: 25 },
  { tier: 3, uptimeAboveBps: 9700, upgradeEras: 23, downgradeEras: 20 },
  { tier: 4, uptimeAboveBps: 9500, upgradeEras: 17, downgradeEras: 14 },
  { tier: 5, uptimeAboveBps: 9000, upgradeEras: 11, downgradeEras: 7 },
  { tier: 6, uptimeAboveBps: 8500, upgradeEras: 5, downgradeEras: 5 },
  { tier: 7, uptimeAboveBps: 7500, upgradeEras: 3, downgradeEras: null },
];

/** Most eras that a rule looks back. */
export const LONGEST_TIER_RUN = 32;

/** One era's uptime, bps; voided eras count as 0. */
export interface EraUptime {
  readonly era: number;
  readonly uptimeBps: number;
}

/** A tier change that is due, and the run of eras that makes it so. */
export interface TierChange {
  readonly from: number;
  readonly to: number;
  /** Consecutive eras, ending with the newest. */
  readonly eras: number;
}

/**
 * The change of tier that is due after the newest of `uptimes`, null for none. Only eras since the last change may be given, in any order;
 * an era without a result ends a run. Rising asks for the better tier's uptime, `upgradeEras` times in a row; falling is due after
 * `downgradeEras` in a row without the own tier's. Throws RangeError for a tier outside 1..7.
 */
export function dueTierChange(tier: number, uptimes: readonly EraUptime[]): TierChange | null {
  const rule = TRUST_TIERS[tier - 1];
  if (rule === undefined) throw new RangeError(`trust tier ${tier} is not 1..7`);
  const newestFirst = [...uptimes].sort((a, b) => b.era - a.era);
  const runOf = (holds: (uptimeBps: number) => boolean): number => {
    const end = newestFirst.findIndex(
      ({ era, uptimeBps }, index) => era !== (newestFirst[0]?.era ?? 0) - index || !holds(uptimeBps),
    );
    return end === -1 ? newestFirst.length : end;
  };
  const better = TRUST_TIERS[tier - 2];
  if (better !== undefined && rule.upgradeEras !== null) {
    const eras = runOf((uptimeBps) => uptimeBps > better.uptimeAboveBps);
    if (eras >= rule.upgradeEras) return { from: tier, to: better.tier, eras };
  }
  if (rule.downgradeEras !== null) {
    const eras = runOf((uptimeBps) => uptimeBps <= rule.uptimeAboveBps);
    if (eras >= rule.downgradeEras) return { from: tier, to: tier + 1, eras };
  }
  return null;
}
