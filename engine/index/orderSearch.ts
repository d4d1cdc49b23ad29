import { WHOLE_DEVICE } from '../devices.js';
import type { Jitter } from '../jitter.js';
import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Bid, Order } from '../order.js';
import { bestBidsOf } from '../orderTerms.js';
import { weightedPacking } from '../packing.js';
import type { Packing } from '../packing.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { priceAt } from '../price.js';
import { measured, standingOf } from '../roundTerms.js';
import { fitScore, priceScore } from '../score.js';
import type { Snapshot } from '../snapshot.js';
import type { Chosen } from '../stages.js';
import type { Bucket, Forest } from './bucket.js';
import { CandidateHeap } from './candidateHeap.js';
import { expandPrice } from './compactPrice.js';
import type { MarketIndex } from './marketIndex.js';
import * as Node from './nodeTable.js';
import { foldAttributes, LEAF_ROWS } from './rowTable.js';

/** Machines of wanted providers up to which each of them is looked at instead of searching the index. */
const FEW_MACHINES = 4096;
/** Owner of a heap entry that is a candidate; other owners are buckets, or forests counted down from -1. */
const CANDIDATE = 0x7fff_ffff;
const HALF_DEVICE = 500;
const REGION_GROUP_BITS = 5;
const LOW_ATTRIBUTES = 0x7ff_ffffn;
const HIGH_SHIFT = 27n;
/** What stands for the bound of a node that cannot hold a candidate. */
const REJECTED = -1;

/**
 * Finds the machine with the highest total for one order after the other: nodes of the index in the order of their bounds, candidates
 * in the order of their bases, until neither can reach the best total. Columns and lists are used again for the next order.
 */
export class OrderSearch {
  readonly #index: MarketIndex;
  readonly #heap = new CandidateHeap();
  #snapshot!: Snapshot;
  #policy!: Policy;
  #jitter!: Jitter;
  #jitterRange = 0;
  #weightPrice = 0;
  #weightFit = 0;
  #weightRegion = 0;
  /** Null when the policy gives packing no weight. */
  #packing: Packing | null = null;
  #weightPacking = 0;
  #largestLoss = 0;
  /** The most that the packing component adds on any machine. */
  #mostPacking = 0;

  #order!: Order;
  #bids: ReadonlyMap<number, Bid> | undefined;
  #milliGpu = 0;
  #cpuMilli = 0;
  #memoryMib = 0;
  #storageGib = 0;
  #maxPrice = 0;
  #attributesLow = 0;
  #attributesHigh = 0;
  #cpuBits = 0;
  #memoryBits = 0;
  #storageBits = 0;
  #wholeDevices = 0;
  /** Half of a node that bounds the fit of this order. */
  #leastHalf = 0;
  #regionGroups = 0;
  #regionResidues = 0;

  #candidateCount = 0;
  #candidateMachine = new Uint32Array(64);
  #candidatePrice = new Float64Array(64);
  #candidateOffer = new Uint8Array(64);
  #candidateBid = new Int16Array(64);

  /** What a total must reach: the best one so far, and no less than the highest base. */
  #bar = -1;
  #bestTotal = -1;
  #bestProvider = 0;
  #bestMachine = 0;
  #bestPrice = 0;
  #bestOffer = 0;
  #bestBid = -1;

  constructor(index: MarketIndex) {
    this.#index = index;
  }

  /** Sets the round that the next orders are of. */
  start(snapshot: Snapshot, policy: Policy, packing: Packing | null, jitter: Jitter): void {
    this.#snapshot = snapshot;
    this.#policy = policy;
    this.#jitter = jitter;
    this.#jitterRange = policy.jitterRange;
    this.#weightPrice = policy.weightPriceBps;
    this.#weightFit = policy.weightFitBps;
    this.#weightRegion = policy.weightRegionBps;
    this.#weightPacking = policy.weightPackingBps;
    this.#packing = policy.weightPackingBps === 0 ? null : packing;
  }

  /** The machine that an eligible order goes to with what capacity there is, nothing taken yet; undefined when no machine can take it. */
  choose(order: Order): Chosen | undefined {
    this.#begin(order);
    if (this.#bids !== undefined) for (const machineId of this.#bids.keys()) this.#judgeAny(machineId);
    if (order.providersWanted.length === 0 || !this.#judgeWanted(order)) {
      if (order.milliGpu === 0) this.#enterForest(this.#index.forestOf(order.tokenId, false));
      this.#enterForest(this.#index.forestOf(order.tokenId, true));
    }
    this.#drain();
    if (this.#bestTotal < 0) return undefined;
    return {
      stage: 'chosen',
      machineId: this.#bestMachine,
      providerId: this.#bestProvider,
      priceMicroPerHour: this.#bestPrice,
      offerIndex: this.#bestOffer,
      bidIndex: this.#bestBid,
      total: this.#bestTotal,
    };
  }

  #begin(order: Order): void {
    const bids = this.#snapshot.bids.get(order.orderId);
    this.#order = order;
    this.#bids = bids === undefined || bids.length === 0 ? undefined : bestBidsOf(order.orderId, this.#snapshot);
    this.#milliGpu = order.milliGpu;
    this.#cpuMilli = order.cpuMilli;
    this.#memoryMib = order.memoryMib;
    this.#storageGib = order.storageGib;
    this.#maxPrice = order.maxPriceMicroPerHour;
    this.#attributesLow = order.attributes === 0n ? 0 : Number(order.attributes & LOW_ATTRIBUTES);
    this.#attributesHigh = order.attributes === 0n ? 0 : Number(order.attributes >> HIGH_SHIFT);
    this.#cpuBits = order.cpuMilli >>> Node.CPU_SHIFT;
    this.#memoryBits = order.memoryMib >>> Node.MEMORY_SHIFT;
    this.#storageBits = order.storageGib >>> Node.STORAGE_SHIFT;
    this.#wholeDevices = order.milliGpu < WHOLE_DEVICE ? 0 : order.milliGpu / WHOLE_DEVICE;
    this.#leastHalf = leastHalfFor(order.milliGpu);
    this.#regionGroups = 0;
    this.#regionResidues = 0;
    for (let index = 0; index < order.regions.length; index++) {
      const region = order.regions[index]!;
      this.#regionGroups |= 1 << (region >> REGION_GROUP_BITS);
      this.#regionResidues |= 1 << (region & 31);
    }
    this.#heap.count = 0;
    this.#candidateCount = 0;
    this.#bestTotal = -1;
    this.#bar = -1;
    this.#largestLoss = 0;
    this.#mostPacking = 0;
    if (this.#packing === null) return;
    this.#largestLoss = this.#packing.largestLoss(order);
    this.#mostPacking = weightedPacking(this.#weightPacking, this.#packing.leastLoss(order), this.#largestLoss);
  }

  /** Judges the machines of the wanted providers one by one if they are few; whether it did. */
  #judgeWanted(order: Order): boolean {
    const { machinesByProvider } = this.#index;
    let machines = 0;
    for (const provider of order.providersWanted) machines += machinesByProvider.countAtMost(provider);
    if (machines > FEW_MACHINES) return false;
    const judge = (machineId: number): void => {
      if (this.#bids?.has(machineId) !== true) this.#judgeAny(machineId);
    };
    for (let index = 0; index < order.providersWanted.length; index++) {
      const provider = order.providersWanted[index]!;
      if (order.providersWanted.indexOf(provider) === index) machinesByProvider.forEach(provider, judge);
    }
    return true;
  }

  /** Pushes the nodes that cover the order's models. */
  #enterForest(forest: Forest | undefined): void {
    if (forest === undefined) return;
    const order = this.#order;
    const count = forest.buckets.length;
    if (order.models.length === 0) {
      this.#pushForestNode(forest, 1);
    } else {
      for (let index = 0; index < order.models.length; index++) {
        const places = forest.places.get(order.models[index]!);
        if (places === undefined || order.models.indexOf(order.models[index]!) !== index) continue;
        let from = places.from + count;
        let to = places.to + count;
        while (from < to) {
          if (from & 1) this.#pushForestNode(forest, from++);
          if (to & 1) this.#pushForestNode(forest, --to);
          from >>= 1;
          to >>= 1;
        }
      }
    }
  }

  /** Pushes a node of a forest's tree, or the root of the bucket that stands there, if it may hold the best candidate. */
  #pushForestNode(forest: Forest, local: number): void {
    const count = forest.buckets.length;
    if (local >= count) {
      const bucket = forest.buckets[local - count]!;
      const region = this.#regionScore(bucket.region);
      if (region < 0) return;
      const bound = this.#bound(bucket.nodeBase + 1, region * this.#weightRegion, forest, bucket.model);
      if (this.#reaches(bound, bucket.nodeBase + 1)) this.#heap.push(bound, bucket.number, 1);
      return;
    }
    const node = forest.nodeBase + local;
    const region = this.#regionScoreWithin(forest, local);
    if (region < 0) return;
    const bound = this.#bound(node, region * this.#weightRegion, forest, 0);
    if (this.#reaches(bound, node)) this.#heap.push(bound, -1 - forest.number, local);
  }

  /** Region component of a region, REJECTED where the order may not go. */
  #regionScore(region: number): number {
    const { regions, regionsExcluded, regionRequired } = this.#order;
    if (regionsExcluded.length > 0 && regionsExcluded.includes(region)) return REJECTED;
    if (regions.length === 0 || regions.includes(region)) return SCALE;
    if (regionRequired) return REJECTED;
    return (this.#regionGroups >>> (region >> REGION_GROUP_BITS)) & 1 ? SCALE / 2 : 0;
  }

  /** The highest region component below a node of a forest's tree. */
  #regionScoreWithin(forest: Forest, local: number): number {
    const { regions, regionRequired } = this.#order;
    if (regions.length === 0) return SCALE;
    const inGroup = (forest.regionGroups[local]! & this.#regionGroups) !== 0;
    if (inGroup && (forest.regionResidues[local]! & this.#regionResidues) !== 0) return SCALE;
    if (regionRequired) return REJECTED;
    return inGroup ? SCALE / 2 : 0;
  }

  /** The score formula at the best values of a node, an upper bound of every base below it; REJECTED when a filter fails for all. */
  #bound(node: number, regionPoints: number, forest: Forest, model: number): number {
    const { words, floats, halves } = this.#index.nodes;
    const word = node * Node.NODE_WORDS;
    const half = node * Node.NODE_HALVES;
    if (words[word + Node.MIN_PROVIDER] === Node.EMPTY) return REJECTED;
    const low = this.#attributesLow;
    const high = this.#attributesHigh;
    if ((words[word + Node.ATTRIBUTES_LOW]! & low) !== low) return REJECTED;
    if ((words[word + Node.ATTRIBUTES_HIGH]! & high) !== high) return REJECTED;
    if (halves[half + Node.MAX_CPU]! < this.#cpuBits) return REJECTED;
    if (halves[half + Node.MAX_MEMORY]! < this.#memoryBits) return REJECTED;
    if (halves[half + Node.MAX_STORAGE]! < this.#storageBits) return REJECTED;
    const milliGpu = this.#milliGpu;
    const order = this.#order;
    if (order.tiers !== 0 && (halves[half + Node.TIERS]! & order.tiers) === 0) return REJECTED;
    if (halves[half + Node.MAX_UPTIME]! < order.minUptimeBps) return REJECTED;
    if (halves[half + Node.MAX_REPUTATION]! < order.minReputationBps) return REJECTED;
    if (halves[half + Node.MIN_SLASHES]! > order.maxSlashes) return REJECTED;
    let fit = 0;
    if (milliGpu > 0) {
      if (this.#wholeDevices === 0) {
        if (halves[half + Node.MAX_SHARE]! < milliGpu) return REJECTED;
      } else if (halves[half + Node.MAX_WHOLE]! < this.#wholeDevices) return REJECTED;
      const least = halves[half + this.#leastHalf]!;
      fit = Math.floor((milliGpu * SCALE) / (least > milliGpu ? least : milliGpu));
    } else if (!forest.isGpu) {
      if (halves[half + Node.MAX_TOTAL]! < this.#cpuBits) return REJECTED;
      const least = halves[half + Node.LEAST_ANY]! << Node.CPU_SHIFT;
      fit = Math.floor((this.#cpuMilli * SCALE) / (least > this.#cpuMilli ? least : this.#cpuMilli));
    } else if (model === 0 && forest.hasModelZero) {
      fit = SCALE;
    }
    const price =
      Math.floor((milliGpu * floats[word + Node.MIN_GPU]!) / 1000) +
      Math.floor((this.#cpuMilli * floats[word + Node.MIN_CORE]!) / 1000) +
      Math.floor((this.#memoryMib * floats[word + Node.MIN_MEMORY]!) / 1024) +
      Math.floor((this.#storageGib * floats[word + Node.MIN_STORAGE]!) / 1024);
    const maxPrice = this.#maxPrice;
    if (price > maxPrice) return REJECTED;
    return (
      halves[half + Node.MAX_COMPLIANCE]! *
      (this.#weightPrice * Math.floor(((maxPrice - price) * SCALE) / maxPrice) +
        this.#weightFit * fit +
        regionPoints +
        this.#mostPacking +
        words[word + Node.MAX_STANDING]!)
    );
  }

  /** Whether a base of at most `bound` in a node can still win; without jitter a tie is won by the lower provider alone. */
  #reaches(bound: number, node: number): boolean {
    if (bound < 0) return false;
    const most = bound + this.#jitterRange;
    if (most !== this.#bar || this.#jitterRange > 0) return most >= this.#bar;
    return this.#index.nodes.words[node * Node.NODE_WORDS + Node.MIN_PROVIDER]! <= this.#bestProvider;
  }

  /** Works the heap off down to what cannot reach the best total. */
  #drain(): void {
    const heap = this.#heap;
    const { buckets, forests } = this.#index;
    while (heap.count > 0) {
      if (heap.keys[0]! + this.#jitterRange < this.#bar) {
        heap.count = 0;
        return;
      }
      heap.pop();
      const owner = heap.owners[heap.count]!;
      const local = heap.items[heap.count]!;
      if (owner === CANDIDATE) {
        this.#take(local, heap.keys[heap.count]!);
      } else if (owner < 0) {
        const forest = forests[-1 - owner]!;
        if (!this.#reaches(heap.keys[heap.count]!, forest.nodeBase + local)) continue;
        this.#pushForestNode(forest, 2 * local);
        this.#pushForestNode(forest, 2 * local + 1);
      } else {
        const bucket = buckets[owner]!;
        if (this.#reaches(heap.keys[heap.count]!, bucket.nodeBase + local)) this.#descend(bucket, local);
      }
    }
  }

  /** Follows the better child from node to node down to a leaf, the other one waits in the heap; stops where another entry is better. */
  #descend(bucket: Bucket, from: number): void {
    const heap = this.#heap;
    const { forest, model, nodeBase, leaves } = bucket;
    const regionPoints = this.#regionScore(bucket.region) * this.#weightRegion;
    let local = from;
    while (local < leaves) {
      const left = 2 * local;
      const right = left + 1;
      const leftBound = this.#bound(nodeBase + left, regionPoints, forest, model);
      const rightBound = this.#bound(nodeBase + right, regionPoints, forest, model);
      const takesLeft =
        leftBound > rightBound ||
        (leftBound === rightBound && this.#providerAt(nodeBase + left) <= this.#providerAt(nodeBase + right));
      const better = takesLeft ? left : right;
      const other = takesLeft ? right : left;
      const betterBound = takesLeft ? leftBound : rightBound;
      const otherBound = takesLeft ? rightBound : leftBound;
      if (!this.#reaches(betterBound, nodeBase + better)) {
        if (this.#reaches(otherBound, nodeBase + other)) heap.push(otherBound, bucket.number, other);
        return;
      }
      if (this.#reaches(otherBound, nodeBase + other)) heap.push(otherBound, bucket.number, other);
      if (heap.count > 0 && heap.keys[0]! > betterBound) {
        heap.push(betterBound, bucket.number, better);
        return;
      }
      local = better;
    }
    this.#scanLeaf(bucket, bucket.leafBase + local - leaves, regionPoints);
  }

  #providerAt(node: number): number {
    return this.#index.nodes.words[node * Node.NODE_WORDS + Node.MIN_PROVIDER]!;
  }

  /** Judges those rows of a leaf whose own bound reaches the best total. */
  #scanLeaf(bucket: Bucket, leaf: number, regionPoints: number): void {
    const { rows } = this.#index;
    const { machine, gpuPrice, corePrice, memoryPrice, storagePrice, standing, complianceBps, total, devices } = rows;
    const { attributes, standingUnit } = rows;
    const { isGpu } = bucket.forest;
    const milliGpu = this.#milliGpu;
    const cpuMilli = this.#cpuMilli;
    const memoryMib = this.#memoryMib;
    const storageGib = this.#storageGib;
    const maxPrice = this.#maxPrice;
    const wholeDevices = this.#wholeDevices;
    const folded = foldAttributes(this.#attributesLow, this.#attributesHigh);
    const weightPrice = this.#weightPrice;
    const weightFit = this.#weightFit;
    const jitterRange = this.#jitterRange;
    const pointsOfAll = regionPoints + this.#mostPacking;
    const first = leaf * LEAF_ROWS;
    const end = first + rows.used[leaf]!;
    for (let row = first; row < end; row++) {
      if ((attributes[row]! & folded) !== folded) continue;
      let fit = 0;
      if (milliGpu > 0) {
        if (wholeDevices === 0) {
          if ((devices[row]! & 0x3ff) < milliGpu) continue;
        } else if (devices[row]! >>> 10 < wholeDevices) continue;
        fit = Math.floor((milliGpu * SCALE) / total[row]!);
      } else if (!isGpu) {
        const free = total[row]! << Node.CPU_SHIFT;
        fit = Math.floor((cpuMilli * SCALE) / (free > cpuMilli ? free : cpuMilli));
      } else if (bucket.model === 0) {
        fit = SCALE;
      }
      const price =
        Math.floor((milliGpu * gpuPrice[row]!) / 1000) +
        Math.floor((cpuMilli * expandPrice(corePrice[row]!)) / 1000) +
        Math.floor((memoryMib * expandPrice(memoryPrice[row]!)) / 1024) +
        Math.floor((storageGib * expandPrice(storagePrice[row]!)) / 1024);
      if (price > maxPrice) continue;
      const bound =
        complianceBps[row]! *
        (weightPrice * Math.floor(((maxPrice - price) * SCALE) / maxPrice) +
          weightFit * fit +
          pointsOfAll +
          standing[row]! * standingUnit);
      if (bound + jitterRange < this.#bar) continue;
      this.#judgeRow(machine[row]!, bucket, regionPoints);
    }
  }

  /** Judges a machine of a row by the market's own columns: what the row's bucket and the leaf's scan have not shown yet. */
  #judgeRow(machineId: number, bucket: Bucket, regionPoints: number): void {
    if (this.#bids?.has(machineId) === true) return;
    const { market } = this.#index;
    const provider = market.providerId[machineId]!;
    if (!this.#admits(provider) || !this.#hasRoom(machineId)) return;
    let offer = machineId * OFFERS_PER_MACHINE;
    while (market.offerTokenId[offer] !== bucket.forest.tokenId) offer++;
    const price = this.#priceOf(offer);
    if (price > this.#maxPrice) return;
    const base = this.#baseOf(machineId, provider, price, regionPoints);
    this.#candidate(machineId, price, offer - machineId * OFFERS_PER_MACHINE, -1, base);
  }

  /** Judges any machine by every filter, with its live bid on the order if there is one. */
  #judgeAny(machineId: number): void {
    const { market } = this.#index;
    const order = this.#order;
    if (machineId < 1 || machineId > market.machineCount) return;
    if (standingOf(market, machineId, this.#snapshot.round) !== 0) return;
    const provider = market.providerId[machineId]!;
    const model = market.model[machineId]!;
    if (order.models.length > 0 && !order.models.includes(model)) return;
    const region = this.#regionScore(market.region[machineId]!);
    if (region < 0 || !this.#admits(provider) || !this.#hasRoom(machineId)) return;
    if (this.#milliGpu > 0 && !this.#hasDevices(machineId)) return;
    let price = Infinity;
    let offerIndex = 0;
    let bidIndex = -1;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      const offer = machineId * OFFERS_PER_MACHINE + index;
      if (market.offerTokenId[offer] !== order.tokenId) continue;
      price = this.#priceOf(offer);
      offerIndex = index;
      break;
    }
    const bid = this.#bids?.get(machineId);
    if (bid !== undefined && bid.priceMicroPerHour < price) {
      price = bid.priceMicroPerHour;
      offerIndex = 0;
      bidIndex = bid.bidIndex;
    }
    if (price > this.#maxPrice) return;
    const base = this.#baseOf(machineId, provider, price, region * this.#weightRegion);
    this.#candidate(machineId, price, offerIndex, bidIndex, base);
  }

  /** Filters 4, 5 and 10 to 14: what the order asks of a provider. */
  #admits(provider: number): boolean {
    const { market } = this.#index;
    const order = this.#order;
    if (order.providersExcluded.length > 0 && order.providersExcluded.includes(provider)) return false;
    if (order.providersWanted.length > 0 && !order.providersWanted.includes(provider)) return false;
    const tier = market.tier[provider]!;
    if (order.tiers !== 0 && (tier === 0 || ((order.tiers >> (tier - 1)) & 1) === 0)) return false;
    if ((market.attributesLow[provider]! & this.#attributesLow) !== this.#attributesLow) return false;
    if ((market.attributesHigh[provider]! & this.#attributesHigh) !== this.#attributesHigh) return false;
    if (measured(market.uptimeBps[provider]!, this.#policy.defaultUptimeBps) < order.minUptimeBps) return false;
    if (measured(market.reputationBps[provider]!, this.#policy.defaultReputationBps) < order.minReputationBps) {
      return false;
    }
    return market.slashes[provider]! <= order.maxSlashes;
  }

  /** Filters 15 to 17. */
  #hasRoom(machineId: number): boolean {
    const { market } = this.#index;
    return (
      market.freeCpuMilli[machineId]! >= this.#cpuMilli &&
      market.freeMemoryMib[machineId]! >= this.#memoryMib &&
      market.freeStorageGib[machineId]! >= this.#storageGib
    );
  }

  /** Filter 18. */
  #hasDevices(machineId: number): boolean {
    const { freeMilliGpu } = this.#index.market;
    const first = machineId * DEVICES_PER_MACHINE;
    let whole = 0;
    for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
      if (this.#wholeDevices === 0 && freeMilliGpu[device]! >= this.#milliGpu) return true;
      if (freeMilliGpu[device] === WHOLE_DEVICE) whole++;
    }
    return this.#wholeDevices > 0 && whole >= this.#wholeDevices;
  }

  #priceOf(offer: number): number {
    const { market } = this.#index;
    return priceAt(
      this.#order,
      market.offerGpuMicroPerHour[offer]!,
      market.offerCoreMicroPerHour[offer]!,
      market.offerMemoryGibMicroPerHour[offer]!,
      market.offerStorageTibMicroPerHour[offer]!,
    );
  }

  #baseOf(machineId: number, provider: number, price: number, regionPoints: number): number {
    const { market, weightedStanding, complianceBps } = this.#index;
    const first = machineId * DEVICES_PER_MACHINE;
    let free = 0;
    if (this.#milliGpu > 0) {
      for (let device = first; device < first + DEVICES_PER_MACHINE; device++) free += market.freeMilliGpu[device]!;
    }
    const fit = fitScore(
      this.#milliGpu,
      this.#cpuMilli,
      market.model[machineId]!,
      free,
      market.freeCpuMilli[machineId]!,
    );
    const packed =
      this.#packing === null
        ? 0
        : weightedPacking(
            this.#weightPacking,
            this.#packing.lossOn(market, machineId, market.model[machineId]!, this.#order),
            this.#largestLoss,
          );
    return (
      complianceBps[provider]! *
      (this.#weightPrice * priceScore(this.#maxPrice, price) +
        this.#weightFit * fit +
        regionPoints +
        packed +
        weightedStanding[provider]!)
    );
  }

  /** Keeps a machine that passed every filter until its base is the highest left. */
  #candidate(machineId: number, price: number, offerIndex: number, bidIndex: number, base: number): void {
    if (base + this.#jitterRange < this.#bar) return;
    if (base > this.#bar && this.#jitterRange > 0) this.#bar = base;
    const at = this.#candidateCount++;
    if (at === this.#candidateMachine.length) this.#growCandidates();
    this.#candidateMachine[at] = machineId;
    this.#candidatePrice[at] = price;
    this.#candidateOffer[at] = offerIndex;
    this.#candidateBid[at] = bidIndex;
    if (this.#jitterRange === 0) this.#take(at, base);
    else this.#heap.push(base, CANDIDATE, at);
  }

  /** Lets a candidate be the best if its total is. */
  #take(at: number, base: number): void {
    if (base + this.#jitterRange < this.#bestTotal) return;
    const machineId = this.#candidateMachine[at]!;
    const provider = this.#index.market.providerId[machineId]!;
    const total = this.#jitterRange === 0 ? base : base + this.#jitter.of(this.#order.orderId, provider);
    if (total < this.#bestTotal) return;
    if (total === this.#bestTotal) {
      if (provider > this.#bestProvider) return;
      if (provider === this.#bestProvider && machineId > this.#bestMachine) return;
    }
    this.#bestTotal = total;
    if (total > this.#bar) this.#bar = total;
    this.#bestProvider = provider;
    this.#bestMachine = machineId;
    this.#bestPrice = this.#candidatePrice[at]!;
    this.#bestOffer = this.#candidateOffer[at]!;
    this.#bestBid = this.#candidateBid[at]!;
  }

  #growCandidates(): void {
    const size = this.#candidateMachine.length * 2;
    const { machine, price, offer, bid } = {
      machine: this.#candidateMachine,
      price: this.#candidatePrice,
      offer: this.#candidateOffer,
      bid: this.#candidateBid,
    };
    this.#candidateMachine = new Uint32Array(size);
    this.#candidatePrice = new Float64Array(size);
    this.#candidateOffer = new Uint8Array(size);
    this.#candidateBid = new Int16Array(size);
    this.#candidateMachine.set(machine);
    this.#candidatePrice.set(price);
    this.#candidateOffer.set(offer);
    this.#candidateBid.set(bid);
  }
}

function leastHalfFor(milliGpu: number): number {
  if (milliGpu < HALF_DEVICE) return Node.LEAST_ANY;
  if (milliGpu < WHOLE_DEVICE) return Node.LEAST_HALF;
  if (milliGpu < 2 * WHOLE_DEVICE) return Node.LEAST_ONE;
  return milliGpu < 4 * WHOLE_DEVICE ? Node.LEAST_TWO : Node.LEAST_FOUR;
}
