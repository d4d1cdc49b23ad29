import {
  decodeEventLog,
  decodeFunctionResult,
  encodeEventTopics,
  encodeFunctionData,
  toEventSelector,
  type Hex,
} from 'viem';
import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import { computeLeaseAbi } from '../chain/contracts/generated/ComputeLease.js';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../chain/contracts/generated/OrderRequest.js';
import type { Deployment } from '../chain/deployment.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import {
  blockByNumber,
  callAt,
  logsInRange,
  storageAt,
  type Block,
  type LogFilter,
  type RpcLog,
} from '../chain/rpc/rpcCall.js';
import { readFactSlot } from '../chain/sync/factSlots.js';
import { MarketState, marketLogFilter } from '../chain/sync/marketState.js';
import { differenceBetween, roundWordsAt } from '../chain/sync/roundWords.js';
import { explainOrder, type OrderExplanation } from '../engine/explainOrder.js';
import type { OfferFields } from '../engine/market.js';
import { matchRound } from '../engine/matchRound.js';
import type { Policy } from '../engine/policy.js';
import { priceAt, type Resources } from '../engine/price.js';
import type { MatchRecord } from '../engine/record.js';
import { referenceMatchRound } from '../engine/reference/referenceMatcher.js';
import { rejectionName } from '../engine/rejectionReason.js';
import type { Snapshot } from '../engine/snapshot.js';
import { operatorSetKey } from '../protocol/operatorSet.js';
import { decodeRecord, decodeRecords, encodeRecord } from '../protocol/records.js';
import { snapshotBlockOf } from '../protocol/rounds.js';
import { roundSeed } from '../protocol/seed.js';
import { leaseWordOf } from '../protocol/settlementEffects.js';
import { decodeOfferWord } from '../protocol/words/offerWord.js';
import { decodeLeaseWord, OrderState, orderStateOf } from '../protocol/words/orderWord.js';
import { limbsOf } from '../protocol/words/wordLimbs.js';
import { decodeScheduleWord } from '../protocol/words/scheduleWord.js';
import { MACHINE_WORD, machineSlot, ORDER_WORD, orderSlot, SCHEDULE_SLOT } from '../protocol/words/slots.js';

/** An order that no round matched, and the furthest filter that any machine reached for it in the last closed round. */
export interface UnmatchedOrder {
  readonly orderId: number;
  readonly reason: string;
}

/** What a closed round made of one order, and why. */
export interface ExplainedRound {
  readonly round: number;
  readonly explanation: OrderExplanation;
}

/** What a replay of the chain found. */
export interface AuditReport {
  /** Closed rounds in which at least one order stood to be matched. */
  readonly rounds: number;
  readonly settlements: number;
  /** Leases that batches made; an order that went back to matching and was matched again counts twice. */
  readonly matched: number;
  /** Leases that tenants made of their own orders. */
  readonly selfMatched: number;
  /** Rounds whose place a self-match or the growth of a lease took. */
  readonly takenRounds: readonly number[];
  /** Times that an order went back to matching because its provider was not ready. */
  readonly reopened: number;
  readonly skipped: number;
  readonly unmatched: readonly UnmatchedOrder[];
  /** Closed rounds that had matches to settle and were not settled; their orders were in the next. */
  readonly lapsedRounds: readonly number[];
  /** Last closed round, 0 for none. */
  readonly lastClosedRound: number;
  /** Matches that the last closed round should have had but lapsed with. */
  readonly lapsedInLastRound: number;
  /** Of the orders that were asked about: every closed round in which they could be matched, ascending. */
  readonly explained: ReadonlyMap<number, readonly ExplainedRound[]>;
  /** Every way in which the chain differs from what the rules make of it. */
  readonly mismatches: readonly string[];
}

/** A wrong match that a run had a colluding quorum settle. */
export interface PlantedMatch {
  readonly round: number;
  /** Digest that the quorum signed. */
  readonly messageHash: Hex;
  /** What was settled for the order. */
  readonly settled: MatchRecord;
  /** What the rules give it. */
  readonly honest: MatchRecord;
}

export interface AuditOptions {
  /** Every so many rounds are computed by the brute-force matcher and the others by the engine; default 1, none by the engine. */
  readonly bruteForceEvery?: number;
  /** Orders whose rounds are explained. */
  readonly explain?: readonly number[];
  /** Must be found as it was planted, and is then no mismatch; everything else is one. */
  readonly planted?: PlantedMatch;
}

/** The operator table that certificates of rounds from `fromRound` on name. */
interface RecordedTable {
  readonly fromRound: number;
  readonly timestamp: number;
  readonly hash: Hex;
}

interface ExpectedRound {
  readonly records: readonly MatchRecord[];
  readonly messageHash: Hex | null;
}

const [FACT] = encodeEventTopics({ abi: orderRequestAbi, eventName: 'Fact' });
const [ORDER_SELF_MATCHED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'OrderSelfMatched' });
const TABLE_RECORDED = toEventSelector(
  'event TableRecorded(uint32 indexed tableTimestamp, uint32 fromRound, bytes32 tableHash, uint96 totalWeight)',
);
const BLOCKS_PER_LOG_CALL = 200;
const CALLS_PER_BATCH = 100;

/**
 * Replays the market from its first block to `endBlock` from nothing but the chain's logs, computes every closed round anew with the
 * brute-force matcher, and compares with what was settled, with every lease and machine word in the chain's storage, and with the words
 * that the contracts keep of all facts. Throws what the RPC throws.
 */
export async function auditRun(
  deployment: Deployment,
  rpc: Rpc,
  endBlock: number,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const replay = new Replay(deployment, await readHistory(deployment, rpc, endBlock), options);
  replay.run();
  await replay.compareWithStorage(rpc);
  return replay.report();
}

interface History {
  readonly blocks: ReadonlyMap<number, Block>;
  readonly endBlock: Block;
  readonly logs: ReadonlyMap<number, readonly RpcLog[]>;
  readonly tables: readonly RecordedTable[];
  readonly lastClosedRound: number;
}

async function readHistory(deployment: Deployment, rpc: Rpc, end: number): Promise<History> {
  const { contracts, deploymentBlock } = deployment;
  const blocks = new Map<number, Block>();
  const numbers = Array.from({ length: end - deploymentBlock + 2 }, (_, index) => deploymentBlock - 1 + index);
  for (let start = 0; start < numbers.length; start += CALLS_PER_BATCH) {
    const answers = await rpc.batch(
      numbers.slice(start, start + CALLS_PER_BATCH).map((number) => blockByNumber(number)),
    );
    for (const block of answers) if (block !== null) blocks.set(block.number, block);
  }
  const endBlock = blocks.get(end);
  if (endBlock === undefined) throw new Error(`the chain has no block ${end}`);

  const logs = new Map<number, RpcLog[]>();
  const followed = marketLogFilter(deployment);
  // Nodes need no more than its facts to follow a self-match.
  const filter: LogFilter = { ...followed, topics: [...followed.topics, ORDER_SELF_MATCHED] };
  const tableFilter: LogFilter = { addresses: [contracts.matchSettlement], topics: [TABLE_RECORDED] };
  const tables: RecordedTable[] = [];
  for (let from = deploymentBlock; from <= end; from += BLOCKS_PER_LOG_CALL) {
    const to = Math.min(end, from + BLOCKS_PER_LOG_CALL - 1);
    const [market, recorded] = await rpc.batch([logsInRange(from, to, filter), logsInRange(from, to, tableFilter)]);
    for (const log of market) {
      const known = logs.get(log.blockNumber);
      if (known === undefined) logs.set(log.blockNumber, [log]);
      else known.push(log);
    }
    tables.push(...recorded.map(recordedTable));
  }
  const schedule = decodeScheduleWord(
    await rpc.request(storageAt(contracts.matchPolicy, SCHEDULE_SLOT, endBlock.hash)),
  );
  let lastClosedRound = 0;
  while (snapshotBlockOf(schedule, lastClosedRound + 2) <= end) lastClosedRound++;
  return { blocks, endBlock, logs, tables, lastClosedRound };
}

function recordedTable(log: RpcLog): RecordedTable {
  const { args } = decodeEventLog({
    abi: matchSettlementAbi,
    eventName: 'TableRecorded',
    data: log.data,
    topics: log.topics as [Hex, ...Hex[]],
  });
  return { fromRound: args.fromRound, timestamp: args.tableTimestamp, hash: args.tableHash };
}

function offerPrice(resources: Resources, offer: OfferFields): number {
  return priceAt(
    resources,
    offer.gpuMicroPerHour,
    offer.coreMicroPerHour,
    offer.memoryGibMicroPerHour,
    offer.storageTibMicroPerHour,
  );
}

class Replay {
  readonly #deployment: Deployment;
  readonly #history: History;
  readonly #state: MarketState;
  readonly #mismatches: string[] = [];
  readonly #expected = new Map<number, ExpectedRound>();
  readonly #settledRounds = new Set<number>();
  /** Order and lease words as settlements and facts leave them. */
  readonly #orderWords = new Map<number, bigint>();
  /** Lease words of self-matches whose fact is still to come in the same transaction. */
  readonly #selfMatches = new Map<number, bigint>();
  /** Orders for which a closed round had a machine, with the first such round. */
  readonly #firstMachineIn = new Map<number, number>();
  /** Orders that were eligible in some closed round. */
  readonly #inClosedRound = new Set<number>();
  readonly #unmatched: UnmatchedOrder[] = [];
  readonly #explained: ReadonlyMap<number, ExplainedRound[]>;
  readonly #planted: PlantedMatch | undefined;
  readonly #bruteForceEvery: number;
  readonly #lapsed: number[] = [];
  readonly #taken: number[] = [];
  #rounds = 0;
  #matched = 0;
  #selfMatched = 0;
  #reopened = 0;
  #skipped = 0;

  constructor(deployment: Deployment, history: History, { explain = [], planted, bruteForceEvery = 1 }: AuditOptions) {
    this.#explained = new Map(explain.map((orderId) => [orderId, []]));
    this.#planted = planted;
    this.#bruteForceEvery = bruteForceEvery;
    this.#deployment = deployment;
    this.#history = history;
    const before = history.blocks.get(deployment.deploymentBlock - 1);
    if (before === undefined) throw new Error(`the chain has no block ${deployment.deploymentBlock - 1}`);
    this.#state = new MarketState(deployment.contracts, before, 1);
  }

  run(): void {
    const { blocks, logs, endBlock, lastClosedRound } = this.#history;
    for (let number = this.#deployment.deploymentBlock; number <= endBlock.number; number++) {
      const block = blocks.get(number);
      if (block === undefined) throw new Error(`the chain has no block ${number}`);
      const blockLogs = logs.get(number) ?? [];
      for (const log of blockLogs) this.#takeLog(block, log);
      this.#state.apply(block, blockLogs);
      const { schedule } = this.#state;
      if (schedule === null || number < schedule.newest.fromBlock) continue;
      const round = this.#state.openRoundAt(number) + 1;
      if (snapshotBlockOf(schedule, round) === number) this.#takeRound(round, block);
    }
    if (this.#planted !== undefined && !this.#settledRounds.has(this.#planted.round))
      this.#mismatches.push(`round ${this.#planted.round}: the planted batch was not settled`);
    if (this.#state.damage !== null)
      this.#mismatches.push(`the chain's logs contradict each other: ${this.#state.damage}`);
    for (const [round, { records }] of this.#expected) {
      if (round <= lastClosedRound && records.length > 0 && !this.#settledRounds.has(round)) this.#lapsed.push(round);
    }
    const lastSnapshotBlock = this.#lastSnapshotBlock();
    for (const order of this.#state.openOrders()) {
      if (order.eligibleFromBlock <= lastSnapshotBlock && !this.#inClosedRound.has(order.orderId)) {
        this.#mismatches.push(`order ${order.orderId} was in no closed round`);
      }
      const round = this.#firstMachineIn.get(order.orderId);
      if (round !== undefined) {
        this.#mismatches.push(`order ${order.orderId} is unmatched although round ${round} had a machine for it`);
      }
    }
  }

  /** Every order, lease, machine and facts word of the chain against what the replay arrived at. */
  async compareWithStorage(rpc: Rpc): Promise<void> {
    const { orderRequest, providerRegistry } = this.#deployment.contracts;
    const at = this.#history.endBlock.hash;
    const orders = [...this.#orderWords];
    for (let start = 0; start < orders.length; start += CALLS_PER_BATCH) {
      const part = orders.slice(start, start + CALLS_PER_BATCH);
      const words = await rpc.batch(
        part.map(([orderId]) => storageAt(orderRequest, orderSlot(orderId, ORDER_WORD), at)),
      );
      part.forEach(([orderId, word], index) => {
        if (words[index] !== word)
          this.#mismatches.push(`order ${orderId}: the chain holds another word than its logs tell`);
      });
    }
    await this.#compareLeases(rpc);
    const machines = Array.from({ length: this.#state.market.machineCount }, (_, index) => index + 1);
    for (let start = 0; start < machines.length; start += CALLS_PER_BATCH) {
      const part = machines.slice(start, start + CALLS_PER_BATCH);
      const words = await rpc.batch(part.map((id) => storageAt(providerRegistry, machineSlot(id, MACHINE_WORD), at)));
      part.forEach((id, index) => {
        if (words[index] !== this.#state.machineWord(id)) {
          this.#mismatches.push(`machine ${id}: the chain holds another word than logs and leases lead to`);
        }
      });
    }
    const reading = roundWordsAt(this.#deployment.contracts, this.#history.endBlock, 'storage');
    const { commitments } = reading.read(await rpc.batch(reading.calls));
    const difference = differenceBetween(this.#state.commitments, commitments);
    if (difference !== null) this.#mismatches.push(difference);
  }

  report(): AuditReport {
    const { lastClosedRound } = this.#history;
    const last = this.#expected.get(lastClosedRound);
    return {
      rounds: this.#rounds,
      settlements: this.#settledRounds.size,
      matched: this.#matched,
      selfMatched: this.#selfMatched,
      takenRounds: this.#taken,
      reopened: this.#reopened,
      skipped: this.#skipped,
      unmatched: this.#unmatched,
      lapsedRounds: this.#lapsed,
      explained: this.#explained,
      lastClosedRound,
      lapsedInLastRound: this.#settledRounds.has(lastClosedRound) ? 0 : (last?.records.length ?? 0),
      mismatches: this.#mismatches,
    };
  }

  #takeRound(round: number, block: Block): void {
    const scheduled = this.#state.policyOf(round);
    if (scheduled === null) throw new Error(`round ${round} has no policy`);
    const snapshot: Snapshot = {
      round,
      blockNumber: block.number,
      snapshotHash: block.hash,
      timestampSeconds: block.timestamp,
      orders: this.#state.openOrders(),
      bids: this.#state.bids(),
      market: this.#state.market,
    };
    const eligible = snapshot.orders.filter(
      (order) =>
        order.isOpen &&
        order.eligibleFromBlock <= block.number &&
        round < order.untilRound &&
        block.timestamp < order.expiresAtSeconds,
    );
    const seed = roundSeed(block.hash, round);
    const match = round % this.#bruteForceEvery === 0 ? referenceMatchRound : matchRound;
    const records = eligible.length === 0 ? [] : match(snapshot, scheduled.policy, seed);
    this.#expected.set(round, { records, messageHash: this.#messageHash(snapshot, scheduled.hash, records) });
    if (round > this.#history.lastClosedRound) return;
    if (eligible.length > 0) this.#rounds++;
    for (const { orderId } of eligible) {
      this.#inClosedRound.add(orderId);
      this.#explained
        .get(orderId)
        ?.push({ round, explanation: explainOrder(snapshot, scheduled.policy, seed, orderId) });
    }
    for (const { orderId } of records) {
      if (!this.#firstMachineIn.has(orderId)) this.#firstMachineIn.set(orderId, round);
    }
    if (round === this.#history.lastClosedRound) this.#explainUnmatched(snapshot, scheduled.policy, seed, records);
  }

  #messageHash(snapshot: Snapshot, policyHash: Hex, records: readonly MatchRecord[]): Hex | null {
    const table = this.#history.tables.findLast(({ fromRound }) => fromRound <= snapshot.round);
    if (table === undefined || records.length === 0) return null;
    const context = {
      round: snapshot.round,
      snapshotBlock: snapshot.blockNumber,
      snapshot,
      policyHash,
      operatorSetKey: operatorSetKey(this.#deployment.operatorSet),
      table: {
        timestamp: table.timestamp,
        hash: table.hash,
        totalWeight: 0n,
        entries: [],
        verifierMaxAgeSeconds: null,
      },
    };
    return buildMatchBatch(context, records, {
      chainId: this.#deployment.chainId,
      settlement: this.#deployment.contracts.matchSettlement,
    }).messageHash;
  }

  #explainUnmatched(snapshot: Snapshot, policy: Policy, seed: Hex, records: readonly MatchRecord[]): void {
    const matched = new Set(records.map(({ orderId }) => orderId));
    // Unmatched orders reserve nothing, so an order's own explanation needs none but the matched ones before it.
    const reserving = snapshot.orders.filter(({ orderId }) => matched.has(orderId));
    for (const order of snapshot.orders) {
      if (matched.has(order.orderId)) continue;
      const orders = [...reserving, order].sort((a, b) => a.orderId - b.orderId);
      const { outcome, decidingReason } = explainOrder({ ...snapshot, orders }, policy, seed, order.orderId);
      this.#unmatched.push({
        orderId: order.orderId,
        reason: decidingReason === undefined ? outcome : rejectionName(decidingReason),
      });
    }
  }

  #takeLog(block: Block, log: RpcLog): void {
    const { orderRequest, matchSettlement } = this.#deployment.contracts;
    if (log.address === matchSettlement) this.#takeSettlementLog(block, log);
    else if (log.address === orderRequest && log.topics[0] === FACT) this.#takeOrderFact(log);
  }

  #takeSettlementLog(block: Block, log: RpcLog): void {
    const event = decodeEventLog({ abi: matchSettlementAbi, data: log.data, topics: log.topics as [Hex, ...Hex[]] });
    switch (event.eventName) {
      case 'BatchSettled':
        this.#takeBatch(block, event.args);
        break;
      case 'RoundTaken': {
        const round = Number(event.args.round);
        this.#takeSettledRound(round);
        this.#taken.push(round);
        break;
      }
      case 'OrderSelfMatched':
        this.#takeSelfMatch(block, Number(event.args.round), event.args.orderId, BigInt(event.args.record));
        break;
    }
  }

  #takeBatch(
    block: Block,
    batch: {
      readonly round: bigint;
      readonly messageHash: Hex;
      readonly records: Hex;
      readonly skipped: readonly bigint[];
    },
  ): void {
    const round = Number(batch.round);
    this.#takeSettledRound(round);
    const settled = decodeRecords(batch.records);
    this.#compareRound(round, block, settled, batch.messageHash);
    settled.forEach((record, index) => {
      if ((((batch.skipped[index >> 8] ?? 0n) >> BigInt(index & 255)) & 1n) === 1n) {
        this.#skipped++;
        return;
      }
      this.#matched++;
      this.#orderWords.set(record.orderId, leaseWordOf(record, block.timestamp));
    });
  }

  #takeSettledRound(round: number): void {
    if (this.#settledRounds.has(round)) this.#mismatches.push(`round ${round} was settled twice`);
    this.#settledRounds.add(round);
  }

  /** A self-match needs the round behind it, and a machine whose own offer has that price; its words follow as facts. */
  #takeSelfMatch(block: Block, round: number, orderId: number, word: bigint): void {
    this.#selfMatched++;
    const record = decodeRecord(word);
    const where = `order ${orderId}, matched by its tenant in round ${round}`;
    if (!this.#settledRounds.has(round)) this.#mismatches.push(`${where}: the round was neither settled nor taken`);
    if (record.orderId !== orderId || record.fromBid) this.#mismatches.push(`${where}: the record is not the order's`);
    const open = this.#state.openOrders().find((order) => order.orderId === orderId);
    if (open === undefined) {
      this.#mismatches.push(`${where}: the order was not open before block ${block.number}`);
      return;
    }
    const offer = decodeOfferWord(this.#state.offerWord(record.machineId, record.offerIndex));
    // Newer terms do not count yet in the open round; which they replaced is only in the chain's storage.
    if (offer.fromRound <= round && record.priceMicroPerHour !== offerPrice(open, offer)) {
      this.#mismatches.push(`${where}: ${record.priceMicroPerHour} is not the offer's price`);
    }
    this.#selfMatches.set(orderId, leaseWordOf(record, block.timestamp));
  }

  #takeOrderFact(log: RpcLog): void {
    const slot = readFactSlot(limbsOf(BigInt(log.topics[1] ?? 0)));
    if (slot.kind !== 'order') return;
    const word = BigInt(log.data);
    const before = this.#orderWords.get(slot.id) ?? 0n;
    this.#orderWords.set(slot.id, word);
    const selfMatched = this.#selfMatches.get(slot.id);
    if (selfMatched !== undefined) {
      this.#selfMatches.delete(slot.id);
      if (word !== selfMatched)
        this.#mismatches.push(`order ${slot.id}: its tenant matched another lease than was written`);
    }
    if (orderStateOf(word) !== OrderState.OPEN || orderStateOf(before) !== OrderState.MATCHED) return;
    // The order waits for the rounds after this block as a new one does.
    this.#reopened++;
    this.#inClosedRound.delete(slot.id);
    this.#firstMachineIn.delete(slot.id);
  }

  #compareRound(round: number, block: Block, settled: readonly MatchRecord[], messageHash: Hex): void {
    const { schedule } = this.#state;
    const expected = this.#expected.get(round);
    if (schedule === null || expected === undefined) {
      this.#mismatches.push(`round ${round} was settled in block ${block.number}, before its snapshot`);
      return;
    }
    if (block.number > snapshotBlockOf(schedule, round + 1)) {
      this.#mismatches.push(`round ${round} was settled in block ${block.number}, after it had closed`);
    }
    const planted = this.#planted?.round === round ? this.#planted : undefined;
    if (planted !== undefined) this.#comparePlanted(planted, expected, messageHash);
    const words = new Map(expected.records.map((record) => [record.orderId, encodeRecord(record)]));
    for (const record of settled) {
      const word = words.get(record.orderId);
      words.delete(record.orderId);
      const isPlanted = planted !== undefined && encodeRecord(planted.settled) === encodeRecord(record);
      if (word !== encodeRecord(record) && !isPlanted) {
        this.#mismatches.push(
          `round ${round}, order ${record.orderId}: settled on machine ${record.machineId} for ${record.priceMicroPerHour}, the rules ${
            word === undefined ? 'match it with none' : 'say otherwise'
          }`,
        );
      }
    }
    for (const orderId of words.keys())
      this.#mismatches.push(`round ${round}, order ${orderId}: left out of the batch`);
    if (messageHash !== expected.messageHash && planted === undefined) {
      this.#mismatches.push(
        `round ${round}: the certificate was for ${messageHash}, the rules give ${expected.messageHash}`,
      );
    }
  }

  /** The planted match is not what the rules give, and its honest one is; the quorum signed this very batch. */
  #comparePlanted({ round, settled, honest, messageHash }: PlantedMatch, expected: ExpectedRound, signed: Hex): void {
    const words = expected.records.map((record) => encodeRecord(record));
    if (!words.includes(encodeRecord(honest)) || words.includes(encodeRecord(settled))) {
      this.#mismatches.push(`round ${round}, order ${settled.orderId}: the planted match is not the wrong one`);
    }
    if (signed !== messageHash) {
      this.#mismatches.push(`round ${round}: the certificate was for ${signed}, the planted batch is ${messageHash}`);
    }
  }

  /** B of the last closed round, 0 for none. */
  #lastSnapshotBlock(): number {
    const { schedule } = this.#state;
    const { lastClosedRound } = this.#history;
    return schedule === null || lastClosedRound === 0 ? 0 : snapshotBlockOf(schedule, lastClosedRound);
  }

  /** What the lease contract tells of each running lease against its word. */
  async #compareLeases(rpc: Rpc): Promise<void> {
    const { computeLease } = this.#deployment.contracts;
    const at = this.#history.endBlock.hash;
    const leases = [...this.#orderWords].filter(([, word]) => orderStateOf(word) === OrderState.MATCHED);
    for (let start = 0; start < leases.length; start += CALLS_PER_BATCH) {
      const part = leases.slice(start, start + CALLS_PER_BATCH);
      const views = await rpc.batch(
        part.map(([orderId]) => {
          const data = encodeFunctionData({ abi: computeLeaseAbi, functionName: 'getLease', args: [orderId] });
          return callAt({ to: computeLease, data }, at);
        }),
      );
      part.forEach(([orderId, word], index) => this.#compareLease(orderId, word, views[index] as Hex));
    }
  }

  #compareLease(orderId: number, word: bigint, view: Hex): void {
    const told = decodeFunctionResult({ abi: computeLeaseAbi, functionName: 'getLease', data: view });
    const lease = decodeLeaseWord(word);
    if (
      told.machineId !== lease.machineId ||
      told.providerId !== lease.providerId ||
      told.priceMicroPerHour !== lease.priceMicroPerHour ||
      told.matchedAt !== lease.matchedAtSeconds ||
      told.state !== OrderState.MATCHED
    ) {
      this.#mismatches.push(`order ${orderId}: getLease tells another lease than its word`);
    }
  }
}
