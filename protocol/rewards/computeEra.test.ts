import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Address } from 'viem';
import { arbitraryEra, earnerAt, plainProvider, quietEra, REWARD_TERMS } from '../../test/support/eraInputs.js';
import { computeEra } from './computeEra.js';
import type { EraInput, ProviderEra } from './eraInput.js';

const TOKEN = 10n ** 18n;
const OWNER = earnerAt(1);
const ALICE = earnerAt(2);
const BOB = earnerAt(3);

/** Largest q with q x b <= a, by long division on decimal strings: nothing is shared with BigInt's own division. */
function floorDivision(a: bigint, b: bigint): bigint {
  let remainder = 0n;
  let quotient = 0n;
  for (const digit of a.toString()) {
    remainder = remainder * 10n + BigInt(digit);
    let times = 0n;
    while (remainder >= b) {
      remainder -= b;
      times += 1n;
    }
    quotient = quotient * 10n + times;
  }
  return quotient;
}

/** The rule of docs/economy.md written down a second time: earner by earner, everything computed anew for each. */
function slowCumulative(input: EraInput): Map<Address, bigint> {
  const { terms } = input;
  const everyone = new Set<Address>([
    input.treasury,
    ...input.base.leaves.map((leaf) => leaf.earner),
    ...input.forfeits.map((forfeit) => forfeit.earner),
    ...input.operators.map((entry) => entry.operator),
    ...input.settlers.map((entry) => entry.settler),
    ...input.providers.flatMap((one) => [one.owner, ...one.delegations.map((entry) => entry.delegator)]),
  ]);
  const toTokens = (micro: bigint): bigint =>
    floorDivision(micro * 10n ** BigInt(input.rewardTokenDecimals), input.rewardTokenMicroUsd);
  const providerTokens = (one: ProviderEra): bigint => {
    let milli = 0n;
    for (const result of one.results) {
      let resources = 0n;
      for (const category of ['gpu', 'cpu'] as const) {
        let weighted = 0n;
        for (const row of one.resources) if (row.category === category) weighted += row.units * row.multiplierBps;
        resources += floorDivision(
          weighted * (category === 'gpu' ? terms.gpuPointsMilli : terms.cpuPointsMilli),
          10_000n,
        );
      }
      const tiered = floorDivision(resources * terms.tierMultiplierBps[one.tier - 1]!, 10_000n);
      const bonus = one.complianceBps > terms.complianceCapBps ? terms.complianceCapBps : one.complianceBps;
      const compliant = floorDivision(tiered * bonus, 10_000n);
      const lost =
        !one.inService ||
        result.voided ||
        result.eraUptimeBps < terms.slashLineBps[one.tier - 1]! ||
        (input.forfeitedUntil.has(one.owner) && result.era <= input.forfeitedUntil.get(one.owner)!);
      if (!lost) milli += floorDivision(compliant * (input.eraSeconds - result.idleSeconds), input.eraSeconds);
    }
    return toTokens(floorDivision(milli * terms.pointMicroUsd, 1_000n));
  };
  const earnedBy = (earner: Address): bigint => {
    if (input.forfeitedUntil.has(earner) && input.forfeitedUntil.get(earner)! >= input.era) return 0n;
    let sum = 0n;
    for (const one of input.providers) {
      const tokens = providerTokens(one);
      const rest = tokens - floorDivision(tokens * one.commissionBps, 10_000n);
      const stake = one.ownStake + one.delegatedStake;
      let toOwner = tokens;
      for (const { delegator, amount } of one.delegations) {
        const share = stake === 0n ? 0n : floorDivision(rest * amount, stake);
        toOwner -= share;
        if (delegator === earner) sum += share;
      }
      if (one.owner === earner) sum += toOwner;
    }
    let batches = 0n;
    for (const entry of input.operators) batches += BigInt(entry.batches);
    for (const entry of input.operators) {
      if (entry.operator !== earner) continue;
      sum += floorDivision(toTokens(terms.operatorPoolMicroUsd * input.closedEras) * BigInt(entry.batches), batches);
    }
    let wei = 0n;
    for (const { settler, gasUsed, effectiveGasPriceWei } of input.settlers) {
      if (settler !== earner) continue;
      const gas = gasUsed > terms.maxRefundGas ? terms.maxRefundGas : gasUsed;
      const price =
        effectiveGasPriceWei > terms.maxRefundGasPriceWei ? terms.maxRefundGasPriceWei : effectiveGasPriceWei;
      wei += gas * price;
    }
    return sum + toTokens(floorDivision(wei * input.nativeMicroUsd, TOKEN));
  };
  let all = 0n;
  for (const earner of everyone) all += earnedBy(earner);
  const unspent = input.totalFunded - input.base.cumulativeTotal;
  const limit = unspent < terms.maxPerEra ? unspent : terms.maxPerEra;
  const cumulative = new Map<Address, bigint>();
  for (const earner of everyone) {
    const base = input.base.leaves.find((leaf) => leaf.earner === earner)?.cumulative ?? 0n;
    let amount = input.forfeits.find((forfeit) => forfeit.earner === earner)?.claimed ?? base;
    if (earner === input.treasury) {
      for (const forfeit of input.forfeits) {
        const had = input.base.leaves.find((leaf) => leaf.earner === forfeit.earner)?.cumulative ?? 0n;
        amount += had - forfeit.claimed;
      }
    }
    const earned = earnedBy(earner);
    amount += all > limit ? floorDivision(earned * limit, all) : earned;
    if (amount > 0n) cumulative.set(earner, amount);
  }
  return cumulative;
}

function amountOf(input: EraInput, earner: Address): bigint {
  return computeEra(input).leaves.find((leaf) => leaf.earner === earner)?.cumulative ?? 0n;
}

describe('any era', () => {
  test('is what the rule gives when it is followed a second, slower way', () => {
    fc.assert(
      fc.property(arbitraryEra(), (input) => {
        const { leaves } = computeEra(input);
        expect(new Map(leaves.map(({ earner, cumulative }) => [earner, cumulative]))).toEqual(slowCumulative(input));
      }),
      { numRuns: 1_000 },
    );
  });

  test('does not depend on the order of its lists', () => {
    fc.assert(
      fc.property(arbitraryEra(), (input) => {
        const mirrored: EraInput = {
          ...input,
          base: { ...input.base, leaves: input.base.leaves.toReversed() },
          providers: input.providers
            .map((one) => ({
              ...one,
              delegations: one.delegations.toReversed(),
              resources: one.resources.toReversed(),
              results: one.results.toReversed(),
            }))
            .toReversed(),
          operators: input.operators.toReversed(),
          settlers: input.settlers.toReversed(),
        };
        const [a, b] = [computeEra(input), computeEra(mirrored)];
        expect(b.leaves).toEqual(a.leaves);
        expect(b.explanations.map(({ cumulative }) => cumulative)).toEqual(
          a.explanations.map(({ cumulative }) => cumulative),
        );
      }),
    );
  });

  test('adds at most the cap and what is funded, and the total never falls', () => {
    fc.assert(
      fc.property(arbitraryEra(), (input) => {
        const { leaves, cumulativeTotal, addedTotal, limit } = computeEra(input);
        expect(addedTotal <= limit).toBe(true);
        expect(addedTotal <= input.terms.maxPerEra).toBe(true);
        expect(cumulativeTotal).toBe(input.base.cumulativeTotal + addedTotal);
        expect(cumulativeTotal <= input.totalFunded).toBe(true);
        expect(leaves.reduce((sum, leaf) => sum + leaf.cumulative, 0n)).toBe(cumulativeTotal);
        expect(leaves.map(({ earner }) => earner)).toEqual(leaves.map(({ earner }) => earner).sort());
      }),
    );
  });

  test('explains every amount', () => {
    fc.assert(
      fc.property(arbitraryEra(), (input) => {
        for (const entry of computeEra(input).explanations) {
          const lines = entry.lines.reduce((sum, { amount }) => sum + amount, 0n);
          expect(entry.earned).toBe(entry.forfeitedEra ? 0n : lines);
          expect(entry.cumulative).toBe(entry.before - entry.forfeited + entry.received + entry.added);
        }
      }),
    );
  });
});

describe('worked by hand', () => {
  const gpu = (units: bigint, multiplierBps: bigint) =>
    ({ resourceId: 1, category: 'gpu', units, multiplierBps }) as const;
  const cpu = (units: bigint) => ({ resourceId: 2, category: 'cpu', units, multiplierBps: 10_000n }) as const;

  test('two GPUs of High 2 at the 3x of the table and 32 cores, tier 3: (2 x 3 x 20 + 32 x 0.1) x 1.5 = 184.8 points', () => {
    const provider = plainProvider({ tier: 3, resources: [gpu(2n, 30_000n), cpu(32n)] });
    const input = quietEra({ providers: [provider] });
    const [line] = computeEra(input).explanations[0]!.lines;
    expect(line).toMatchObject({ kind: 'provider', pointsMilli: 184_800n, microUsd: 1_848_000n });
    // $1.848 at $0.50 a token.
    expect(amountOf(input, OWNER)).toBe((3_696n * TOKEN) / 1_000n);
  });

  test('compliance of 1.15 and an hour away: 20 x 1 x 1.15 x 23/24 = 22.041 points', () => {
    const provider = plainProvider({
      complianceBps: 11_500n,
      resources: [gpu(1n, 10_000n)],
      results: [{ era: 5, eraUptimeBps: 9_000n, idleSeconds: 3_600n, voided: false }],
    });
    const [line] = computeEra(quietEra({ providers: [provider] })).explanations[0]!.lines;
    // 22.041666.. is cut to thousandths.
    expect(line).toMatchObject({ pointsMilli: 22_041n, microUsd: 220_410n });
  });

  test('compliance above the cap counts as the cap', () => {
    const input = (complianceBps: bigint): EraInput =>
      quietEra({ providers: [plainProvider({ complianceBps, resources: [gpu(1n, 10_000n)] })] });
    expect(amountOf(input(14_000n), OWNER)).toBe(amountOf(input(12_000n), OWNER));
    expect(amountOf(input(11_999n), OWNER)).toBeLessThan(amountOf(input(12_000n), OWNER));
  });

  test('the slash line is the tier’s, and is not below itself; tier 7 earns nothing', () => {
    const at = (tier: number, eraUptimeBps: bigint): bigint =>
      amountOf(
        quietEra({
          providers: [
            plainProvider({
              tier,
              resources: [gpu(1n, 10_000n)],
              results: [{ era: 5, eraUptimeBps, idleSeconds: 0n, voided: false }],
            }),
          ],
        }),
        OWNER,
      );
    [8_500n, 8_000n, 7_500n, 7_000n, 6_500n, 6_000n].forEach((line, index) => {
      expect(at(index + 1, line)).toBeGreaterThan(0n);
      expect(at(index + 1, line - 1n)).toBe(0n);
    });
    expect(at(7, 10_000n)).toBe(0n);
  });

  test('voided, suspended and unmeasured providers earn nothing', () => {
    const resources = [gpu(1n, 10_000n)];
    const result = { era: 5, eraUptimeBps: 10_000n, idleSeconds: 0n, voided: true };
    expect(amountOf(quietEra({ providers: [plainProvider({ resources, results: [result] })] }), OWNER)).toBe(0n);
    expect(amountOf(quietEra({ providers: [plainProvider({ resources, inService: false })] }), OWNER)).toBe(0n);
    expect(amountOf(quietEra({ providers: [plainProvider({ resources, results: [] })] }), OWNER)).toBe(0n);
  });

  test('a result that came too late for its own era is paid with the next', () => {
    const late = { era: 4, eraUptimeBps: 10_000n, idleSeconds: 0n, voided: false };
    const one = plainProvider({ resources: [gpu(1n, 10_000n)] });
    const both = plainProvider({ ...one, results: [...one.results, late] });
    expect(amountOf(quietEra({ providers: [both] }), OWNER)).toBe(2n * amountOf(quietEra({ providers: [one] }), OWNER));
  });

  test('20 % commission, the rest by stake: 600 own, 300 and 100 delegated of 40 tokens give 27.2, 9.6 and 3.2', () => {
    const provider = plainProvider({
      resources: [gpu(100n, 10_000n)],
      commissionBps: 2_000n,
      ownStake: 600n,
      delegatedStake: 400n,
      delegations: [
        { delegator: ALICE, amount: 300n },
        { delegator: BOB, amount: 100n },
      ],
    });
    const input = quietEra({ providers: [provider] });
    expect(amountOf(input, OWNER)).toBe((272n * TOKEN) / 10n);
    expect(amountOf(input, ALICE)).toBe((96n * TOKEN) / 10n);
    expect(amountOf(input, BOB)).toBe((32n * TOKEN) / 10n);
  });

  test('operators share the pool by batches signed: 3 and 1 of $1000 at $0.50', () => {
    const input = quietEra({
      operators: [
        { operator: ALICE, batches: 3 },
        { operator: BOB, batches: 1 },
      ],
    });
    expect(amountOf(input, ALICE)).toBe(1_500n * TOKEN);
    expect(amountOf(input, BOB)).toBe(500n * TOKEN);
    expect(amountOf({ ...input, closedEras: 2n }, BOB)).toBe(1_000n * TOKEN);
  });

  test('a settlement of 1 M gas at 2 gwei costs $6, which are 12 tokens; gas and price are capped', () => {
    const settle = (gasUsed: bigint, effectiveGasPriceWei: bigint): bigint =>
      amountOf(quietEra({ settlers: [{ settler: ALICE, round: 1, gasUsed, effectiveGasPriceWei }] }), ALICE);
    expect(settle(1_000_000n, 2n * 10n ** 9n)).toBe(12n * TOKEN);
    expect(settle(17_000_000n, 2n * 10n ** 9n)).toBe(settle(16_000_000n, 2n * 10n ** 9n));
    expect(settle(1_000_000n, 11n * 10n ** 9n)).toBe(settle(1_000_000n, 10n ** 10n));
  });

  test('above the cap, or the funds, all are scaled down alike', () => {
    const operators = [
      { operator: ALICE, batches: 3 },
      { operator: BOB, batches: 1 },
    ];
    const capped = quietEra({ operators, terms: { ...REWARD_TERMS, maxPerEra: 1_000n } });
    expect([amountOf(capped, ALICE), amountOf(capped, BOB)]).toEqual([750n, 250n]);
    const poor = quietEra({ operators, totalFunded: 101n });
    expect([amountOf(poor, ALICE), amountOf(poor, BOB)]).toEqual([75n, 25n]);
  });

  test('a forfeit gives the unclaimed to the treasury, and later eras count from what was claimed', () => {
    const base = { era: 4, cumulativeTotal: 100n, leaves: [{ earner: OWNER, cumulative: 100n }] };
    const input = quietEra({
      base,
      totalFunded: 10n ** 24n,
      forfeits: [{ earner: OWNER, claimed: 40n }],
      forfeitedUntil: new Map([[OWNER, 5]]),
      providers: [plainProvider({ resources: [gpu(1n, 10_000n)] })],
    });
    const forfeited = computeEra(input);
    expect(forfeited.leaves).toEqual([
      { earner: OWNER, cumulative: 40n },
      { earner: input.treasury, cumulative: 60n },
    ]);
    const later = quietEra({
      era: 6,
      base: { era: 5, cumulativeTotal: 100n, leaves: forfeited.leaves },
      forfeitedUntil: new Map([[OWNER, 5]]),
      providers: [
        plainProvider({
          resources: [gpu(1n, 10_000n)],
          results: [6, 5].map((era) => ({ era, eraUptimeBps: 10_000n, idleSeconds: 0n, voided: false })),
        }),
      ],
    });
    // Era 5 stays lost; era 6 is 20 points, $0.20, 0.4 tokens.
    expect(amountOf(later, OWNER)).toBe(40n + (4n * TOKEN) / 10n);
  });
});

describe('each division is rounded down where it stands', () => {
  const result = { era: 5, eraUptimeBps: 10_000n, idleSeconds: 0n, voided: false };
  const linesOf = (change: Partial<EraInput>) =>
    computeEra(quietEra(change)).explanations.flatMap((entry) => [...entry.lines]);

  test.each([
    ['category', { gpuPointsMilli: 19_999n }, {}, { gpuPointsMilli: 1n }],
    ['tier', { gpuPointsMilli: 10_000n, tierMultiplierBps: Array<bigint>(7).fill(19_999n) }, {}, { tieredMilli: 1n }],
    ['compliance', { gpuPointsMilli: 10_000n }, { complianceBps: 11_999n }, { compliantMilli: 1n }],
    ['active share', { gpuPointsMilli: 10_000n }, { results: [{ ...result, idleSeconds: 1n }] }, { pointsMilli: 0n }],
  ])('%s', (_, terms, provider, expected) => {
    const [line] = linesOf({
      terms: { ...REWARD_TERMS, ...terms },
      providers: [
        plainProvider({
          resources: [{ resourceId: 1, category: 'gpu', units: 1n, multiplierBps: 1n }],
          ...provider,
        }),
      ],
    });
    expect(line?.kind === 'provider' ? line.points[0] : null).toMatchObject(expected);
  });

  test('micro-USD and tokens of a provider', () => {
    const [line] = linesOf({
      terms: { ...REWARD_TERMS, gpuPointsMilli: 1_999n, pointMicroUsd: 3n },
      rewardTokenMicroUsd: 3n,
      rewardTokenDecimals: 0,
      providers: [
        plainProvider({ resources: [{ resourceId: 1, category: 'gpu', units: 1n, multiplierBps: 10_000n }] }),
      ],
    });
    // 5.997 micro-USD, 5 / 3 tokens.
    expect(line).toMatchObject({ microUsd: 5n, tokens: 1n });
  });

  test('commission and delegators; the rest is the owner’s', () => {
    const lines = linesOf({
      terms: { ...REWARD_TERMS, gpuPointsMilli: 9_000n, pointMicroUsd: 1n },
      rewardTokenMicroUsd: 1n,
      rewardTokenDecimals: 0,
      providers: [
        plainProvider({
          resources: [{ resourceId: 1, category: 'gpu', units: 1n, multiplierBps: 10_000n }],
          commissionBps: 2_000n,
          ownStake: 1n,
          delegatedStake: 2n,
          delegations: [
            { delegator: ALICE, amount: 1n },
            { delegator: BOB, amount: 1n },
          ],
        }),
      ],
    });
    // 9 tokens: 1.8 commission, 8 / 3 each.
    expect(lines.map((line) => [line.kind, line.amount])).toEqual([
      ['provider', 5n],
      ['delegator', 2n],
      ['delegator', 2n],
    ]);
    expect(lines[0]).toMatchObject({ tokens: 9n, commission: 1n });
  });

  test('operators, settlers and the scaling', () => {
    const change: Partial<EraInput> = {
      terms: { ...REWARD_TERMS, operatorPoolMicroUsd: 11n },
      rewardTokenMicroUsd: 1n,
      rewardTokenDecimals: 0,
      nativeMicroUsd: 10n ** 6n,
      operators: [
        { operator: ALICE, batches: 1 },
        { operator: BOB, batches: 2 },
      ],
      settlers: [{ settler: OWNER, round: 1, gasUsed: 3n, effectiveGasPriceWei: 10n ** 12n }],
    };
    // 11 / 3 and 22 / 3; 3 x 10^10 wei (capped price) are 0.03 micro-USD.
    expect(linesOf(change).map((line) => line.amount)).toEqual([0n, 3n, 7n]);
    const scaled = computeEra(quietEra({ ...change, totalFunded: 7n }));
    expect(scaled.explanations.map(({ added }) => added)).toEqual([0n, 2n, 4n]);
    expect(scaled.addedTotal).toBe(6n);
  });
});

describe('an input that contradicts itself is refused', () => {
  const delegation = { delegator: ALICE, amount: 1n };
  const result = { era: 5, eraUptimeBps: 1n, idleSeconds: 0n, voided: false };
  const base = { era: 4, cumulativeTotal: 1n, leaves: [{ earner: OWNER, cumulative: 1n }] };
  test.each<[string, Partial<EraInput>]>([
    ['no era', { eraSeconds: 0n }],
    ['no price', { rewardTokenMicroUsd: 0n }],
    ['a base of the same era', { base: { ...base, era: 5 } }],
    ['leaves beyond the base’s total', { base: { ...base, cumulativeTotal: 0n } }],
    [
      'an earner twice in the base',
      { base: { ...base, cumulativeTotal: 2n, leaves: [base.leaves[0]!, base.leaves[0]!] } },
    ],
    ['a base beyond the funds', { base, totalFunded: 0n }],
    ['a provider twice', { providers: [plainProvider(), plainProvider()] }],
    ['a tier 8', { providers: [plainProvider({ tier: 8 })] }],
    ['an era of more idle seconds', { providers: [plainProvider({ results: [{ ...result, idleSeconds: 86_401n }] })] }],
    ['a result twice', { providers: [plainProvider({ results: [result, result] })] }],
    ['delegations beyond the pool', { providers: [plainProvider({ delegations: [delegation] })] }],
    [
      'a delegator twice',
      { providers: [plainProvider({ delegatedStake: 2n, delegations: [delegation, delegation] })] },
    ],
    ['an operator twice', { operators: [1, 2].map((batches) => ({ operator: ALICE, batches })) }],
    [
      'a settlement twice',
      { settlers: [ALICE, BOB].map((settler) => ({ settler, round: 1, gasUsed: 1n, effectiveGasPriceWei: 1n })) },
    ],
    ['a claim beyond the leaf', { base, forfeits: [{ earner: OWNER, claimed: 2n }] }],
  ])('%s', (_, change) => {
    expect(() => computeEra(quietEra(change))).toThrow(expect.objectContaining({ code: 'ERA_INPUT_INVALID' }));
  });
});
