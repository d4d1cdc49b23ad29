import { BPS, EraInputInvalidError } from './eraInput.js';
import type { ProviderEra, ProviderResult, RewardTerms } from './eraInput.js';

/** Why a result earns nothing. */
export type NoPointsReason = 'not in service' | 'voided' | 'forfeited' | 'below the slash line';

/** The integers of one result, in the order in which they are computed; points are in thousandths. */
export interface PointsSteps {
  readonly era: number;
  readonly gpuPointsMilli: bigint;
  readonly cpuPointsMilli: bigint;
  readonly tierMultiplierBps: bigint;
  readonly tieredMilli: bigint;
  readonly complianceBps: bigint;
  readonly compliantMilli: bigint;
  readonly eraUptimeBps: bigint;
  readonly slashLineBps: bigint;
  readonly activeSeconds: bigint;
  readonly reason: NoPointsReason | null;
  readonly pointsMilli: bigint;
}

/**
 * Points of a provider for one result, thousandths. Each step is rounded down before the next:
 *
 * 1. a category's points: sum(units x multiplierBps) x base / 10000
 * 2. x the trust tier's multiplier / 10000
 * 3. x min(compliance, cap) / 10000
 * 4. 0 when voided, forfeited, out of service or with an uptime below the tier's slash line
 * 5. x (eraSeconds - idleSeconds) / eraSeconds
 *
 * Throws EraInputInvalidError for a tier outside 1..7 or more idle seconds than the era has.
 * Formula: Spheron's provider rewards (resource reward x trust tier), with compliance as one more multiplier.
 */
export function providerPoints(
  provider: ProviderEra,
  result: ProviderResult,
  context: { readonly terms: RewardTerms; readonly eraSeconds: bigint; readonly forfeitedUntil: number | null },
): PointsSteps {
  const { terms, eraSeconds, forfeitedUntil } = context;
  const tierMultiplierBps = terms.tierMultiplierBps[provider.tier - 1];
  const slashLineBps = terms.slashLineBps[provider.tier - 1];
  if (tierMultiplierBps === undefined || slashLineBps === undefined) {
    throw new EraInputInvalidError(`provider ${provider.providerId}`, `tier ${provider.tier} is not 1..7`);
  }
  if (result.idleSeconds < 0n || result.idleSeconds > eraSeconds) {
    throw new EraInputInvalidError(`provider ${provider.providerId}`, `${result.idleSeconds} idle seconds`);
  }
  const gpuPointsMilli = categoryPoints(provider, 'gpu', terms.gpuPointsMilli);
  const cpuPointsMilli = categoryPoints(provider, 'cpu', terms.cpuPointsMilli);
  const tieredMilli = ((gpuPointsMilli + cpuPointsMilli) * tierMultiplierBps) / BPS;
  const complianceBps =
    provider.complianceBps < terms.complianceCapBps ? provider.complianceBps : terms.complianceCapBps;
  const compliantMilli = (tieredMilli * complianceBps) / BPS;
  const activeSeconds = eraSeconds - result.idleSeconds;
  const reason = noPointsReason(provider, result, slashLineBps, forfeitedUntil);
  const pointsMilli = reason === null ? (compliantMilli * activeSeconds) / eraSeconds : 0n;
  return {
    era: result.era,
    gpuPointsMilli,
    cpuPointsMilli,
    tierMultiplierBps,
    tieredMilli,
    complianceBps,
    compliantMilli,
    eraUptimeBps: result.eraUptimeBps,
    slashLineBps,
    activeSeconds,
    reason,
    pointsMilli,
  };
}

function categoryPoints(provider: ProviderEra, category: 'cpu' | 'gpu', basePointsMilli: bigint): bigint {
  const weighted = provider.resources
    .filter((resource) => resource.category === category)
    .reduce((sum, { units, multiplierBps }) => sum + units * multiplierBps, 0n);
  return (weighted * basePointsMilli) / BPS;
}

function noPointsReason(
  provider: ProviderEra,
  result: ProviderResult,
  slashLineBps: bigint,
  forfeitedUntil: number | null,
): NoPointsReason | null {
  if (!provider.inService) return 'not in service';
  if (result.voided) return 'voided';
  if (forfeitedUntil !== null && result.era <= forfeitedUntil) return 'forfeited';
  if (result.eraUptimeBps < slashLineBps) return 'below the slash line';
  return null;
}
