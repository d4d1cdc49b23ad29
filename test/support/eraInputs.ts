import * as fc from 'fast-check';
import type { Address } from 'viem';
import type { EraInput, ProviderEra, RewardTerms } from '../../protocol/rewards/eraInput.js';

/** Address number `index`. */
export function earnerAt(index: number): Address {
  return `0x${index.toString(16).padStart(40, '0')}`;
}

/** Terms with the numbers of Spheron's documents and a point worth one cent. */
export const REWARD_TERMS: RewardTerms = {
  gpuPointsMilli: 20_000n,
  cpuPointsMilli: 100n,
  tierMultiplierBps: [20_000n, 17_000n, 15_000n, 12_000n, 11_000n, 10_000n, 0n],
  slashLineBps: [8_500n, 8_000n, 7_500n, 7_000n, 6_500n, 6_000n, 0n],
  complianceCapBps: 12_000n,
  pointMicroUsd: 10_000n,
  operatorPoolMicroUsd: 1_000_000_000n,
  maxRefundGasPriceWei: 10_000_000_000n,
  maxRefundGas: 16_000_000n,
  maxPerEra: 10n ** 24n,
};

/** An era in which nobody did anything: a token of 50 cents with 18 decimals, funded with a million. */
export function quietEra(change: Partial<EraInput> = {}): EraInput {
  return {
    chainId: 31_337,
    rewarder: earnerAt(0xf00),
    era: 5,
    eraSeconds: 86_400n,
    closedEras: 1n,
    terms: REWARD_TERMS,
    rewardTokenMicroUsd: 500_000n,
    nativeMicroUsd: 3_000_000_000n,
    rewardTokenDecimals: 18,
    totalFunded: 10n ** 24n,
    treasury: earnerAt(0xfee),
    base: { era: null, cumulativeTotal: 0n, leaves: [] },
    forfeits: [],
    forfeitedUntil: new Map(),
    providers: [],
    operators: [],
    settlers: [],
    ...change,
  };
}

/** A provider of tier 6 without reports, commission, delegators or hardware, measured once. */
export function plainProvider(change: Partial<ProviderEra> = {}): ProviderEra {
  return {
    providerId: 1,
    owner: earnerAt(1),
    inService: true,
    tier: 6,
    complianceBps: 10_000n,
    commissionBps: 0n,
    ownStake: 1_000n,
    delegatedStake: 0n,
    delegations: [],
    resources: [],
    results: [{ era: 5, eraUptimeBps: 10_000n, idleSeconds: 0n, voided: false }],
    ...change,
  };
}

const earner = fc.integer({ min: 1, max: 12 }).map(earnerAt);

function provider(providerId: number): fc.Arbitrary<ProviderEra> {
  return fc
    .record({
      owner: earner,
      inService: fc.boolean(),
      tier: fc.integer({ min: 1, max: 7 }),
      complianceBps: fc.bigInt({ min: 10_000n, max: 14_000n }),
      commissionBps: fc.bigInt({ min: 0n, max: 10_000n }),
      ownStake: fc.bigInt({ min: 0n, max: 10n ** 24n }),
      delegations: fc.uniqueArray(fc.record({ delegator: earner, amount: fc.bigInt({ min: 0n, max: 10n ** 24n }) }), {
        maxLength: 4,
        selector: ({ delegator }) => delegator,
      }),
      dust: fc.bigInt({ min: 0n, max: 3n }),
      resources: fc.array(
        fc.record({
          resourceId: fc.integer({ min: 1, max: 90 }),
          category: fc.constantFrom<'cpu' | 'gpu'>('cpu', 'gpu'),
          units: fc.bigInt({ min: 1n, max: 1_000n }),
          multiplierBps: fc.bigInt({ min: 1n, max: 150_000n }),
        }),
        { maxLength: 5 },
      ),
      results: fc.uniqueArray(
        fc.record({
          era: fc.integer({ min: 0, max: 5 }),
          eraUptimeBps: fc.bigInt({ min: 5_000n, max: 10_000n }),
          idleSeconds: fc.bigInt({ min: 0n, max: 86_400n }),
          voided: fc.integer({ min: 0, max: 3 }).map((value) => value === 0),
        }),
        { maxLength: 3, selector: ({ era }) => era },
      ),
    })
    .map(({ dust, ...fields }) => ({
      ...fields,
      providerId,
      delegatedStake: fields.delegations.reduce((sum, { amount }) => sum + amount, dust),
    }));
}

/** Any era that a chain can show: several providers of one owner, late results, forfeits, low funds, tokens of few decimals. */
export function arbitraryEra(): fc.Arbitrary<EraInput> {
  return fc
    .record({
      closedEras: fc.bigInt({ min: 1n, max: 3n }),
      rewardTokenMicroUsd: fc.bigInt({ min: 1n, max: 10n ** 9n }),
      nativeMicroUsd: fc.bigInt({ min: 1n, max: 10n ** 11n }),
      rewardTokenDecimals: fc.constantFrom(0, 6, 18),
      maxPerEra: fc.bigInt({ min: 0n, max: 10n ** 25n }),
      unspent: fc.bigInt({ min: 0n, max: 10n ** 24n }),
      leaves: fc.uniqueArray(fc.record({ earner, cumulative: fc.bigInt({ min: 1n, max: 10n ** 20n }) }), {
        maxLength: 6,
        selector: (leaf) => leaf.earner,
      }),
      forfeiting: fc.uniqueArray(fc.record({ earner, share: fc.bigInt({ min: 0n, max: 100n }) }), {
        maxLength: 2,
        selector: (forfeit) => forfeit.earner,
      }),
      untilEra: fc.integer({ min: 3, max: 6 }),
      providers: fc.tuple(provider(1), provider(2), provider(3)),
      operators: fc.uniqueArray(fc.record({ operator: earner, batches: fc.integer({ min: 1, max: 500 }) }), {
        maxLength: 4,
        selector: ({ operator }) => operator,
      }),
      settlers: fc.uniqueArray(
        fc.record({
          settler: earner,
          round: fc.integer({ min: 1, max: 1_000 }),
          gasUsed: fc.bigInt({ min: 21_000n, max: 30_000_000n }),
          effectiveGasPriceWei: fc.bigInt({ min: 0n, max: 10n ** 12n }),
        }),
        { maxLength: 5, selector: ({ round }) => round },
      ),
    })
    .map(({ maxPerEra, unspent, leaves, forfeiting, untilEra, ...fields }) => {
      const given = leaves.reduce((sum, { cumulative }) => sum + cumulative, 0n);
      const before = new Map(leaves.map((leaf) => [leaf.earner, leaf.cumulative]));
      return quietEra({
        ...fields,
        terms: { ...REWARD_TERMS, maxPerEra },
        totalFunded: given + unspent,
        base: { era: leaves.length === 0 ? null : 2, cumulativeTotal: given, leaves },
        forfeits: forfeiting.map((forfeit) => ({
          earner: forfeit.earner,
          claimed: ((before.get(forfeit.earner) ?? 0n) * forfeit.share) / 100n,
        })),
        forfeitedUntil: new Map(forfeiting.map((forfeit) => [forfeit.earner, untilEra])),
      });
    });
}
