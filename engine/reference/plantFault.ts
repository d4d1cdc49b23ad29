import { chooseDevices } from '../devices.js';
import { rejectionOf } from '../filter.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import { matchRound } from '../matchRound.js';
import type { Order } from '../order.js';
import { OrderMatcher } from '../orderMatcher.js';
import { eligibilityOf, orderTermsOf } from '../orderTerms.js';
import type { OrderTerms } from '../orderTerms.js';
import type { Policy } from '../policy.js';
import { priceAt } from '../price.js';
import type { Quote } from '../quote.js';
import type { MatchRecord } from '../record.js';
import { RejectionReason } from '../rejectionReason.js';
import type { Hex, Snapshot } from '../snapshot.js';

/** What a dishonest quorum does to a round, one kind for every rule that it can break. */
export const PLANTED_KINDS = [
  'worseMachine',
  'orderNotEligible',
  'machineInactive',
  'providerNotActive',
  'providerExcluded',
  'providerNotWanted',
  'noOfferInToken',
  'gpuModel',
  'regionExcluded',
  'regionRequired',
  'tier',
  'attributes',
  'uptime',
  'reputation',
  'slashes',
  'cpu',
  'memory',
  'storage',
  'devices',
  'priceAboveMax',
  'wrongPrice',
  'wrongSource',
  'wrongResources',
  'wrongDevices',
  'wrongToken',
  'wrongProvider',
  'overCapacityByPrefix',
  'omittedOrder',
  'wrongTieBreak',
  'wrongJitter',
  'wrongPolicy',
  'withoutPacking',
  'devicesWithoutPacking',
  'unknownOrder',
  'unknownMachine',
  'unknownOffer',
  'unknownBid',
] as const;
export type PlantedKind = (typeof PLANTED_KINDS)[number];

export interface PlantInput {
  readonly snapshot: Snapshot;
  readonly policy: Policy;
  readonly seed: Hex;
  readonly nextOrderId: number;
  /** 0 <= choose(count) < count; the same choices plant the same fault. */
  readonly choose: (count: number) => number;
}

const REASON_OF: ReadonlyMap<PlantedKind, number> = new Map([
  ['machineInactive', RejectionReason.MACHINE_INACTIVE],
  ['providerNotActive', RejectionReason.PROVIDER_NOT_ACTIVE],
  ['providerExcluded', RejectionReason.PROVIDER_EXCLUDED],
  ['providerNotWanted', RejectionReason.PROVIDER_NOT_WANTED],
  ['noOfferInToken', RejectionReason.TOKEN],
  ['gpuModel', RejectionReason.GPU_MODEL],
  ['regionExcluded', RejectionReason.REGION_EXCLUDED],
  ['regionRequired', RejectionReason.REGION_REQUIRED],
  ['tier', RejectionReason.TIER],
  ['attributes', RejectionReason.ATTRIBUTES],
  ['uptime', RejectionReason.UPTIME],
  ['reputation', RejectionReason.REPUTATION],
  ['slashes', RejectionReason.SLASHES],
  ['cpu', RejectionReason.CPU],
  ['memory', RejectionReason.MEMORY],
  ['storage', RejectionReason.STORAGE],
  ['devices', RejectionReason.DEVICES],
  ['priceAboveMax', RejectionReason.PRICE],
]);

const WHOLE_DEVICE = 1000;
/** A record has 40 bits for its price; the dearest offers on the largest orders would need more. */
const PRICE_LIMIT = 2 ** 40;
const HIGHEST_BID_INDEX = 254;

/**
 * The round's records with one fault of the kind planted, in a form that settlement takes; undefined where the round has no room
 * for that fault, or where it would change nothing.
 */
export function plantFault(kind: PlantedKind, input: PlantInput): MatchRecord[] | undefined {
  const honest = matchRound(input.snapshot, input.policy, input.seed);
  const planted = new Planter(input, honest).plant(kind);
  if (planted === undefined || planted.length === 0 || planted.length > input.policy.maxMatches) return undefined;
  if (planted.some(({ priceMicroPerHour }) => priceMicroPerHour >= PRICE_LIMIT)) return undefined;
  return isSame(planted, honest) ? undefined : planted;
}

class Planter {
  readonly #input: PlantInput;
  readonly #honest: readonly MatchRecord[];

  constructor(input: PlantInput, honest: readonly MatchRecord[]) {
    this.#input = input;
    this.#honest = honest;
  }

  plant(kind: PlantedKind): MatchRecord[] | undefined {
    const { snapshot, policy, seed, nextOrderId } = this.#input;
    const reason = REASON_OF.get(kind);
    if (reason !== undefined) return this.#onRejectedMachine((found) => found === reason);
    switch (kind) {
      case 'worseMachine':
        return this.#onCandidate((total, best) => total < best);
      case 'wrongTieBreak':
        return this.#onCandidate((total, best) => total === best);
      case 'orderNotEligible':
        return this.#onOrder((order) => eligibilityOf(order, snapshot) !== 'eligible');
      case 'overCapacityByPrefix':
        return this.#onFullMachine();
      case 'omittedOrder':
        return this.#changed(() => undefined);
      case 'wrongJitter':
        return matchRound(snapshot, policy, otherSeed(seed));
      case 'wrongPolicy':
        return matchRound(snapshot, otherPolicy(policy), seed);
      case 'withoutPacking':
        return matchRound(snapshot, { ...policy, weightPackingBps: 0 }, seed);
      case 'devicesWithoutPacking':
        return this.#withDevicesOfVersionOne();
      case 'unknownOrder':
        return this.#renamed((record) => ({ ...record, orderId: nextOrderId + this.#input.choose(3) }));
      case 'unknownMachine':
        return this.#changed((record) => ({ ...record, machineId: snapshot.market.machineCount + 1 }));
      case 'unknownOffer':
        return this.#onUnwrittenOffer();
      case 'unknownBid':
        return this.#changed((record) => ({ ...record, fromBid: true, offerIndex: 0, bidIndex: HIGHEST_BID_INDEX }));
      case 'wrongPrice':
        return this.#changed((record) => ({ ...record, priceMicroPerHour: record.priceMicroPerHour + 1 }));
      case 'wrongSource':
        return this.#withOtherSource();
      case 'wrongResources':
        return this.#changed((record) => this.#withOtherResources(record));
      case 'wrongDevices':
        return this.#changed((record) => ({ ...record, deviceMask: rotated(record.deviceMask) }));
      case 'wrongToken':
        return this.#changed((record) => ({ ...record, tokenId: record.tokenId + 1 }));
      default:
        return this.#changed((record) => ({ ...record, providerId: record.providerId + 1 }));
    }
  }

  #pick<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : choices[this.#input.choose(choices.length)];
  }

  /** One honest record changed, or left out. */
  #changed(change: (record: MatchRecord) => MatchRecord | undefined): MatchRecord[] | undefined {
    const chosen = this.#pick(this.#honest);
    return this.#honest.flatMap((record) => (record === chosen ? (change(record) ?? []) : record));
  }

  /** The last honest record under another order's id. */
  #renamed(rename: (record: MatchRecord) => MatchRecord): MatchRecord[] | undefined {
    const last = this.#honest.at(-1);
    return last === undefined ? undefined : [...this.#honest.slice(0, -1), rename(last)];
  }

  /** The honest records with `record` in the place of its order's. */
  #with(record: MatchRecord): MatchRecord[] {
    return [...this.#honest.filter(({ orderId }) => orderId !== record.orderId), record].sort(
      (a, b) => a.orderId - b.orderId,
    );
  }

  #eligibleOrders(): Order[] {
    return this.#input.snapshot.orders.filter((order) => eligibilityOf(order, this.#input.snapshot) === 'eligible');
  }

  /** The round as it stands before an order, with all lower honest records taken. */
  #before(orderId: number): OrderMatcher {
    const { snapshot, policy, seed } = this.#input;
    const matcher = new OrderMatcher(snapshot, policy, seed);
    for (const record of this.#honest) {
      if (record.orderId >= orderId) break;
      matcher.capacity.takeAsStated(record.machineId, record.deviceMask, record);
    }
    return matcher;
  }

  #machines(): number[] {
    return Array.from({ length: this.#input.snapshot.market.machineCount }, (_, index) => index + 1);
  }

  #onRejectedMachine(isWanted: (reason: number) => boolean): MatchRecord[] | undefined {
    const quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
    const choices = this.#eligibleOrders().flatMap((order) => {
      const matcher = this.#before(order.orderId);
      const terms = orderTermsOf(order, this.#input.snapshot, matcher.round);
      return this.#machines()
        .filter((machineId) => isWanted(rejectionOf(matcher.round, matcher.capacity, terms, machineId, quote)))
        .map((machineId) => recordOn(matcher, terms, machineId));
    });
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  #onCandidate(isWanted: (total: number, best: number) => boolean): MatchRecord[] | undefined {
    const quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
    const choices = this.#eligibleOrders().flatMap((order) => {
      const matcher = this.#before(order.orderId);
      const terms = orderTermsOf(order, this.#input.snapshot, matcher.round);
      const best = matcher.choose(terms);
      if (best === undefined) return [];
      return this.#machines()
        .filter((machineId) => {
          if (machineId === best.machineId) return false;
          if (rejectionOf(matcher.round, matcher.capacity, terms, machineId, quote) !== 0) return false;
          const providerId = matcher.round.market.providerId[machineId]!;
          const base = matcher.baseOf(terms, machineId, quote.priceMicroPerHour);
          return isWanted(base + matcher.jitter.of(order.orderId, providerId), best.total);
        })
        .map((machineId) => recordOn(matcher, terms, machineId));
    });
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  #onOrder(isWanted: (order: Order) => boolean): MatchRecord[] | undefined {
    const order = this.#pick(this.#input.snapshot.orders.filter(isWanted));
    const machineId = this.#pick(this.#machines());
    if (order === undefined || machineId === undefined) return undefined;
    const matcher = this.#before(order.orderId);
    return this.#with(recordOn(matcher, orderTermsOf(order, this.#input.snapshot, matcher.round), machineId));
  }

  /** A machine that could have taken the order alone, but not after the records before it. */
  #onFullMachine(): MatchRecord[] | undefined {
    const quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
    const untouched = this.#before(0);
    const choices = this.#eligibleOrders().flatMap((order) => {
      const matcher = this.#before(order.orderId);
      const terms = orderTermsOf(order, this.#input.snapshot, matcher.round);
      return this.#machines()
        .filter(
          (machineId) =>
            rejectionOf(matcher.round, untouched.capacity, terms, machineId, quote) === 0 &&
            rejectionOf(matcher.round, matcher.capacity, terms, machineId, quote) !== 0,
        )
        .map((machineId) => recordOn(untouched, terms, machineId));
    });
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  /** A share on the device where rules without packing put it. */
  #withDevicesOfVersionOne(): MatchRecord[] | undefined {
    const choices = this.#honest.flatMap((record): MatchRecord[] => {
      const { freeMilliGpu } = this.#before(record.orderId).capacity;
      const deviceMask = chooseDevices(freeMilliGpu, record.machineId * DEVICES_PER_MACHINE, record.milliGpu, null);
      return deviceMask === record.deviceMask ? [] : [{ ...record, deviceMask }];
    });
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  #onUnwrittenOffer(): MatchRecord[] | undefined {
    const { offersWritten } = this.#input.snapshot.market;
    const choices = this.#honest.flatMap((record) =>
      [0, 1, 2, 3]
        .filter((offerIndex) => !((offersWritten[record.machineId]! >> offerIndex) & 1))
        .map((offerIndex) => ({ ...record, offerIndex, fromBid: false, bidIndex: 0 })),
    );
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  /** The offer's price where a bid is lower, or a bid where the offer is not higher. */
  #withOtherSource(): MatchRecord[] | undefined {
    const { snapshot } = this.#input;
    const { market } = snapshot;
    const choices = this.#honest.flatMap((record): MatchRecord[] => {
      const bids = (snapshot.bids.get(record.orderId) ?? []).filter(
        (bid) => bid.machineId === record.machineId && bid.providerId === record.providerId,
      );
      if (!record.fromBid) {
        return bids.map(({ bidIndex, priceMicroPerHour }) => ({
          ...record,
          fromBid: true,
          offerIndex: 0,
          bidIndex,
          priceMicroPerHour,
        }));
      }
      return [0, 1, 2, 3]
        .filter((offerIndex) => (market.offersWritten[record.machineId]! >> offerIndex) & 1)
        .map((offerIndex) => ({
          ...record,
          fromBid: false,
          offerIndex,
          bidIndex: 0,
          priceMicroPerHour: offerPrice(market, record.machineId, offerIndex, record),
        }));
    });
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  #withOtherResources(record: MatchRecord): MatchRecord {
    switch (this.#input.choose(4)) {
      case 0:
        return { ...record, cpuMilli: record.cpuMilli === 1 ? 2 : record.cpuMilli - 1 };
      case 1:
        return { ...record, memoryMib: record.memoryMib === 0 ? 1 : record.memoryMib - 1 };
      case 2:
        return { ...record, storageGib: record.storageGib === 0 ? 1 : record.storageGib - 1 };
      default:
        return { ...record, milliGpu: record.milliGpu === 0 ? 1 : record.milliGpu - 1 };
    }
  }
}

/** A record on a machine at its best price, or at the offer of the lowest index where it has none in the order's token. */
function recordOn(matcher: OrderMatcher, terms: OrderTerms, machineId: number): MatchRecord {
  const { market } = matcher.round;
  const { orderId, milliGpu, cpuMilli, memoryMib, storageGib, tokenId } = terms;
  const offered = terms.offerIndex[machineId]!;
  const offerIndex = Math.max(0, offered);
  const price = offerPrice(market, machineId, offerIndex, terms);
  const bid = terms.bids?.get(machineId);
  const fromBid = bid !== undefined && (offered < 0 || bid.priceMicroPerHour < price);
  return {
    orderId,
    machineId,
    priceMicroPerHour: fromBid ? bid.priceMicroPerHour : price,
    deviceMask: matcher.capacity.devicesFor(machineId, milliGpu) || lowestDevices(milliGpu),
    milliGpu,
    cpuMilli,
    memoryMib,
    storageGib,
    offerIndex: fromBid ? 0 : offerIndex,
    fromBid,
    tokenId,
    providerId: market.providerId[machineId]!,
    bidIndex: fromBid ? bid.bidIndex : 0,
  };
}

function offerPrice(
  market: Snapshot['market'],
  machineId: number,
  offerIndex: number,
  resources: Pick<MatchRecord, 'milliGpu' | 'cpuMilli' | 'memoryMib' | 'storageGib'>,
): number {
  const row = machineId * OFFERS_PER_MACHINE + offerIndex;
  return priceAt(
    resources,
    market.offerGpuMicroPerHour[row]!,
    market.offerCoreMicroPerHour[row]!,
    market.offerMemoryGibMicroPerHour[row]!,
    market.offerStorageTibMicroPerHour[row]!,
  );
}

function lowestDevices(milliGpu: number): number {
  return 2 ** Math.ceil(milliGpu / WHOLE_DEVICE) - 1;
}

/** The mask one device further; for an order without GPU the first device. */
function rotated(mask: number): number {
  return mask === 0 ? 1 : ((mask << 1) | (mask >> 7)) & 0xff;
}

function otherSeed(seed: Hex): Hex {
  const last = seed.at(-1) === '0' ? '1' : '0';
  return `0x${seed.slice(2, -1)}${last}`;
}

/** Price and stake change places, and nothing is added by chance. */
function otherPolicy(policy: Policy): Policy {
  return {
    ...policy,
    weightPriceBps: policy.weightStakeBps,
    weightStakeBps: policy.weightPriceBps,
    jitterRange: 0,
  };
}

function isSame(records: readonly MatchRecord[], others: readonly MatchRecord[]): boolean {
  return (
    records.length === others.length &&
    records.every((record, index) => JSON.stringify(fieldsOf(record)) === JSON.stringify(fieldsOf(others[index]!)))
  );
}

function fieldsOf(record: MatchRecord): unknown[] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
