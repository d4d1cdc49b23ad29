import { concat, decodeEventLog, encodeEventTopics, keccak256 } from 'viem';
import type { Hex } from 'viem';
import { Market } from '../../engine/market.js';
import type { Bid, Order } from '../../engine/order.js';
import type { Policy } from '../../engine/policy.js';
import { MatchmakerError } from '../../engine/error.js';
import { orderFrom } from '../../protocol/orderSpec.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { policyFrom } from '../../protocol/policyStruct.js';
import { decodeRecords, hashRecords } from '../../protocol/records.js';
import { openRoundAt } from '../../protocol/rounds.js';
import type { Schedule } from '../../protocol/rounds.js';
import { machineWordAfterMatch, machineWordBenched } from '../../protocol/settlementEffects.js';
import { decodeBidWord } from '../../protocol/words/bidWord.js';
import { foldFact } from '../../protocol/words/factsWord.js';
import { decodeMachineWord } from '../../protocol/words/machineWord.js';
import { decodeOfferWord } from '../../protocol/words/offerWord.js';
import { OrderState, orderStateOf } from '../../protocol/words/orderWord.js';
import { decodeProviderWord } from '../../protocol/words/providerWord.js';
import { encodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import {
  decodeSettlementWord,
  foldBatch,
  foldTakenRound,
  TAKEN_ROUND_HASH,
} from '../../protocol/words/settlementWord.js';
import { matchPolicyAbi } from '../contracts/generated/MatchPolicy.js';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../contracts/generated/OrderRequest.js';
import { providerRegistryAbi } from '../contracts/generated/ProviderRegistry.js';
import type { Deployment } from '../deployment.js';
import type { LogFilter, RpcLog } from '../rpc/rpcCall.js';
import { readFactSlot } from './factSlots.js';

/** A block that the state has followed. */
export interface BlockReference {
  readonly number: number;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** A round that was settled in a block. */
export interface SettledRound {
  readonly round: number;
  /** Of its batch; TAKEN_ROUND_HASH when a self-match or the growth of a lease took the round instead. */
  readonly messageHash: Hex;
}

/** The words that commit the contracts to everything this state was built from; zero where nothing was written yet. */
export interface Commitments {
  readonly registryFacts: bigint;
  readonly ordersFacts: bigint;
  readonly settlement: bigint;
  readonly schedule: bigint;
  readonly policyHash: bigint;
  readonly previousPolicyHash: bigint;
}

/** The state can not go back as far as asked. */
export class RollbackTooDeepError extends MatchmakerError<'ROLLBACK_TOO_DEEP'> {
  constructor(number: number, oldest: number) {
    super('ROLLBACK_TOO_DEEP', `the state can not be taken back to block ${number}, only to ${oldest}`, {
      metadata: { number, oldest },
    });
  }
}

/** A log contradicts the logs before it: one of them was lost or forged. */
class LogContradictionError extends MatchmakerError<'LOG_CONTRADICTION'> {
  constructor(what: string) {
    super('LOG_CONTRADICTION', what);
  }
}

interface OrderEntry {
  readonly word: bigint;
  readonly specWord: bigint;
  readonly spec: OrderSpec | null;
  /** Hash of the spec that OrderCreated told, 0 before. */
  readonly specHash: bigint;
  /** The engine's order once word and spec are there and belong together. */
  readonly order: Order | null;
}

/** What must be known of a lease's order, which goes back to matching when its provider is not ready. */
type LeasedSpec = Pick<OrderEntry, 'specWord' | 'spec' | 'specHash'>;

interface ScheduledPolicy {
  readonly hash: Hex;
  readonly policy: Policy;
}

interface Scalars {
  registryFacts: bigint;
  ordersFacts: bigint;
  settlement: bigint;
  schedule: Schedule | null;
  newestPolicy: ScheduledPolicy | null;
  previousPolicy: ScheduledPolicy | null;
  /** First contradiction met since the state began, null while it is sound. */
  damage: string | null;
}

interface JournalBlock {
  readonly block: BlockReference;
  readonly scalarsBefore: Scalars;
  readonly undo: (() => void)[];
}

const [FACT] = encodeEventTopics({ abi: providerRegistryAbi, eventName: 'Fact' });
const [ORDER_CREATED] = encodeEventTopics({ abi: orderRequestAbi, eventName: 'OrderCreated' });
const [BATCH_SETTLED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled' });
const [ROUND_TAKEN] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'RoundTaken' });
const [POLICY_SCHEDULED] = encodeEventTopics({ abi: matchPolicyAbi, eventName: 'PolicyScheduled' });

/** abi.encode of a single dynamic tuple begins with the offset of its body. */
const TUPLE_OFFSET: Hex = `0x${'20'.padStart(64, '0')}`;

/** Which logs a node follows to know the market. */
export function marketLogFilter(deployment: Deployment): LogFilter {
  const { providerRegistry, orderRequest, matchSettlement, matchPolicy } = deployment.contracts;
  return {
    addresses: [providerRegistry, orderRequest, matchSettlement, matchPolicy],
    topics: [FACT, ORDER_CREATED, BATCH_SETTLED, ROUND_TAKEN, POLICY_SCHEDULED],
  };
}

/**
 * The market as the contracts' logs tell it: machines, offers, providers, open orders, bids, the schedule, and the words that
 * commit to all of it. Blocks applied one by one can be taken back one by one. Of a matched order only the spec is kept, which it needs when it
 * goes back to matching; closed orders are forgotten.
 */
export class MarketState {
  /** The engine's columns at `head`, kept in place. */
  readonly market = new Market();
  readonly #contracts: Deployment['contracts'];
  readonly #maxJournal: number;
  readonly #machineWords = new Map<number, bigint>();
  /** By 4 x machine id + offer index. */
  readonly #offerWords = new Map<number, bigint>();
  readonly #providerWords = new Map<number, bigint>();
  readonly #orders = new Map<number, OrderEntry>();
  readonly #leasedSpecs = new Map<number, LeasedSpec>();
  readonly #bids = new Map<number, readonly Bid[]>();
  readonly #touched = new Set<number>();
  #scalars: Scalars = {
    registryFacts: 0n,
    ordersFacts: 0n,
    settlement: 0n,
    schedule: null,
    newestPolicy: null,
    previousPolicy: null,
    damage: null,
  };
  #base: BlockReference;
  readonly #journal: JournalBlock[] = [];
  /** Where changes note how to take themselves back; null while history is loaded. */
  #undo: (() => void)[] | null = null;

  /** An empty market that stands at block `base` (load its history, or apply the blocks after it) and can go back `maxJournal` blocks. */
  constructor(contracts: Deployment['contracts'], base: BlockReference, maxJournal: number) {
    this.#contracts = contracts;
    this.#base = base;
    this.#maxJournal = maxJournal;
  }

  /** The newest block applied. */
  get head(): BlockReference {
    return this.#journal.at(-1)?.block ?? this.#base;
  }

  /** The oldest block that `rollbackTo` reaches. */
  get oldest(): BlockReference {
    return this.#base;
  }

  /** Hash of a followed block; undefined outside oldest..head. */
  hashAt(number: number): Hex | undefined {
    if (number === this.#base.number) return this.#base.hash;
    return this.#journal[number - this.#base.number - 1]?.block.hash;
  }

  get schedule(): Schedule | null {
    return this.#scalars.schedule;
  }

  get lastSettledRound(): number {
    return decodeSettlementWord(this.#scalars.settlement).lastSettledRound;
  }

  /** What is wrong with the state: a contradiction between logs, or an order whose spec is not there. Null when it is sound. */
  get damage(): string | null {
    if (this.#scalars.damage !== null) return this.#scalars.damage;
    for (const [orderId, entry] of this.#orders) {
      if (entry.order === null) return `the word and the spec of order ${orderId} are not both there`;
    }
    return null;
  }

  /** Open round of a followed or future block, 0 for none or while no schedule is known. */
  openRoundAt(block: number): number {
    const { schedule } = this.#scalars;
    if (schedule === null) return 0;
    const oldest = schedule.previous ?? schedule.newest;
    return block < oldest.fromBlock ? 0 : openRoundAt(schedule, block);
  }

  /** The policy a round is matched under, null when the round belongs to no known period. */
  policyOf(round: number): ScheduledPolicy | null {
    const { schedule, newestPolicy, previousPolicy } = this.#scalars;
    if (schedule === null) return null;
    return round >= schedule.newest.fromRound ? newestPolicy : previousPolicy;
  }

  /** The words that the contracts must hold at `head` if no log was lost. */
  get commitments(): Commitments {
    const { registryFacts, ordersFacts, settlement, schedule, newestPolicy, previousPolicy } = this.#scalars;
    return {
      registryFacts,
      ordersFacts,
      settlement,
      schedule: schedule === null ? 0n : encodeScheduleWord(schedule),
      policyHash: BigInt(newestPolicy?.hash ?? 0),
      previousPolicyHash: BigInt(previousPolicy?.hash ?? 0),
    };
  }

  get openOrderCount(): number {
    return this.#orders.size;
  }

  /** Open orders, ascending by id. */
  openOrders(): Order[] {
    const orders: Order[] = [];
    for (const { order } of this.#orders.values()) if (order !== null) orders.push(order);
    return orders.sort((a, b) => a.orderId - b.orderId);
  }

  /** Bids on open orders, by order id, ascending by index. */
  bids(): ReadonlyMap<number, readonly Bid[]> {
    return this.#bids;
  }

  /** A machine's matching word, 0 when it has none. */
  machineWord(machineId: number): bigint {
    return this.#machineWords.get(machineId) ?? 0n;
  }

  /** A machine's newest offer word, 0 when it has none. */
  offerWord(machineId: number, offerIndex: number): bigint {
    return this.#offerWords.get(machineId * 4 + offerIndex) ?? 0n;
  }

  /** A provider's score word, 0 when it has none. */
  providerWord(providerId: number): bigint {
    return this.#providerWords.get(providerId) ?? 0n;
  }

  /** An open order's word, 0 for any other order. */
  openOrderWord(orderId: number): bigint {
    return this.#orders.get(orderId)?.word ?? 0n;
  }

  /** Applies logs of blocks up to the base, in their order; they can not be taken back. */
  loadHistory(logs: readonly RpcLog[]): void {
    this.#undo = null;
    this.#applyLogs(logs);
  }

  /** Applies the block after `head`; returns the rounds it settled. A log that contradicts the state is noted in `damage`, not thrown. */
  apply(block: BlockReference, logs: readonly RpcLog[]): SettledRound[] {
    const entry: JournalBlock = { block, scalarsBefore: { ...this.#scalars }, undo: [] };
    this.#undo = entry.undo;
    const settled = this.#applyLogs(logs);
    this.#journal.push(entry);
    if (this.#journal.length > this.#maxJournal) this.#base = this.#journal.shift()?.block ?? this.#base;
    return settled;
  }

  /** Takes back every block after `number`. Throws RollbackTooDeepError when the journal does not reach that far. */
  rollbackTo(number: number): void {
    if (number < this.#base.number) throw new RollbackTooDeepError(number, this.#base.number);
    this.#undo = null;
    while (this.head.number > number) {
      const last = this.#journal.pop();
      if (last === undefined) return;
      const { scalarsBefore, undo } = last;
      for (let step = undo.length - 1; step >= 0; step--) undo[step]?.();
      this.#scalars = scalarsBefore;
    }
  }

  #applyLogs(logs: readonly RpcLog[]): SettledRound[] {
    const settled: SettledRound[] = [];
    for (const log of logs) {
      try {
        this.#applyLog(log, settled);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.#scalars.damage ??= `block ${log.blockNumber} log ${log.logIndex}: ${error.message}`;
      }
    }
    for (const orderId of this.#touched) this.#completeOrder(orderId);
    this.#touched.clear();
    return settled;
  }

  #applyLog(log: RpcLog, settled: SettledRound[]): void {
    const { providerRegistry, orderRequest, matchSettlement, matchPolicy } = this.#contracts;
    const topic = log.topics[0];
    if (topic === FACT && (log.address === providerRegistry || log.address === orderRequest)) {
      const slot = log.topics[1];
      if (slot === undefined || log.data.length !== 66) throw new LogContradictionError('a fact without slot or value');
      const value = BigInt(log.data);
      if (log.address === providerRegistry)
        this.#scalars.registryFacts = foldFact(this.#scalars.registryFacts, BigInt(slot), value);
      else this.#scalars.ordersFacts = foldFact(this.#scalars.ordersFacts, BigInt(slot), value);
      this.#applyFact(slot, value);
    } else if (topic === ORDER_CREATED && log.address === orderRequest) {
      this.#applyOrderCreated(log);
    } else if (topic === BATCH_SETTLED && log.address === matchSettlement) {
      settled.push(this.#applyBatchSettled(log));
    } else if (topic === ROUND_TAKEN && log.address === matchSettlement) {
      settled.push(this.#applyRoundTaken(log));
    } else if (topic === POLICY_SCHEDULED && log.address === matchPolicy) {
      this.#applyPolicyScheduled(log);
    }
  }

  #applyFact(slotHex: Hex, value: bigint): void {
    const slot = readFactSlot(slotHex);
    switch (slot.kind) {
      case 'machine':
        this.#putMachine(slot.id, value);
        break;
      case 'offer':
        this.#putOffer(slot.id, slot.index, value);
        break;
      case 'provider':
        this.#putProvider(slot.id, value);
        break;
      case 'order':
        this.#putOrder(slot.id, value);
        break;
      case 'spec':
        this.#changeOrder(slot.id, { specWord: value, order: null });
        break;
      case 'bid':
        this.#putBid(slot.id, slot.index, value);
        break;
    }
  }

  #applyOrderCreated(log: RpcLog): void {
    const { args } = decodeEventLog({
      abi: orderRequestAbi,
      eventName: 'OrderCreated',
      topics: topicsOf(log),
      data: log.data,
    });
    // Two words and the tuple's offset come before the tuple's body, so its encoding need not be made anew to be hashed.
    const specHash = BigInt(keccak256(concat([TUPLE_OFFSET, `0x${log.data.slice(2 + 3 * 64)}`])));
    this.#changeOrder(args.orderId, { spec: args.spec, specHash, order: null });
  }

  #applyBatchSettled(log: RpcLog): SettledRound {
    const { args } = decodeEventLog({
      abi: matchSettlementAbi,
      eventName: 'BatchSettled',
      topics: topicsOf(log),
      data: log.data,
    });
    const round = Number(args.round);
    const { messageHash, records, skipped, benched } = args;
    const recordsHash = hashRecords(records);
    this.#scalars.settlement = foldBatch(this.#scalars.settlement, {
      round,
      messageHash,
      recordsHash,
      skipped,
      benched,
    });
    const policy = this.policyOf(round);
    decodeRecords(records).forEach((record, index) => {
      if (isSet(benched, index)) {
        if (policy === null) throw new LogContradictionError(`round ${round} has no known policy`);
        const word = machineWordBenched(this.#knownMachine(record.machineId), round + 1 + policy.policy.coolRounds);
        this.#putMachine(record.machineId, word);
      }
      if (!isSet(skipped, index)) {
        this.#putMachine(record.machineId, machineWordAfterMatch(this.#knownMachine(record.machineId), record));
        this.#leaseOrder(record.orderId);
      }
    });
    return { round, messageHash };
  }

  #applyRoundTaken(log: RpcLog): SettledRound {
    const { args } = decodeEventLog({
      abi: matchSettlementAbi,
      eventName: 'RoundTaken',
      topics: topicsOf(log),
      data: log.data,
    });
    const round = Number(args.round);
    this.#scalars.settlement = foldTakenRound(this.#scalars.settlement, round);
    return { round, messageHash: TAKEN_ROUND_HASH };
  }

  #applyPolicyScheduled(log: RpcLog): void {
    const { args } = decodeEventLog({
      abi: matchPolicyAbi,
      eventName: 'PolicyScheduled',
      topics: topicsOf(log),
      data: log.data,
    });
    const policy = policyFrom(args.policy, args.packing);
    if (hashPolicy(policy) !== args.policyHash)
      throw new LogContradictionError('a policy does not hash to its policy hash');
    const newest = { fromRound: args.fromRound, fromBlock: args.fromBlock, lengthBlocks: args.lengthBlocks };
    this.#scalars.schedule = { newest, previous: this.#scalars.schedule?.newest ?? null };
    this.#scalars.previousPolicy = this.#scalars.newestPolicy;
    this.#scalars.newestPolicy = { hash: args.policyHash, policy };
  }

  #knownMachine(machineId: number): bigint {
    const word = this.#machineWords.get(machineId);
    if (word === undefined) throw new LogContradictionError(`machine ${machineId} was never told of`);
    return word;
  }

  #putMachine(machineId: number, word: bigint): void {
    const count = this.market.machineCount;
    // Ids are given out one by one; a hole means a lost log, and a huge id from a lying node must not size our columns.
    if (machineId < 1 || machineId > count + 1)
      throw new LogContradictionError(`machine ${machineId} follows machine ${count}`);
    const before = this.#machineWords.get(machineId);
    this.market.setMachine(machineId, decodeMachineWord(word));
    this.#machineWords.set(machineId, word);
    this.#undo?.push(() => {
      this.market.setMachine(machineId, decodeMachineWord(before ?? 0n));
      this.market.machineCount = count;
      restore(this.#machineWords, machineId, before);
    });
  }

  #putOffer(machineId: number, index: number, word: bigint): void {
    this.#knownMachine(machineId);
    const key = machineId * 4 + index;
    const before = this.#offerWords.get(key);
    this.market.setOffer(machineId, index, decodeOfferWord(word));
    this.#offerWords.set(key, word);
    this.#undo?.push(() => {
      this.market.setOffer(machineId, index, decodeOfferWord(before ?? 0n));
      restore(this.#offerWords, key, before);
    });
  }

  #putProvider(providerId: number, word: bigint): void {
    const count = this.market.providerCount;
    if (providerId < 1 || providerId > count + 1)
      throw new LogContradictionError(`provider ${providerId} follows provider ${count}`);
    const before = this.#providerWords.get(providerId);
    this.market.setProvider(providerId, decodeProviderWord(word));
    this.#providerWords.set(providerId, word);
    this.#undo?.push(() => {
      this.market.setProvider(providerId, decodeProviderWord(before ?? 0n));
      this.market.providerCount = count;
      restore(this.#providerWords, providerId, before);
    });
  }

  #putBid(orderId: number, bidIndex: number, word: bigint): void {
    const before = this.#bids.get(orderId);
    const { machineId, providerId, priceMicroPerHour, untilRound } = decodeBidWord(word);
    const bid: Bid = { orderId, bidIndex, machineId, providerId, priceMicroPerHour, untilRound };
    const others = (before ?? []).filter((other) => other.bidIndex !== bidIndex);
    this.#setBids(
      orderId,
      [...others, bid].sort((a, b) => a.bidIndex - b.bidIndex),
    );
  }

  #setBids(orderId: number, bids: readonly Bid[] | undefined): void {
    const before = this.#bids.get(orderId);
    restore(this.#bids, orderId, bids);
    this.#undo?.push(() => restore(this.#bids, orderId, before));
  }

  #putOrder(orderId: number, word: bigint): void {
    switch (orderStateOf(word)) {
      case OrderState.OPEN:
        this.#changeOrder(orderId, { word, order: null });
        break;
      case OrderState.MATCHED:
        this.#leaseOrder(orderId);
        break;
      default:
        this.#forgetOrder(orderId);
    }
  }

  #changeOrder(orderId: number, change: Partial<OrderEntry>): void {
    const before = this.#orders.get(orderId) ?? this.#leasedSpecs.get(orderId);
    this.#setOrder(orderId, { word: 0n, specWord: 0n, spec: null, specHash: 0n, order: null, ...before, ...change });
    this.#setLeasedSpec(orderId, undefined);
    this.#touched.add(orderId);
  }

  #leaseOrder(orderId: number): void {
    const open = this.#orders.get(orderId);
    // A lease that is rewritten has its spec here already.
    if (open === undefined) return;
    this.#forgetOrder(orderId);
    const { spec, specHash, specWord } = open;
    this.#setLeasedSpec(orderId, { spec, specHash, specWord });
  }

  #forgetOrder(orderId: number): void {
    this.#setOrder(orderId, undefined);
    this.#setLeasedSpec(orderId, undefined);
    if (this.#bids.has(orderId)) this.#setBids(orderId, undefined);
  }

  #setLeasedSpec(orderId: number, spec: LeasedSpec | undefined): void {
    const before = this.#leasedSpecs.get(orderId);
    if (before === spec) return;
    restore(this.#leasedSpecs, orderId, spec);
    this.#undo?.push(() => restore(this.#leasedSpecs, orderId, before));
  }

  #setOrder(orderId: number, entry: OrderEntry | undefined): void {
    const before = this.#orders.get(orderId);
    restore(this.#orders, orderId, entry);
    this.#undo?.push(() => restore(this.#orders, orderId, before));
  }

  #completeOrder(orderId: number): void {
    const entry = this.#orders.get(orderId);
    if (entry === undefined || entry.spec === null || entry.specHash !== entry.specWord || entry.word === 0n) return;
    try {
      this.#setOrder(orderId, { ...entry, order: orderFrom(orderId, entry.word, entry.spec) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#scalars.damage ??= `order ${orderId}: ${error.message}`;
    }
  }
}

function restore<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function isSet(bitmap: readonly bigint[], index: number): boolean {
  return (((bitmap[Math.floor(index / 256)] ?? 0n) >> BigInt(index % 256)) & 1n) === 1n;
}

function topicsOf(log: RpcLog): [Hex, ...Hex[]] {
  const [selector, ...indexed] = log.topics;
  if (selector === undefined) throw new LogContradictionError('a log without topics');
  return [selector, ...indexed];
}
