import { OFFERS_PER_MACHINE, PROVIDER_ACTIVE, UNMEASURED_BPS } from './market.js';
import type { Market } from './market.js';
import { packingOf } from './packing.js';
import type { Packing } from './packing.js';
import type { Policy } from './policy.js';
import { stakeScore } from './score.js';
import type { Snapshot } from './snapshot.js';
import { RejectionReason } from './rejectionReason.js';

export const SECONDS_PER_DAY = 86_400;
const REPORTS_PER_PROVIDER = 4;
const NEUTRAL_BPS = 10_000;

/** What follows from snapshot and policy alone and so holds for every order of the round, in columns. */
export class RoundTerms {
  readonly market: Market;
  readonly policy: Policy;
  /** Null for rules without packing. */
  readonly packing: Packing | null;
  /** Uptime and reputation by provider, the policy's default where unmeasured. */
  readonly uptimeBps: Uint16Array;
  readonly reputationBps: Uint16Array;
  /** Stake component by provider. */
  readonly stakeScore: Uint16Array;
  /** min(cap, 10000 + counting reports) by provider. */
  readonly complianceBps: Uint16Array;
  /** Weighted sum of the stake, uptime and reputation components by provider. */
  readonly weightedStanding: Float64Array;
  /** RejectionReason 2 or 3 by machine, 0 when the machine takes part in the round. */
  readonly standing: Uint8Array;
  /** Machines that take part, ascending. */
  readonly liveMachines: Uint32Array;
  readonly #offersByToken = new Map<number, Int8Array>();

  /** Throws PolicyOutOfRangeError for packing terms that would not be exact. */
  constructor(snapshot: Snapshot, policy: Policy) {
    const { market } = snapshot;
    this.market = market;
    this.policy = policy;
    this.packing = packingOf(policy);
    const providers = market.providerCount + 1;
    this.uptimeBps = new Uint16Array(providers);
    this.reputationBps = new Uint16Array(providers);
    this.stakeScore = new Uint16Array(providers);
    this.complianceBps = new Uint16Array(providers);
    this.weightedStanding = new Float64Array(providers);
    const today = Math.floor(snapshot.timestampSeconds / SECONDS_PER_DAY);
    for (let provider = 1; provider < providers; provider++) {
      const uptime = measured(market.uptimeBps[provider]!, policy.defaultUptimeBps);
      const reputation = measured(market.reputationBps[provider]!, policy.defaultReputationBps);
      const stake = stakeScore(market.stakeWhole[provider]!, policy.saturationWhole);
      this.uptimeBps[provider] = uptime;
      this.reputationBps[provider] = reputation;
      this.stakeScore[provider] = stake;
      this.complianceBps[provider] = complianceBpsOf(market, provider, today, policy.complianceCapBps);
      this.weightedStanding[provider] =
        policy.weightStakeBps * stake + policy.weightUptimeBps * uptime + policy.weightReputationBps * reputation;
    }
    this.standing = new Uint8Array(market.machineCount + 1);
    const live: number[] = [];
    for (let machineId = 1; machineId <= market.machineCount; machineId++) {
      const standing = standingOf(market, machineId, snapshot.round);
      this.standing[machineId] = standing;
      if (standing === 0) live.push(machineId);
    }
    this.liveMachines = Uint32Array.from(live);
  }

  /** By machine id the lowest index of its live offers in a token, -1 for none. */
  offersIn(tokenId: number): Int8Array {
    const known = this.#offersByToken.get(tokenId);
    if (known !== undefined) return known;
    const { offerTokenId, machineCount } = this.market;
    const offers = new Int8Array(machineCount + 1).fill(-1);
    for (let row = (machineCount + 1) * OFFERS_PER_MACHINE - 1; row >= OFFERS_PER_MACHINE; row--) {
      if (offerTokenId[row] === tokenId) offers[Math.floor(row / OFFERS_PER_MACHINE)] = row % OFFERS_PER_MACHINE;
    }
    this.#offersByToken.set(tokenId, offers);
    return offers;
  }
}

/** Uptime or reputation in basis points, the policy's default where it was not measured yet. */
export function measured(bps: number, defaultBps: number): number {
  return bps === UNMEASURED_BPS ? defaultBps : bps;
}

/** min(cap, 10000 + reports whose last day is `today` or later) of a provider, basis points. */
export function complianceBpsOf(market: Market, provider: number, today: number, capBps: number): number {
  let sum = NEUTRAL_BPS;
  for (let index = 0; index < REPORTS_PER_PROVIDER; index++) {
    const report = market.reports[provider * REPORTS_PER_PROVIDER + index]!;
    const expiryDay = (report >>> 10) & 0xffff;
    if (today <= expiryDay) sum += report & 0x3ff;
  }
  return Math.min(capBps, sum);
}

/** Stake, uptime and reputation of a provider, each times its weight. */
export function weightedStandingOf(market: Market, provider: number, policy: Policy): number {
  return (
    policy.weightStakeBps * stakeScore(market.stakeWhole[provider]!, policy.saturationWhole) +
    policy.weightUptimeBps * measured(market.uptimeBps[provider]!, policy.defaultUptimeBps) +
    policy.weightReputationBps * measured(market.reputationBps[provider]!, policy.defaultReputationBps)
  );
}

/** RejectionReason 2 or 3 of a machine in a round, 0 when it takes part. */
export function standingOf(market: Market, machineId: number, round: number): number {
  if (round < market.activeFromRound[machineId]! || round >= market.activeUntilRound[machineId]!) {
    return RejectionReason.MACHINE_INACTIVE;
  }
  return market.status[market.providerId[machineId]!] === PROVIDER_ACTIVE ? 0 : RejectionReason.PROVIDER_NOT_ACTIVE;
}
