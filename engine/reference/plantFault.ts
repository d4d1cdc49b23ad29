import { chooseDevices, WHOLE_DEVICE } from '../devices.js';
import { rejectionOf } from '../filter.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import { matchRound } from '../matchRound.js';
import type { Order } from '../order.js';
import { OrderMatcher } from '../orderMatcher.js';
import { eligibilityOf, orderTermsOf } from '../orderTerms.js';
import type { OrderTerms } from '../orderTerms.js';
import { RULES_WITHOUT_PACKING, RULES_WITH_PACKING } from '../policy.js';
import type { PackingTerms, Policy } from '../policy.js';
import { priceAt } from '../price.js';
import type { Quote } from '../quote.js';
import type { MatchRecord } from '../record.js';
import { RejectionReason } from '../rejectionReason.js';
import type { Hex, Snapshot } from '../snapshot.js';
import { otherPackingTerms, packedBy, packedByWrongLoss, WRONG_LOSSES } from './wrongPacking.js';
import type { WrongLoss } from './wrongPacking.js';

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
  'rulesOfVersionOne',
  'rulesOfVersionTwo',
  'otherPackingTerms',
  ...WRONG_LOSSES,
  'packingBreaksTies',
  'deviceOfMoreLoss',
  'deviceOfMoreFree',
  'deviceOfHigherIndex',
  'unknownOrder',
  'unknownMachine',
  'unknownOffer',
  'unknownBid',
] as const;
export type PlantedKind = (typeof PLANTED_KINDS)[number];

/** Kinds that only rounds by the rules without packing have room for, and those that only rounds with packing have. */
export const KINDS_WITHOUT_PACKING: readonly PlantedKind[] = ['rulesOfVersionTwo'];
export const KINDS_WITH_PACKING: readonly PlantedKind[] = [
  'withoutPacking',
  'devicesWithoutPacking',
  'rulesOfVersionOne',
  'otherPackingTerms',
  ...WRONG_LOSSES,
  'packingBreaksTies',
  'deviceOfMoreLoss',
];

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

interface ContestCandidate {
  readonly machineId: number;
  readonly providerId: number;
  readonly total: number;
}

/** The machines that can take an order at its place in the round. */
interface Contest {
  readonly matcher: OrderMatcher;
  readonly terms: OrderTerms;
  readonly candidates: readonly ContestCandidate[];
  readonly best: { readonly machineId: number; readonly total: number };
}

/** A device, what it has free in milli-GPU, and the value that it would lose by a share. */
interface ShareOfDevice {
  readonly mask: number;
  readonly free: number;
  readonly lost: number;
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
      case 'rulesOfVersionOne':
        return policy.packing === null ? undefined : matchRound(snapshot, byVersionOne(policy), seed);
      case 'rulesOfVersionTwo':
        return policy.packing === null ? matchRound(snapshot, byVersionTwo(policy), seed) : undefined;
      case 'otherPackingTerms':
        return this.#withOtherPackingTerms();
      case 'lossAtSnapshot':
      case 'lossWithoutShortage':
      case 'lossWithoutRest':
      case 'lossWithoutModelFactor':
        return this.#byWrongLoss(kind);
      case 'packingBreaksTies':
        return this.#byTotalThenLoss();
      case 'deviceOfMoreLoss':
        return this.#onOtherDevice((chosen, other) => other.lost > chosen.lost);
      case 'deviceOfMoreFree':
        return this.#onOtherDevice((chosen, other) => other.lost === chosen.lost && other.free > chosen.free);
      case 'deviceOfHigherIndex':
        return this.#onOtherDevice((chosen, other) => other.lost === chosen.lost && other.free === chosen.free);
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

  /** Each eligible order that a machine can take, with all machines that can. */
  #contests(): Contest[] {
    const quote: Quote = { priceMicroPerHour: 0, offerIndex: 0, bidIndex: -1 };
    return this.#eligibleOrders().flatMap((order) => {
      const matcher = this.#before(order.orderId);
      const { market } = matcher.round;
      const terms = orderTermsOf(order, this.#input.snapshot, matcher.round);
      const best = matcher.choose(terms);
      if (best === undefined) return [];
      const candidates = this.#machines().flatMap((machineId): ContestCandidate[] => {
        if (rejectionOf(matcher.round, matcher.capacity, terms, machineId, quote) !== 0) return [];
        const { priceMicroPerHour } = quote;
        const total = matcher.baseOf(terms, machineId, priceMicroPerHour) + jitterOf(matcher, terms, machineId);
        return [{ machineId, providerId: market.providerId[machineId]!, total }];
      });
      return [{ matcher, terms, best, candidates }];
    });
  }

  #onCandidate(isWanted: (total: number, best: number) => boolean): MatchRecord[] | undefined {
    const choices = this.#contests().flatMap(({ matcher, terms, best, candidates }) =>
      candidates
        .filter(({ machineId, total }) => machineId !== best.machineId && isWanted(total, best.total))
        .map(({ machineId }) => recordOn(matcher, terms, machineId)),
    );
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

  #withOtherPackingTerms(): MatchRecord[] | undefined {
    const { snapshot, policy, seed } = this.#input;
    if (policy.packing === null) return undefined;
    const choices = otherPackingTerms(policy.packing)
      .map((packing) => matchRound(snapshot, { ...policy, packing }, seed))
      .filter((records) => !isSame(records, this.#honest));
    return this.#pick(choices);
  }

  /** The machine that would be the best, were losses what they are wrongly taken for. */
  #byWrongLoss(how: WrongLoss): MatchRecord[] | undefined {
    if (this.#input.policy.packing === null) return undefined;
    const { capacity } = this.#before(0);
    return this.#onWronglyBest(({ matcher, terms }, { machineId, total }) => [
      total -
        packedBy(matcher, terms, machineId, matcher.packingLossOf(terms, machineId)) +
        packedByWrongLoss(how, matcher, capacity, terms, machineId),
    ]);
  }

  /** The best machine without regard to packing, the one of the least loss where several are. */
  #byTotalThenLoss(): MatchRecord[] | undefined {
    if (this.#input.policy.packing === null) return undefined;
    return this.#onWronglyBest(({ matcher, terms }, { machineId, total }) => {
      const loss = matcher.packingLossOf(terms, machineId);
      return [total - packedBy(matcher, terms, machineId, loss), -loss];
    });
  }

  /** An order on the machine of the highest rank, which should be another; ties go to the lowest provider, then the lowest machine. */
  #onWronglyBest(
    rankOf: (contest: Contest, candidate: ContestCandidate) => readonly number[],
  ): MatchRecord[] | undefined {
    const choices = this.#contests().flatMap((contest) => {
      const [first] = contest.candidates
        .map((candidate) => ({ ...candidate, rank: rankOf(contest, candidate) }))
        .sort((a, b) => compared(b.rank, a.rank) || a.providerId - b.providerId || a.machineId - b.machineId);
      if (first === undefined || first.machineId === contest.best.machineId) return [];
      return [recordOn(contest.matcher, contest.terms, first.machineId)];
    });
    const record = this.#pick(choices);
    return record === undefined ? undefined : this.#with(record);
  }

  /** A share on another device of the right machine that has room for it. */
  #onOtherDevice(isWanted: (chosen: ShareOfDevice, other: ShareOfDevice) => boolean): MatchRecord[] | undefined {
    const choices = this.#honest
      .filter(({ milliGpu }) => milliGpu > 0 && milliGpu < WHOLE_DEVICE)
      .flatMap((record): MatchRecord[] => {
        const { capacity, round } = this.#before(record.orderId);
        const shares = Array.from({ length: DEVICES_PER_MACHINE }, (_, device): ShareOfDevice => {
          const free = capacity.freeMilliGpu[record.machineId * DEVICES_PER_MACHINE + device]!;
          const valueOf = (milliGpu: number): number => round.packing?.deviceValue[milliGpu] ?? 0;
          return { mask: 1 << device, free, lost: valueOf(free) - valueOf(free - record.milliGpu) };
        });
        const chosen = shares.find(({ mask }) => mask === record.deviceMask)!;
        return shares
          .filter((other) => other !== chosen && other.free >= record.milliGpu && isWanted(chosen, other))
          .map(({ mask }) => ({ ...record, deviceMask: mask }));
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

/** Terms that are worth something in every dimension. */
const SOME_PACKING: PackingTerms = {
  fromMilli: [220, 460, 690, 1000],
  value: [81, 323, 647, 970],
  deviceWeight: 32,
  cpuWeight: 32,
  memoryWeight: 2,
  cpuRate: 5984,
  memoryRate: 1545,
  models: [],
  modelFactor: [],
};

/** A policy's rules without what version 2 added. */
export function byVersionOne(policy: Policy): Policy {
  return { ...policy, rulesVersion: RULES_WITHOUT_PACKING, weightPackingBps: 0, packing: null };
}

/** A policy of version 1 with packing in the place of fit. */
export function byVersionTwo(policy: Policy): Policy {
  return {
    ...policy,
    rulesVersion: RULES_WITH_PACKING,
    weightFitBps: 0,
    weightPackingBps: policy.weightFitBps,
    packing: SOME_PACKING,
  };
}

/** Lists of equal length by their first entries that differ. */
function compared(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((entry, position) => entry !== b[position]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}

function jitterOf(matcher: OrderMatcher, { orderId }: OrderTerms, machineId: number): number {
  return matcher.jitter.of(orderId, matcher.round.market.providerId[machineId]!);
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
