import { WHOLE_DEVICE } from '../devices.js';
import type { Jitter } from '../jitter.js';
import { OFFERS_PER_MACHINE } from '../market.js';
import type { Bid, Order } from '../order.js';
import { bestBidsOf } from '../orderTerms.js';
import type { Packing } from '../packing.js';
import { SCALE } from '../policy.js';
import type { Policy } from '../policy.js';
import { standingOf } from '../roundTerms.js';
import type { Snapshot } from '../snapshot.js';
import type { Chosen } from '../stages.js';
import { foldAttributes } from './attributePlaces.js';
import type { Bucket, Forest } from './bucket.js';
import { CandidateHeap } from './candidateHeap.js';
import { expandPrice } from './compactPrice.js';
import { cpuClassOf, gpuClassOf, REFERENCE_CORES, REFERENCE_MEMORY_GIB, SAMPLE_AT, SAMPLES } from './envelope.js';
import { LEAF_ROWS } from './leafRows.js';
import { MachineJudge } from './machineJudge.js';
import type { MarketIndex } from './marketIndex.js';
import * as Node from './nodeTable.js';
import { amountByte, foldAttributes27 } from './nodeTable.js';
import { MOST_COMPLIANCE_BPS } from './rowBounds.js';
import { PARTLY_FREE, TRAITS, traitsOf, WHOLE_MASK, WHOLE_SHIFT } from './packingTraits.js';
import * as Row from './rowTable.js';

/** Where an order goes, without its total. */
export type Placement = Omit<Chosen, 'stage' | 'total'>;

/** Machines of wanted providers up to which each of them is looked at instead of searching the index. */
const FEW_MACHINES = 4096;
/** Buckets of a model up to which each of them is entered by its root. */
const FEW_BUCKETS = 32;
/** Listed regions up to which the bucket of each is looked up. */
const FEW_REGIONS = 4;
/** A price falls short of the sum of its terms by less than one for each floor; doubles err by far less than the other. */
const FLOORED_TERMS = 4;
const ROUNDING = 64;
const REGION_GROUP_BITS = 5;
const NO_MODEL = -1;
const ANY_MODEL = -2;
/** Required attributes from which on rows are asked for all of them before their leaf is bounded. */
const MANY_ATTRIBUTES = 3;
/** Below nodes of so many leaves, or up to twice as many, all leaves are asked at once. */
const WARD_SHIFT = 6;
const WARD_LEAVES = 2 << WARD_SHIFT;
/** What stands for the bound of a node that cannot hold a candidate. */
const REJECTED = -1;

/**
 * Finds the machine with the highest total for one order after the other: nodes of the index in the order of their bounds, until none can
 * reach the best total. Lists are used again for the next order.
 */
export class OrderSearch {
  readonly #index: MarketIndex;
  readonly #judge: MachineJudge;
  readonly #heap = new CandidateHeap();
  /** Bounds of the two nodes bounded last. */
  readonly #bounds = new Float64Array(2);
  /** Rows of the leaf at hand that may still win, as places in the leaf, and their bounds. */
  readonly #slots = new Uint8Array(LEAF_ROWS);
  readonly #slotBounds = new Float64Array(LEAF_ROWS);
  /** Leaves, as local nodes, with a row that has all attributes that the order requires. */
  readonly #having = new Uint32Array(WARD_LEAVES);
  /** Takes what is read ahead, so that the reads are not left out as without effect. */
  readonly #ahead = new Uint32Array(1);
  #snapshot!: Snapshot;
  #policy!: Policy;
  #jitter!: Jitter;
  #jitterRange = 0;
  #weightPrice = 0;
  #weightFit = 0;
  #weightRegion = 0;
  #weightPacking = 0;
  /** By traits the most that the packing component adds on a machine of the model entered last, and what a node's bound gains by it. */
  readonly #mostPacking = new Float64Array(TRAITS);
  readonly #packingMore = new Float64Array(TRAITS);
  /** The model that the two are of: ANY_MODEL for the nodes above buckets. */
  #packingModel = NO_MODEL;

  #order!: Order;
  #bids: ReadonlyMap<number, Bid> | undefined;
  #milliGpu = 0;
  #cpuMilli = 0;
  #memoryMib = 0;
  #storageGib = 0;
  #maxPrice = 0;
  #attributes16 = 0;
  #attributes27 = 0;
  /** Whether so many attributes are required that a leaf whose rows together have them may well have no row with all. */
  #asksMuch = false;
  #maxSlashes = 0;
  #tiers = 0;
  #cpuByte = 0;
  #memoryByte = 0;
  #uptimeByte = 0;
  #reputationByte = 0;
  #wholeDevices = 0;
  /** How often the order holds what the reference price is of, and what it has beyond, in units of the prices. */
  #reference = 0;
  #restGpu = 0;
  #restCores = 0;
  #restMemory = 0;
  #restStorage = 0;
  /** How many GPUs the order holds, and the cores and GiB of memory that it has beyond as many reference prices, or lacks. */
  #gpus = 0;
  #coresBeyond = 0;
  #memoryBeyond = 0;

  /** The bucket whose nodes `#bound` is prepared for; -1 for none. */
  #entered = -1;
  #regionScoreEntered = 0;
  /** How the envelopes of one bucket, or of a forest's own nodes, bound the order: see `#enter`. */
  #half = 0;
  /** First half of the order's class of need; zero there shows that no row below has room, where rows have points at all. */
  #classHalf = 0;
  #hasPoints = false;
  #lowWeight = 0;
  #highWeight = 0;
  #constant = 0;
  #beyond = 0;
  #priced = 0;
  #restPrice = 0;

  #regionGroups = 0;
  #regionResidues = 0;

  /** Whether the best machine is the only candidate yet, its jitter not known: then the best total is its base. */
  #isPending = false;
  #bestTotal = -1;
  #bestProvider = 0;
  #bestMachine = 0;
  #bestPrice = 0;
  #bestOffer = 0;
  #bestBid = -1;

  constructor(index: MarketIndex) {
    this.#index = index;
    this.#judge = new MachineJudge(index);
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
    this.#judge.start(policy, packing);
  }

  /** The machine that an eligible order goes to with what capacity there is, nothing taken yet; undefined when no machine can take it. */
  choose(order: Order): Chosen | undefined {
    const placement = this.place(order);
    if (placement === undefined) return undefined;
    this.#settlePending();
    return { stage: 'chosen', ...placement, total: this.#bestTotal };
  }

  /** The same without the total, of which the jitter is left out where it decides nothing. */
  place(order: Order): Placement | undefined {
    this.#begin(order);
    if (this.#bids !== undefined) for (const machineId of this.#bids.keys()) this.#judgeAny(machineId);
    if (order.providersWanted.length === 0 || !this.#judgeWanted(order)) {
      if (order.milliGpu === 0) this.#enterForest(this.#index.forestOf(order.tokenId, false));
      this.#enterForest(this.#index.forestOf(order.tokenId, true));
    }
    this.#drain();
    if (this.#bestMachine === 0) return undefined;
    return {
      machineId: this.#bestMachine,
      providerId: this.#bestProvider,
      priceMicroPerHour: this.#bestPrice,
      offerIndex: this.#bestOffer,
      bidIndex: this.#bestBid,
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
    const judge = this.#judge;
    judge.begin(order);
    this.#attributes16 = foldAttributes(judge.attributesLow, judge.attributesHigh);
    this.#attributes27 = foldAttributes27(judge.attributesLow, judge.attributesHigh);
    this.#asksMuch = bitCount(this.#attributes16) >= MANY_ATTRIBUTES;
    this.#cpuByte = amountByte(order.cpuMilli);
    this.#memoryByte = amountByte(order.memoryMib);
    this.#uptimeByte = Math.min(0xff, order.minUptimeBps >>> Node.BPS_SHIFT);
    this.#reputationByte = Math.min(0xff, order.minReputationBps >>> Node.BPS_SHIFT);
    this.#wholeDevices = order.milliGpu < WHOLE_DEVICE ? 0 : order.milliGpu / WHOLE_DEVICE;
    this.#maxSlashes = order.maxSlashes;
    this.#tiers = order.tiers;
    this.#splitPrice(order);
    this.#regionGroups = 0;
    this.#regionResidues = 0;
    for (let index = 0; index < order.regions.length; index++) {
      const region = order.regions[index]!;
      this.#regionGroups |= 1 << (region >> REGION_GROUP_BITS);
      this.#regionResidues |= 1 << (region & 31);
    }
    this.#heap.count = 0;
    this.#entered = -1;
    this.#packingModel = NO_MODEL;
    this.#isPending = false;
    this.#bestMachine = 0;
    this.#bestTotal = -1;
  }

  /** Splits what the order's price is of into a number of references and a rest. */
  #splitPrice({ milliGpu, cpuMilli, memoryMib, storageGib }: Order): void {
    const gpus = milliGpu / 1000;
    const cores = cpuMilli / 1000;
    const memory = memoryMib / 1024;
    const isGpu = milliGpu > 0;
    const reference = isGpu ? Math.min(gpus, cores / REFERENCE_CORES, memory / REFERENCE_MEMORY_GIB) : cores;
    this.#reference = reference;
    this.#restGpu = isGpu ? Math.max(0, gpus - reference) : 0;
    this.#restCores = isGpu ? Math.max(0, cores - REFERENCE_CORES * reference) : 0;
    this.#restMemory = isGpu ? Math.max(0, memory - REFERENCE_MEMORY_GIB * reference) : memory;
    this.#restStorage = storageGib / 1024;
    this.#gpus = gpus;
    this.#coresBeyond = cores - REFERENCE_CORES * gpus;
    this.#memoryBeyond = memory - REFERENCE_MEMORY_GIB * gpus;
  }

  /**
   * Prepares `#bound` for the nodes of a bucket: where its envelopes are read for this order, and what comes off every bound because
   * no row of the bucket scores more than that of region and packing, nor costs less than that for what the reference lacks.
   */
  #enterBucket(bucket: Bucket, regionScore: number): void {
    if (bucket.number === this.#entered) return;
    this.#entered = bucket.number;
    this.#regionScoreEntered = regionScore;
    if (bucket.model !== this.#packingModel) this.#preparePacking(bucket.model);
    if (this.#milliGpu > 0 || !bucket.forest.isGpu) {
      this.#restPrice = 0;
      this.#enter(
        bucket.forest,
        bucket.forest.isGpu ? bucket.typicalPrice : bucket.typicalCore,
        this.#referencesIn(bucket),
        regionScore,
      );
      return;
    }
    this.#restPrice = this.#restMemory * bucket.leastMemory + this.#restStorage * bucket.leastStorage;
    this.#enter(bucket.forest, bucket.typicalCore, this.#reference, regionScore);
  }

  /**
   * How many reference prices of a row in the bucket the order costs at the least: of two bounds the higher. One counts no more references
   * than the order holds in every respect, the other one for each GPU, less what the order lacks of the cpu and memory in them.
   */
  #referencesIn(bucket: Bucket): number {
    const { leastCoreRatio, leastMemoryRatio } = bucket;
    const held =
      this.#reference +
      this.#restGpu * bucket.leastGpuRatio +
      this.#restCores * leastCoreRatio +
      this.#restMemory * leastMemoryRatio;
    if (this.#milliGpu === 0) return held + this.#restStorage * bucket.leastStorageRatio;
    const coresBeyond = this.#coresBeyond;
    const memoryBeyond = this.#memoryBeyond;
    const counted =
      this.#gpus +
      coresBeyond * (coresBeyond < 0 ? bucket.mostCoreRatio : leastCoreRatio) +
      memoryBeyond * (memoryBeyond < 0 ? bucket.mostMemoryRatio : leastMemoryRatio);
    return Math.max(held, counted) + this.#restStorage * bucket.leastStorageRatio;
  }

  /** The same for the nodes above a forest's buckets. */
  #enterForestNodes(forest: Forest, regionScore: number): void {
    this.#entered = -1;
    if (this.#packingModel !== ANY_MODEL) this.#preparePacking(ANY_MODEL);
    this.#restPrice = 0;
    const typicalPrice = this.#milliGpu === 0 ? forest.typicalCore : forest.typicalPrice;
    this.#enter(forest, typicalPrice, this.#reference, regionScore);
    this.#beyond = 0;
  }

  /** The same for nodes of a forest whose rows cost at least `references` reference prices and `#restPrice` for the order. */
  #enter(forest: Forest, typicalPrice: number, references: number, regionScore: number): void {
    const maxPrice = this.#maxPrice;
    const { unit, fullPoints, gpuPoints, pricePoints } = this.#index.scale;
    const at = (references * typicalPrice) / maxPrice;
    const isByCore = this.#milliGpu === 0;
    const needClass = forest.isGpu ? gpuClassOf(this.#milliGpu) : cpuClassOf(this.#cpuMilli);
    const first = Node.ENVELOPE + needClass * SAMPLES;
    const leastCompliance = Math.min(this.#policy.complianceCapBps, SCALE);
    this.#classHalf = first;
    this.#hasPoints = leastCompliance > 0 && (forest.isGpu ? gpuPoints[needClass]! : fullPoints) > 0;
    // The reference price in nodes of machines with GPUs is not that of orders without.
    this.#priced = isByCore && forest.isGpu ? 0 : references;
    this.#beyond = 0;
    if (at < SAMPLE_AT[1]) {
      this.#half = first;
      this.#highWeight = (unit * at) / SAMPLE_AT[1];
      this.#lowWeight = unit - this.#highWeight;
    } else {
      this.#half = first + 1;
      const share = Math.min(1, (at - SAMPLE_AT[1]) / (SAMPLE_AT[2] - SAMPLE_AT[1]));
      this.#highWeight = unit * share;
      this.#lowWeight = unit - this.#highWeight;
      if (at > SAMPLE_AT[2] && this.#priced > 0) {
        this.#beyond = leastCompliance * pricePoints * (references / maxPrice - SAMPLE_AT[2] / typicalPrice);
      }
    }
    const missing = (pricePoints * this.#restPrice) / maxPrice + this.#weightRegion * (SCALE - regionScore);
    this.#constant =
      MOST_COMPLIANCE_BPS * pricePoints * (FLOORED_TERMS / maxPrice) + ROUNDING - leastCompliance * missing;
  }

  /**
   * Reckons what packing adds at most on machines of a model, or ANY_MODEL, by their traits, and what bounds lack of that: envelopes hold
   * what it adds for a typical order.
   */
  #preparePacking(model: number): void {
    this.#packingModel = model;
    const weighted = this.#weightPacking * SCALE;
    if (weighted === 0) return;
    const { fullPoints, gpuPoints } = this.#index.scale;
    const { complianceCapBps } = this.#policy;
    // Orders without GPU lose nothing at the least, wherever they go: then both are the whole component.
    const typical = gpuPoints[gpuClassOf(this.#milliGpu)]! - fullPoints + weighted;
    // Partly free devices are nothing to an order of whole ones.
    const told = this.#wholeDevices === 0 ? TRAITS - 1 : TRAITS - 1 - PARTLY_FREE;
    for (let traits = 0; traits < TRAITS; traits++) {
      if (traits > told) {
        this.#mostPacking[traits] = this.#mostPacking[traits & told]!;
        this.#packingMore[traits] = this.#packingMore[traits & told]!;
        continue;
      }
      const most = this.#judge.mostPacking(traits, model === ANY_MODEL ? undefined : model);
      this.#mostPacking[traits] = most;
      this.#packingMore[traits] =
        (most - typical) * Math.min(complianceCapBps, most > typical ? MOST_COMPLIANCE_BPS : SCALE);
    }
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
        if (order.regionRequired && order.regions.length > 0 && order.regions.length <= FEW_REGIONS) {
          this.#pushRegions(forest, places.from, places.to);
          continue;
        }
        let from = places.from + count;
        let to = places.to + count;
        if (to - from <= FEW_BUCKETS) for (; from < to; from++) this.#pushForestNode(forest, from);
        while (from < to) {
          if (from & 1) this.#pushForestNode(forest, from++);
          if (to & 1) this.#pushForestNode(forest, --to);
          from >>= 1;
          to >>= 1;
        }
      }
    }
  }

  /** Pushes of one model's buckets, at the places [from, to), those of the regions that the order lists. */
  #pushRegions(forest: Forest, from: number, to: number): void {
    const places = forest.regions;
    const { regions } = this.#order;
    for (let index = 0; index < regions.length; index++) {
      const region = regions[index]!;
      let low = from;
      let high = to;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (places[middle]! < region) low = middle + 1;
        else high = middle;
      }
      if (low < to && places[low] === region && regions.indexOf(region) === index) {
        this.#pushForestNode(forest, low + places.length);
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
      this.#enterBucket(bucket, region);
      this.#bound(bucket.nodeBase + 1, 1);
      const bound = this.#bounds[0]!;
      if (this.#reaches(bound, bucket.nodeBase + 1)) this.#heap.push(bound, bucket.number, 1);
      return;
    }
    const node = forest.nodeBase + local;
    const region = this.#regionScoreWithin(forest, local);
    if (region < 0) return;
    this.#enterForestNodes(forest, region);
    this.#bound(node, 1);
    const bound = this.#bounds[0]!;
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

  /**
   * Writes into `#bounds`, for each of `count` nodes from `first` on, an upper bound of every base below it for what was entered last;
   * REJECTED when a filter fails for all rows below.
   */
  #bound(first: number, count: number): void {
    const { words, halves, bytes } = this.#index.nodes;
    const bounds = this.#bounds;
    const packingMore = this.#packingMore;
    const attributes = this.#attributes27;
    const tiers = this.#tiers;
    for (let index = 0; index < count; index++) {
      const node = first + index;
      const word = node * Node.NODE_WORDS;
      const half = node * Node.NODE_HALVES;
      const byte = node * Node.NODE_BYTES;
      bounds[index] = REJECTED;
      if (words[word + Node.MIN_PROVIDER] === Node.EMPTY) continue;
      if ((words[word + Node.ATTRIBUTES]! & attributes) !== attributes) continue;
      if (bytes[byte + Node.MAX_CPU]! < this.#cpuByte) continue;
      if (bytes[byte + Node.MAX_MEMORY]! < this.#memoryByte) continue;
      if (bytes[byte + Node.MAX_UPTIME]! < this.#uptimeByte) continue;
      if (bytes[byte + Node.MAX_REPUTATION]! < this.#reputationByte) continue;
      if (bytes[byte + Node.MIN_SLASHES]! > this.#maxSlashes) continue;
      if (tiers !== 0 && (bytes[byte + Node.TIERS]! & tiers) === 0) continue;
      const price = expandPrice(halves[half + Node.MIN_PRICE]!);
      if (this.#priced * price + this.#restPrice > this.#maxPrice + FLOORED_TERMS) continue;
      if (this.#hasPoints && halves[half + this.#classHalf] === 0) continue;
      const at = half + this.#half;
      bounds[index] =
        halves[at]! * this.#lowWeight +
        halves[at + 1]! * this.#highWeight +
        this.#constant +
        packingMore[words[word + Node.ATTRIBUTES]! >>> Node.TRAIT_SHIFT]! -
        this.#beyond * price;
    }
  }

  /** Whether a base of at most `bound` in a node can still win; without jitter a tie is won by the lower provider alone. */
  #reaches(bound: number, node: number): boolean {
    if (bound < 0) return false;
    const most = bound + this.#jitterRange;
    if (most !== this.#bestTotal || this.#jitterRange > 0) return most >= this.#bestTotal;
    return this.#index.nodes.words[node * Node.NODE_WORDS + Node.MIN_PROVIDER]! <= this.#bestProvider;
  }

  /** Works the heap off down to what cannot reach the best total. */
  #drain(): void {
    const heap = this.#heap;
    const { buckets, forests } = this.#index;
    while (heap.count > 0) {
      if (heap.keys[0]! + this.#jitterRange < this.#bestTotal) {
        heap.count = 0;
        return;
      }
      if (this.#isPending) {
        this.#settlePending();
        continue;
      }
      heap.pop();
      const owner = heap.owners[heap.count]!;
      const local = heap.items[heap.count]!;
      if (owner < 0) {
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
    const { nodeBase, leaves } = bucket;
    if (bucket.number !== this.#entered) this.#enterBucket(bucket, this.#regionScore(bucket.region));
    const bounds = this.#bounds;
    // The nodes from `wards` to before twice as many are one on each way down.
    const wards = this.#asksMuch ? Math.max(1, leaves >>> WARD_SHIFT) : 0;
    let local = from;
    while (local < leaves) {
      if (local >= wards && local < 2 * wards && this.#pushHaving(bucket, local)) return;
      const left = 2 * local;
      const right = left + 1;
      this.#bound(nodeBase + left, 2);
      if (this.#asksMuch) this.#rejectLacking(bucket, left);
      const leftBound = bounds[0]!;
      const rightBound = bounds[1]!;
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
    this.#scanLeaf(bucket, bucket.leafBase + local - leaves, this.#regionScoreEntered * this.#weightRegion);
  }

  /** Rejects of the two local nodes bounded last, from `left` on, leaves of which no row has all attributes that the order requires. */
  #rejectLacking(bucket: Bucket, left: number): void {
    const { rows } = this.#index;
    const { leaves, leafBase } = bucket;
    for (let index = 0; index < 2; index++) {
      const leaf = leafBase + left + index - leaves;
      if (leaf < leafBase || this.#bounds[index]! < 0) continue;
      if (rows.attributes.having(leaf, this.#attributes16, rows.used[leaf]!) === 0) this.#bounds[index] = REJECTED;
    }
  }

  /**
   * Pushes the leaves below a local node that have a row with all attributes that the order requires; whether it did, which it does not
   * where most leaves have one. All are asked before the first is bounded, so that the memory fetches them side by side.
   */
  #pushHaving(bucket: Bucket, top: number): boolean {
    const { rows, nodes } = this.#index;
    const { leaves, leafBase, nodeBase } = bucket;
    const having = this.#having;
    let asked = 0;
    let count = 0;
    for (let first = top, width = 1; first < 2 * leaves; first *= 2, width *= 2) {
      const end = Math.min(first + width, 2 * leaves);
      for (let local = Math.max(first, leaves); local < end; local++) {
        const leaf = leafBase + local - leaves;
        asked++;
        if (rows.attributes.having(leaf, this.#attributes16, rows.used[leaf]!) !== 0) having[count++] = local;
      }
    }
    if (4 * count > 3 * asked) return false;
    let read = 0;
    for (let at = 0; at < count; at++) read ^= nodes.words[(nodeBase + having[at]!) * Node.NODE_WORDS]!;
    this.#ahead[0]! ^= read;
    for (let at = 0; at < count; at++) {
      const local = having[at]!;
      this.#bound(nodeBase + local, 1);
      const bound = this.#bounds[0]!;
      if (this.#reaches(bound, nodeBase + local)) this.#heap.push(bound, bucket.number, local);
    }
    return true;
  }

  #providerAt(node: number): number {
    return this.#index.nodes.words[node * Node.NODE_WORDS + Node.MIN_PROVIDER]!;
  }

  /**
   * Judges those rows of a leaf whose own bound reaches the best total, the highest bound first. The bound is the row's base without its
   * floors: the price lacks less than one for each of its terms, the components are no less than their floors.
   */
  #scanLeaf(bucket: Bucket, leaf: number, regionPoints: number): void {
    const { rows } = this.#index;
    const { halves, floats, standingUnit } = rows;
    const { isGpu } = bucket.forest;
    const slots = this.#slots;
    const slotBounds = this.#slotBounds;
    const milliGpu = this.#milliGpu;
    const cpuMilli = this.#cpuMilli;
    const wholeDevices = this.#wholeDevices;
    const gpus = milliGpu / 1000;
    const cores = cpuMilli / 1000;
    const memoryGib = this.#memoryMib / 1024;
    const storageTib = this.#storageGib / 1024;
    const maxPrice = this.#maxPrice;
    const mostPrice = maxPrice + FLOORED_TERMS;
    const pointsOfPrice = (this.#weightPrice * SCALE) / maxPrice;
    const fullFit = this.#weightFit * SCALE;
    const mostPacking = this.#mostPacking;
    // Without GPU no machine need lose anything by the order, whatever its traits.
    const points = pointsOfPrice * mostPrice + regionPoints + (milliGpu > 0 ? 0 : mostPacking[0]!);
    const least = this.#bestTotal - this.#jitterRange - ROUNDING;
    const first = leaf * Row.LEAF_HALVES;
    const gpuPrices = leaf * Row.LEAF_WORDS + Row.ROW_GPU_PRICE - first;
    let count = 0;
    const end = first + rows.used[leaf]!;
    const places = this.#attributes16 === 0 ? -1 : rows.attributes.having(leaf, this.#attributes16, end - first);
    for (let row = first; row < end; row++) {
      if (((places >>> (row - first)) & 1) === 0) continue;
      let fit = 0;
      if (milliGpu > 0) {
        const devices = halves[row + Row.ROW_DEVICES]!;
        if (wholeDevices === 0) {
          if ((devices & 0x3ff) < milliGpu) continue;
        } else if (((devices >>> WHOLE_SHIFT) & WHOLE_MASK) < wholeDevices) continue;
        const total = halves[row + Row.ROW_TOTAL]!;
        fit = mostPacking[traitsOf(total, devices)]!;
        if (fullFit > 0) fit += (fullFit * milliGpu) / total;
      } else if (!isGpu) {
        const free = halves[row + Row.ROW_TOTAL]! << Node.CPU_SHIFT;
        fit = (fullFit * cpuMilli) / (free > cpuMilli ? free : cpuMilli);
      } else if (bucket.model === 0) {
        fit = fullFit;
      }
      const price =
        gpus * floats[gpuPrices + row]! +
        cores * expandPrice(halves[row + Row.ROW_CORE_PRICE]!) +
        memoryGib * expandPrice(halves[row + Row.ROW_MEMORY_PRICE]!) +
        storageTib * expandPrice(halves[row + Row.ROW_STORAGE_PRICE]!);
      if (price > mostPrice) continue;
      const bound =
        halves[row + Row.ROW_COMPLIANCE]! *
        (points - pointsOfPrice * price + fit + halves[row + Row.ROW_STANDING]! * standingUnit);
      if (bound < least) continue;
      slots[count] = row - first;
      slotBounds[count++] = bound + ROUNDING;
    }
    const machines = leaf * Row.LEAF_WORDS + Row.ROW_MACHINE;
    while (count > 0) {
      let best = 0;
      for (let at = 1; at < count; at++) if (slotBounds[at]! > slotBounds[best]!) best = at;
      if (slotBounds[best]! + this.#jitterRange < this.#bestTotal) return;
      if (this.#isPending) {
        this.#settlePending();
        continue;
      }
      this.#judgeRow(rows.words[machines + slots[best]!]!, bucket, regionPoints);
      count--;
      slots[best] = slots[count]!;
      slotBounds[best] = slotBounds[count]!;
    }
  }

  /** Judges a machine of a row by the market's own columns: what the row's bucket and the leaf's scan have not shown yet. */
  #judgeRow(machineId: number, bucket: Bucket, regionPoints: number): void {
    if (this.#bids?.has(machineId) === true) return;
    const { market } = this.#index;
    const judge = this.#judge;
    const provider = market.providerId[machineId]!;
    judge.readAhead(machineId, provider);
    if (!judge.admits(provider) || !judge.hasRoom(machineId)) return;
    let offer = machineId * OFFERS_PER_MACHINE;
    while (market.offerTokenId[offer] !== bucket.forest.tokenId) offer++;
    const price = judge.priceOf(offer);
    if (price > this.#maxPrice) return;
    const base = judge.baseOf(machineId, provider, price, regionPoints);
    this.#candidate(machineId, provider, price, offer - machineId * OFFERS_PER_MACHINE, -1, base);
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
    const judge = this.#judge;
    const region = this.#regionScore(market.region[machineId]!);
    if (region < 0 || !judge.admits(provider) || !judge.hasRoom(machineId) || !judge.hasDevices(machineId)) return;
    let price = Infinity;
    let offerIndex = 0;
    let bidIndex = -1;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      const offer = machineId * OFFERS_PER_MACHINE + index;
      if (market.offerTokenId[offer] !== order.tokenId) continue;
      price = judge.priceOf(offer);
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
    const base = judge.baseOf(machineId, provider, price, region * this.#weightRegion);
    this.#candidate(machineId, provider, price, offerIndex, bidIndex, base);
  }

  /**
   * Lets a machine that passed every filter be the best if its total is. A machine's jitter is reckoned once there is another one or a
   * node that its base alone does not rule out.
   */
  #candidate(
    machineId: number,
    provider: number,
    price: number,
    offerIndex: number,
    bidIndex: number,
    base: number,
  ): void {
    let total = base;
    if (this.#jitterRange > 0) {
      if (base + this.#jitterRange < this.#bestTotal) return;
      if (this.#bestMachine === 0) {
        this.#isPending = true;
      } else {
        this.#settlePending();
        total = base + this.#jitter.of(this.#order.orderId, provider);
      }
    }
    if (total < this.#bestTotal) return;
    if (total === this.#bestTotal) {
      if (provider > this.#bestProvider) return;
      if (provider === this.#bestProvider && machineId > this.#bestMachine) return;
    }
    this.#bestTotal = total;
    this.#bestMachine = machineId;
    this.#bestProvider = provider;
    this.#bestPrice = price;
    this.#bestOffer = offerIndex;
    this.#bestBid = bidIndex;
  }

  /** Gives the best machine its whole total, if its jitter was left out. */
  #settlePending(): void {
    if (!this.#isPending) return;
    this.#isPending = false;
    this.#bestTotal += this.#jitter.of(this.#order.orderId, this.#bestProvider);
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
