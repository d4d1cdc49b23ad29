import { Capacity } from './capacity.js';
import { RulesVersionUnsupportedError, PolicyOutOfRangeError } from './engineError.js';
import { rejectionOf } from './filter.js';
import { Jitter, MAX_JITTER_RANGE } from './jitter.js';
import type { OrderTerms } from './orderTerms.js';
import { packingOf, weightedPacking } from './packing.js';
import { SUPPORTED_RULES_VERSIONS } from './policy.js';
import type { Policy } from './policy.js';
import type { Quote } from './quote.js';
import type { MatchRecord } from './record.js';
import { RoundTerms } from './roundTerms.js';
import { fitScore, priceScore } from './score.js';
import type { Hex, Snapshot } from './snapshot.js';
import { Candidates } from './stages.js';
import type { Chosen, Scored, Unscored } from './stages.js';

/** Matches one order after the other against a round's machines; each match takes its capacity at once. */
export class OrderMatcher {
  readonly round: RoundTerms;
  readonly capacity: Capacity;
  readonly jitter: Jitter;
  readonly #candidates: Candidates;
  readonly #quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };

  /** Throws RulesVersionUnsupportedError, or PolicyOutOfRangeError for a policy whose totals would not be exact. */
  constructor(snapshot: Snapshot, policy: Policy, seed: Hex) {
    requireSupported(policy);
    this.round = new RoundTerms(snapshot, policy);
    this.capacity = new Capacity(snapshot.market, this.round.packing?.deviceValue ?? null);
    this.jitter = new Jitter(seed, policy.jitterRange);
    this.#candidates = new Candidates(snapshot.market);
  }

  /** Gives the order to its best machine and takes the capacity; undefined when no machine can take it. */
  match(terms: OrderTerms): MatchRecord | undefined {
    const chosen = this.choose(terms);
    if (chosen === undefined) return undefined;
    const deviceMask = this.capacity.reserve(chosen.machineId, terms);
    return recordOf(terms, chosen, deviceMask);
  }

  /** The machine that the order goes to with what capacity there is, nothing taken yet; undefined when no machine can take it. */
  choose(terms: OrderTerms): Chosen | undefined {
    return this.#choose(terms, this.#score(terms, this.#filter(terms)));
  }

  /** Total without jitter of a candidate at `priceMicroPerHour`: compliance x weighted components. */
  baseOf(terms: OrderTerms, machineId: number, priceMicroPerHour: number): number {
    const { market, policy, weightedStanding, complianceBps } = this.round;
    const provider = market.providerId[machineId]!;
    const fit = fitScore(
      terms.milliGpu,
      terms.cpuMilli,
      market.model[machineId]!,
      this.capacity.totalMilliGpu[machineId]!,
      this.capacity.freeCpuMilli[machineId]!,
    );
    const weighted =
      policy.weightPriceBps * priceScore(terms.maxPriceMicroPerHour, priceMicroPerHour) +
      policy.weightFitBps * fit +
      policy.weightRegionBps * terms.regionScores[market.region[machineId]!]! +
      weightedStanding[provider]! +
      this.#weightedPacking(terms, machineId);
    return complianceBps[provider]! * weighted;
  }

  /** Potential that a candidate would lose by the order; 0 for rules without packing. */
  packingLossOf(terms: OrderTerms, machineId: number): number {
    const { market, packing } = this.round;
    return packing === null ? 0 : packing.lossOn(this.capacity, machineId, market.model[machineId]!, terms);
  }

  #weightedPacking(terms: OrderTerms, machineId: number): number {
    const { weightPackingBps } = this.round.policy;
    if (weightPackingBps === 0) return 0;
    return weightedPacking(weightPackingBps, this.packingLossOf(terms, machineId), terms.largestLoss);
  }

  #filter(terms: OrderTerms): Unscored {
    const candidates = this.#candidates;
    const quote = this.#quote;
    const { liveMachines } = this.round;
    let count = 0;
    for (let index = 0; index < liveMachines.length; index++) {
      const machineId = liveMachines[index]!;
      if (rejectionOf(this.round, this.capacity, terms, machineId, quote) !== 0) continue;
      candidates.machineId[count] = machineId;
      candidates.priceMicroPerHour[count] = quote.priceMicroPerHour;
      candidates.offerIndex[count] = quote.offerIndex;
      candidates.bidIndex[count] = quote.bidIndex;
      count++;
    }
    candidates.count = count;
    return { stage: 'unscored', candidates };
  }

  #score(terms: OrderTerms, { candidates }: Unscored): Scored {
    let bestRow: number | undefined;
    let highest = -1;
    for (let row = 0; row < candidates.count; row++) {
      const base = this.baseOf(terms, candidates.machineId[row]!, candidates.priceMicroPerHour[row]!);
      candidates.base[row] = base;
      if (base > highest) {
        highest = base;
        bestRow = row;
      }
    }
    return { stage: 'scored', candidates, bestRow };
  }

  /** Jitter is computed only where base + J still reaches the best total; the row of the highest base sets the bar first. */
  #choose(terms: OrderTerms, { candidates, bestRow }: Scored): Chosen | undefined {
    if (bestRow === undefined) return undefined;
    const { market, policy } = this.round;
    const { orderId } = terms;
    let chosenRow = bestRow;
    let chosenMachine = candidates.machineId[bestRow]!;
    let chosenProvider = market.providerId[chosenMachine]!;
    let bestTotal = candidates.base[bestRow]! + this.jitter.of(orderId, chosenProvider);
    for (let row = 0; row < candidates.count; row++) {
      const base = candidates.base[row]!;
      if (base + policy.jitterRange < bestTotal) continue;
      const machineId = candidates.machineId[row]!;
      const provider = market.providerId[machineId]!;
      const total = base + this.jitter.of(orderId, provider);
      if (total < bestTotal) continue;
      if (
        total > bestTotal ||
        provider < chosenProvider ||
        (provider === chosenProvider && machineId < chosenMachine)
      ) {
        chosenRow = row;
        chosenMachine = machineId;
        chosenProvider = provider;
        bestTotal = total;
      }
    }
    return {
      stage: 'chosen',
      machineId: chosenMachine,
      providerId: chosenProvider,
      priceMicroPerHour: candidates.priceMicroPerHour[chosenRow]!,
      offerIndex: candidates.offerIndex[chosenRow]!,
      bidIndex: candidates.bidIndex[chosenRow]!,
      total: bestTotal,
    };
  }
}

/** What a record takes over from its order. */
type OrderOfRecord = Pick<OrderTerms, 'orderId' | 'milliGpu' | 'cpuMilli' | 'memoryMib' | 'storageGib' | 'tokenId'>;

/** Throws RulesVersionUnsupportedError, or PolicyOutOfRangeError for a policy whose totals would not be exact. */
export function requireSupported(policy: Policy): void {
  if (!SUPPORTED_RULES_VERSIONS.includes(policy.rulesVersion)) {
    throw new RulesVersionUnsupportedError(policy.rulesVersion);
  }
  if (policy.saturationWhole < 1) {
    throw new PolicyOutOfRangeError('saturationWhole', policy.saturationWhole, 'at least 1');
  }
  if (policy.jitterRange > MAX_JITTER_RANGE) {
    throw new PolicyOutOfRangeError('jitterRange', policy.jitterRange, `at most ${MAX_JITTER_RANGE}`);
  }
  packingOf(policy);
}

/** The record of an order's match with the machine chosen for it, on the devices of the mask. */
export function recordOf(
  terms: OrderOfRecord,
  chosen: Omit<Chosen, 'stage' | 'total'>,
  deviceMask: number,
): MatchRecord {
  const fromBid = chosen.bidIndex >= 0;
  return {
    orderId: terms.orderId,
    machineId: chosen.machineId,
    priceMicroPerHour: chosen.priceMicroPerHour,
    deviceMask,
    milliGpu: terms.milliGpu,
    cpuMilli: terms.cpuMilli,
    memoryMib: terms.memoryMib,
    storageGib: terms.storageGib,
    offerIndex: chosen.offerIndex,
    fromBid,
    tokenId: terms.tokenId,
    providerId: chosen.providerId,
    bidIndex: fromBid ? chosen.bidIndex : 0,
  };
}
