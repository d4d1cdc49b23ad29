import type { Address } from 'viem';
import { EraInputInvalidError } from './eraInput.js';
import type { CumulativeReward, EraInput, ProviderEra } from './eraInput.js';
import { providerPoints } from './providerPoints.js';
import type { PointsSteps } from './providerPoints.js';
import { splitReward } from './splitReward.js';

/** One reason for which an earner is given tokens, with every integer on the way. Amounts are reward token units before scaling. */
export type RewardLine =
  | {
      readonly kind: 'provider';
      readonly providerId: number;
      readonly points: readonly PointsSteps[];
      readonly pointsMilli: bigint;
      readonly microUsd: bigint;
      readonly tokens: bigint;
      readonly commission: bigint;
      readonly ownStake: bigint;
      readonly delegatedStake: bigint;
      readonly amount: bigint;
    }
  | {
      readonly kind: 'delegator';
      readonly providerId: number;
      readonly delegation: bigint;
      readonly amount: bigint;
    }
  | {
      readonly kind: 'operator';
      readonly batches: number;
      readonly totalBatches: number;
      readonly poolMicroUsd: bigint;
      readonly poolTokens: bigint;
      readonly amount: bigint;
    }
  | {
      readonly kind: 'settler';
      readonly settlements: number;
      readonly refundWei: bigint;
      readonly microUsd: bigint;
      readonly amount: bigint;
    };

/** How an earner's cumulative amount came about. */
export interface EarnerExplanation {
  readonly earner: Address;
  readonly lines: readonly RewardLine[];
  /** Sum of the lines, and what of it the cap and the funds allow. */
  readonly earned: bigint;
  readonly added: bigint;
  /** What the root before gave in all. */
  readonly before: bigint;
  /** Unclaimed rewards lost by a forfeit, and those that came to the treasury. */
  readonly forfeited: bigint;
  readonly received: bigint;
  /** Nothing is added in an era that the earner forfeited. */
  readonly forfeitedEra: boolean;
  readonly cumulative: bigint;
}

/** An era's distribution. Leaves and explanations ascend by earner. */
export interface EraRewards {
  readonly leaves: readonly CumulativeReward[];
  readonly cumulativeTotal: bigint;
  readonly baseTotal: bigint;
  /** Sum of all lines, and what of it fits the era's cap and the funds. */
  readonly earnedTotal: bigint;
  readonly limit: bigint;
  readonly addedTotal: bigint;
  readonly explanations: readonly EarnerExplanation[];
}

const WEI = 10n ** 18n;
const POINTS_MILLI = 1000n;

/**
 * Computes an era's cumulative rewards. Exact integers; the result does not depend on the order of any list. After the points
 * (`providerPoints`) every step is rounded down before the next:
 *
 * 1. provider: micro-USD = points x pointMicroUsd / 1000 (points of all its results added up first); tokens = micro-USD x 10^d / price;
 *    commission and stakes as `splitReward` says
 * 2. operators: tokens of the pool = pool x closed eras x 10^d / price; each its batches of all signed batches
 * 3. settlers: wei = sum of min(gas, cap) x min(gas price, cap); micro-USD = wei x native price / 10^18; tokens as above
 * 4. an earner's lines are added up; if the sum of all exceeds min(maxPerEra, funded - given before), each x limit / sum
 * 5. cumulative = before + added; after a forfeit `before` is what was claimed, and the difference is the treasury's
 *
 * Throws EraInputInvalidError when the input contradicts itself.
 */
export function computeEra(input: EraInput): EraRewards {
  requireConsistent(input);
  const { base, terms } = input;
  const lines = new Map<Address, RewardLine[]>();
  const give = (earner: Address, line: RewardLine): void => {
    const known = lines.get(earner);
    if (known === undefined) lines.set(earner, [line]);
    else known.push(line);
  };
  for (const provider of byKey(input.providers, ({ providerId }) => providerId)) giveProvider(input, provider, give);
  giveOperators(input, give);
  giveSettlers(input, give);

  const before = new Map(base.leaves.map(({ earner, cumulative }) => [earner, cumulative]));
  const counted = new Map(before);
  const forfeited = new Map<Address, bigint>();
  let received = 0n;
  for (const { earner, claimed } of input.forfeits) {
    const lost = (counted.get(earner) ?? 0n) - claimed;
    if (lost < 0n) throw new EraInputInvalidError(`forfeit of ${earner}`, 'it has claimed more than it was given');
    counted.set(earner, claimed);
    forfeited.set(earner, (forfeited.get(earner) ?? 0n) + lost);
    received += lost;
  }

  const isForfeited = (earner: Address): boolean => (input.forfeitedUntil.get(earner) ?? -1) >= input.era;
  const earned = new Map<Address, bigint>();
  for (const [earner, own] of lines) {
    earned.set(earner, isForfeited(earner) ? 0n : own.reduce((sum, { amount }) => sum + amount, 0n));
  }
  const earnedTotal = [...earned.values()].reduce((sum, amount) => sum + amount, 0n);
  const unspent = input.totalFunded - base.cumulativeTotal;
  const limit = unspent < terms.maxPerEra ? unspent : terms.maxPerEra;
  const scaled = (amount: bigint): bigint => (earnedTotal > limit ? (amount * limit) / earnedTotal : amount);

  const earners = new Set([...lines.keys(), ...counted.keys(), ...(received > 0n ? [input.treasury] : [])]);
  const explanations = [...earners].sort(byAddress).map((earner): EarnerExplanation => {
    const toTreasury = earner === input.treasury ? received : 0n;
    const own = earned.get(earner) ?? 0n;
    const added = scaled(own);
    return {
      earner,
      lines: lines.get(earner) ?? [],
      earned: own,
      added,
      before: before.get(earner) ?? 0n,
      forfeited: forfeited.get(earner) ?? 0n,
      received: toTreasury,
      forfeitedEra: isForfeited(earner),
      cumulative: (counted.get(earner) ?? 0n) + toTreasury + added,
    };
  });
  const leaves = explanations
    .filter(({ cumulative }) => cumulative > 0n)
    .map(({ earner, cumulative }) => ({ earner, cumulative }));
  return {
    leaves,
    cumulativeTotal: leaves.reduce((sum, { cumulative }) => sum + cumulative, 0n),
    baseTotal: base.cumulativeTotal,
    earnedTotal,
    limit,
    addedTotal: explanations.reduce((sum, { added }) => sum + added, 0n),
    explanations,
  };
}

function giveProvider(input: EraInput, provider: ProviderEra, give: (earner: Address, line: RewardLine) => void): void {
  const { terms, eraSeconds } = input;
  const forfeitedUntil = input.forfeitedUntil.get(provider.owner) ?? null;
  const points = byKey(provider.results, ({ era }) => era).map((result) =>
    providerPoints(provider, result, { terms, eraSeconds, forfeitedUntil }),
  );
  if (points.length === 0) return;
  const pointsMilli = points.reduce((sum, step) => sum + step.pointsMilli, 0n);
  const microUsd = (pointsMilli * terms.pointMicroUsd) / POINTS_MILLI;
  const tokens = tokensOf(input, microUsd);
  const { commission, toOwner, toDelegators } = splitReward(tokens, provider);
  const { providerId, owner, ownStake, delegatedStake } = provider;
  give(owner, {
    kind: 'provider',
    providerId,
    points,
    pointsMilli,
    microUsd,
    tokens,
    commission,
    ownStake,
    delegatedStake,
    amount: toOwner,
  });
  const staked = new Map(provider.delegations.map(({ delegator, amount }) => [delegator, amount]));
  for (const { delegator, amount } of toDelegators) {
    give(delegator, { kind: 'delegator', providerId, delegation: staked.get(delegator) ?? 0n, amount });
  }
}

function giveOperators(input: EraInput, give: (earner: Address, line: RewardLine) => void): void {
  const totalBatches = input.operators.reduce((sum, { batches }) => sum + batches, 0);
  if (totalBatches === 0) return;
  const poolMicroUsd = input.terms.operatorPoolMicroUsd * input.closedEras;
  const poolTokens = tokensOf(input, poolMicroUsd);
  for (const { operator, batches } of input.operators) {
    const amount = (poolTokens * BigInt(batches)) / BigInt(totalBatches);
    give(operator, { kind: 'operator', batches, totalBatches, poolMicroUsd, poolTokens, amount });
  }
}

function giveSettlers(input: EraInput, give: (earner: Address, line: RewardLine) => void): void {
  const { maxRefundGas, maxRefundGasPriceWei } = input.terms;
  const refunds = new Map<Address, { settlements: number; refundWei: bigint }>();
  for (const { settler, gasUsed, effectiveGasPriceWei } of input.settlers) {
    const refund = refunds.get(settler) ?? { settlements: 0, refundWei: 0n };
    refund.settlements += 1;
    refund.refundWei += lesser(gasUsed, maxRefundGas) * lesser(effectiveGasPriceWei, maxRefundGasPriceWei);
    refunds.set(settler, refund);
  }
  for (const [settler, { settlements, refundWei }] of refunds) {
    const microUsd = (refundWei * input.nativeMicroUsd) / WEI;
    give(settler, { kind: 'settler', settlements, refundWei, microUsd, amount: tokensOf(input, microUsd) });
  }
}

function tokensOf(input: EraInput, microUsd: bigint): bigint {
  return (microUsd * 10n ** BigInt(input.rewardTokenDecimals)) / input.rewardTokenMicroUsd;
}

function requireConsistent(input: EraInput): void {
  const { base } = input;
  if (input.eraSeconds <= 0n) throw new EraInputInvalidError('eraSeconds', 'an era has no length');
  if (input.rewardTokenMicroUsd <= 0n) throw new EraInputInvalidError('rewardTokenMicroUsd', 'there is no price');
  if (base.era !== null && base.era >= input.era) {
    throw new EraInputInvalidError('base', `the root of era ${base.era} is not before era ${input.era}`);
  }
  requireDistinct(
    'base leaves',
    base.leaves.map(({ earner }) => earner),
  );
  requireDistinct(
    'providers',
    input.providers.map(({ providerId }) => String(providerId)),
  );
  requireDistinct(
    'operators',
    input.operators.map(({ operator }) => operator),
  );
  requireDistinct(
    'settlements',
    input.settlers.map(({ round }) => String(round)),
  );
  const given = base.leaves.reduce((sum, { cumulative }) => sum + cumulative, 0n);
  if (given > base.cumulativeTotal) {
    throw new EraInputInvalidError(
      'base',
      `its leaves add up to ${given}, more than its total ${base.cumulativeTotal}`,
    );
  }
  if (input.totalFunded < base.cumulativeTotal) {
    throw new EraInputInvalidError('totalFunded', 'the root before gave more than was funded');
  }
  for (const provider of input.providers) {
    const field = `provider ${provider.providerId}`;
    requireDistinct(
      `${field}, delegations`,
      provider.delegations.map(({ delegator }) => delegator),
    );
    requireDistinct(
      `${field}, results`,
      provider.results.map(({ era }) => String(era)),
    );
    const delegated = provider.delegations.reduce((sum, { amount }) => sum + amount, 0n);
    if (delegated > provider.delegatedStake) {
      throw new EraInputInvalidError(
        field,
        `delegations of ${delegated} exceed the pool of ${provider.delegatedStake}`,
      );
    }
  }
}

function requireDistinct(field: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    if (seen.has(key)) throw new EraInputInvalidError(field, `${key} occurs twice`);
    seen.add(key);
  }
}

function byKey<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => number): Entry[] {
  return [...entries].sort((a, b) => keyOf(a) - keyOf(b));
}

function byAddress(a: Address, b: Address): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
