import { decodeEventLog, encodeEventTopics } from 'viem';
import type { Hex } from 'viem';
import type { Market } from '../../engine/market.js';
import type { Bid, Order } from '../../engine/order.js';
import type { Policy } from '../../engine/policy.js';
import { MatchmakerError } from '../../engine/error.js';
import { keccakHex } from '../../protocol/keccakHex.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { policyFrom } from '../../protocol/policyStruct.js';
import { decodeRecords, hashRecords } from '../../protocol/records.js';
import { openRoundAt } from '../../protocol/rounds.js';
import type { Schedule } from '../../protocol/rounds.js';
import { machineAfterMatch, machineBenched } from '../../protocol/settlementEffects.js';
import { FactsWord } from '../../protocol/words/factsWord.js';
import { encodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import {
  decodeSettlementWord,
  foldBatch,
  foldTakenRound,
  TAKEN_ROUND_HASH,
} from '../../protocol/words/settlementWord.js';
import { LIMBS, wordOfLimbs } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';
import { matchPolicyAbi } from '../contracts/generated/MatchPolicy.js';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../contracts/generated/OrderRequest.js';
import { providerRegistryAbi } from '../contracts/generated/ProviderRegistry.js';
import type { Deployment } from '../deployment.js';
import type { LogFilter, RpcLog } from '../rpc/rpcCall.js';
import { readFactSlot } from './factSlots.js';
import { decodeBatchSettled, decodeFact, decodeOrderCreated, decodeRoundTaken, topicsOf } from './logDecoding.js';
import { LogContradictionError, MarketColumns } from './marketColumns.js';
import { OrderBook } from './orderBook.js';
import type { OrderBookContent, UndoSteps } from './orderBook.js';
import { WordJournal } from './wordJournal.js';

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

/** A policy and its hash. */
export interface ScheduledPolicy {
  readonly hash: Hex;
  readonly policy: Policy;
}

/** Everything a state is made of at its head, for keeping it and for going on from it. */
export interface MarketContent {
  readonly block: BlockReference;
  readonly registryFacts: bigint;
  readonly ordersFacts: bigint;
  readonly settlement: bigint;
  readonly schedule: Schedule | null;
  readonly newestPolicy: ScheduledPolicy | null;
  readonly previousPolicy: ScheduledPolicy | null;
  /** Machines, offers and providers, live: they change when the state goes on. */
  readonly columns: MarketColumns;
  /** Live as the columns are. */
  readonly orders: OrderBookContent;
}

interface Scalars {
  settlement: bigint;
  schedule: Schedule | null;
  newestPolicy: ScheduledPolicy | null;
  previousPolicy: ScheduledPolicy | null;
  /** First contradiction met since the state began, null while it is sound. */
  damage: string | null;
}

interface JournalBlock {
  readonly block: BlockReference;
  readonly registryFactsBefore: bigint;
  readonly ordersFactsBefore: bigint;
  readonly scalarsBefore: Scalars;
  readonly words: WordJournal;
  readonly orders: UndoSteps;
}

const [FACT] = encodeEventTopics({ abi: providerRegistryAbi, eventName: 'Fact' });
const [ORDER_CREATED] = encodeEventTopics({ abi: orderRequestAbi, eventName: 'OrderCreated' });
const [BATCH_SETTLED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled' });
const [ROUND_TAKEN] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'RoundTaken' });
const [POLICY_SCHEDULED] = encodeEventTopics({ abi: matchPolicyAbi, eventName: 'PolicyScheduled' });

/** abi.encode of a single dynamic tuple begins with the offset of its body. */
const TUPLE_OFFSET = '20'.padStart(64, '0');
/** Characters of OrderCreated's data before the tuple's body: the prefix, two words and the tuple's offset. */
const TUPLE_BODY = 2 + 3 * 64;

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
  readonly #contracts: Deployment['contracts'];
  readonly #maxJournal: number;
  readonly #columns: MarketColumns;
  readonly #orders = new OrderBook();
  readonly #registryFacts = new FactsWord();
  readonly #ordersFacts = new FactsWord();
  readonly #slot: WordLimbs = new Uint32Array(LIMBS);
  readonly #value: WordLimbs = new Uint32Array(LIMBS);
  #scalars: Scalars = {
    settlement: 0n,
    schedule: null,
    newestPolicy: null,
    previousPolicy: null,
    damage: null,
  };
  #base: BlockReference;
  readonly #journal: JournalBlock[] = [];

  /**
   * An empty market that stands at block `base` (load its history, or apply the blocks after it) and can go back `maxJournal` blocks; or,
   * with `content`, the market as it was kept at its block. Throws what orderFrom throws for content whose orders do not belong to their
   * specs.
   */
  constructor(contracts: Deployment['contracts'], base: BlockReference, maxJournal: number, content?: MarketContent) {
    this.#contracts = contracts;
    this.#base = base;
    this.#maxJournal = maxJournal;
    this.#columns = content?.columns ?? new MarketColumns();
    if (content === undefined) return;
    const { registryFacts, ordersFacts, settlement, schedule, newestPolicy, previousPolicy } = content;
    this.#registryFacts.word = registryFacts;
    this.#ordersFacts.word = ordersFacts;
    this.#scalars = { settlement, schedule, newestPolicy, previousPolicy, damage: null };
    this.#orders.restore(content.orders);
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
    const orderId = this.#orders.incompleteOrder;
    return orderId === undefined ? null : `the word and the spec of order ${orderId} are not both there`;
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
    const { settlement, schedule, newestPolicy, previousPolicy } = this.#scalars;
    return {
      registryFacts: this.#registryFacts.word,
      ordersFacts: this.#ordersFacts.word,
      settlement,
      schedule: schedule === null ? 0n : encodeScheduleWord(schedule),
      policyHash: BigInt(newestPolicy?.hash ?? 0),
      previousPolicyHash: BigInt(previousPolicy?.hash ?? 0),
    };
  }

  get openOrderCount(): number {
    return this.#orders.openOrderCount;
  }

  /** The engine's columns at `head`, kept in place. */
  get market(): Market {
    return this.#columns.market;
  }

  /** Open orders, ascending by id; the list stays as it is when the state goes on. */
  openOrders(): readonly Order[] {
    return this.#orders.openOrders();
  }

  /** Bids on open orders, by order id, ascending by index. */
  bids(): ReadonlyMap<number, readonly Bid[]> {
    return this.#orders.bids;
  }

  /** A machine's matching word, 0 when it has none. */
  machineWord(machineId: number): bigint {
    return this.#columns.machineWord(machineId);
  }

  /** A machine's newest offer word, 0 when it has none. */
  offerWord(machineId: number, offerIndex: number): bigint {
    return this.#columns.offerWord(machineId, offerIndex);
  }

  /** A provider's score word, 0 when it has none. */
  providerWord(providerId: number): bigint {
    return this.#columns.providerWord(providerId);
  }

  /** An open order's word, 0 for any other order. */
  openOrderWord(orderId: number): bigint {
    return this.#orders.openOrderWord(orderId);
  }

  /** The whole state at `head`. */
  get content(): MarketContent {
    const { settlement, schedule, newestPolicy, previousPolicy } = this.#scalars;
    return {
      block: this.head,
      registryFacts: this.#registryFacts.word,
      ordersFacts: this.#ordersFacts.word,
      settlement,
      schedule,
      newestPolicy,
      previousPolicy,
      columns: this.#columns,
      orders: this.#orders.content,
    };
  }

  /** Applies logs of blocks up to the base, in their order; they can not be taken back. */
  loadHistory(logs: readonly RpcLog[]): void {
    this.#noteIn(null);
    this.#applyLogs(logs);
  }

  /** Applies the block after `head`; returns the rounds it settled. A log that contradicts the state is noted in `damage`, not thrown. */
  apply(block: BlockReference, logs: readonly RpcLog[]): SettledRound[] {
    const entry: JournalBlock = {
      block,
      registryFactsBefore: this.#registryFacts.word,
      ordersFactsBefore: this.#ordersFacts.word,
      scalarsBefore: { ...this.#scalars },
      words: new WordJournal(),
      orders: [],
    };
    this.#noteIn(entry);
    const settled = this.#applyLogs(logs);
    this.#journal.push(entry);
    if (this.#journal.length > this.#maxJournal) this.#base = this.#journal.shift()?.block ?? this.#base;
    return settled;
  }

  /** Takes back every block after `number`. Throws RollbackTooDeepError when the journal does not reach that far. */
  rollbackTo(number: number): void {
    if (number < this.#base.number) throw new RollbackTooDeepError(number, this.#base.number);
    this.#noteIn(null);
    while (this.head.number > number) {
      const last = this.#journal.pop();
      if (last === undefined) return;
      this.#columns.takeBack(last.words);
      for (let step = last.orders.length - 1; step >= 0; step--) last.orders[step]?.();
      this.#registryFacts.word = last.registryFactsBefore;
      this.#ordersFacts.word = last.ordersFactsBefore;
      this.#scalars = last.scalarsBefore;
    }
  }

  #noteIn(entry: JournalBlock | null): void {
    this.#columns.journal = entry?.words ?? null;
    this.#orders.undo = entry?.orders ?? null;
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
    const problem = this.#orders.completeOrders();
    this.#scalars.damage ??= problem;
    return settled;
  }

  #applyLog(log: RpcLog, settled: SettledRound[]): void {
    const { providerRegistry, orderRequest, matchSettlement, matchPolicy } = this.#contracts;
    const topic = log.topics[0];
    if (topic === FACT && (log.address === providerRegistry || log.address === orderRequest)) {
      decodeFact(log, this.#slot, this.#value);
      const facts = log.address === providerRegistry ? this.#registryFacts : this.#ordersFacts;
      facts.fold(this.#slot, this.#value);
      this.#applyFact(this.#slot, this.#value);
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

  #applyFact(slotWord: WordLimbs, value: WordLimbs): void {
    const slot = readFactSlot(slotWord);
    switch (slot.kind) {
      case 'machine':
        this.#columns.putMachine(slot.id, value);
        break;
      case 'offer':
        this.#columns.putOffer(slot.id, slot.index, value);
        break;
      case 'provider':
        this.#columns.putProvider(slot.id, value);
        break;
      case 'order':
        this.#orders.putWord(slot.id, wordOfLimbs(value));
        break;
      case 'spec':
        this.#orders.putSpecWord(slot.id, wordOfLimbs(value));
        break;
      case 'bid':
        this.#orders.putBid(slot.id, slot.index, wordOfLimbs(value));
        break;
    }
  }

  #applyOrderCreated(log: RpcLog): void {
    const { orderId, spec } = decodeOrderCreated(log);
    // The tuple's encoding is there already, so it need not be made anew to be hashed.
    const specHash = BigInt(keccakHex(TUPLE_OFFSET, log.data.slice(TUPLE_BODY)));
    this.#orders.putSpec(orderId, spec, specHash);
  }

  #applyBatchSettled(log: RpcLog): SettledRound {
    const { round, messageHash, records, skipped, benched } = decodeBatchSettled(log);
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
      const { machineId } = record;
      if (isSet(benched, index)) {
        if (policy === null) throw new LogContradictionError(`round ${round} has no known policy`);
        const benchFromRound = round + 1 + policy.policy.coolRounds;
        this.#columns.changeMachine(machineId, (machine) => machineBenched(machine, benchFromRound));
      }
      if (!isSet(skipped, index)) {
        this.#columns.changeMachine(machineId, (machine) => machineAfterMatch(machine, record));
        this.#orders.lease(record.orderId);
      }
    });
    return { round, messageHash };
  }

  #applyRoundTaken(log: RpcLog): SettledRound {
    const round = decodeRoundTaken(log);
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
}

function isSet(bitmap: readonly bigint[], index: number): boolean {
  return (((bitmap[Math.floor(index / 256)] ?? 0n) >> BigInt(index % 256)) & 1n) === 1n;
}
