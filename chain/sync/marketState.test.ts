import { beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { encodeAbiParameters, encodeEventTopics, getAbiItem, numberToHex } from 'viem';
import type { Hex } from 'viem';
import { matchRound } from '../../engine/matchRound.js';
import type { PackingTerms, Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { policyStructOf } from '../../protocol/policyStruct.js';
import { MarketChain, TEST_ORDER, TEST_POLICY } from '../../test/support/marketChain.js';
import { withPacking } from '../../test/support/packingPolicy.js';
import { FollowedRounds } from '../../test/support/followedRounds.js';
import { buildMatchBatch } from '../buildMatchBatch.js';
import { matchPolicyAbi } from '../contracts/generated/MatchPolicy.js';
import { orderRequestAbi } from '../contracts/generated/OrderRequest.js';
import { blockByNumber, latestBlock, logsInBlock, logsInRange } from '../rpc/rpcCall.js';
import type { Block, RpcLog } from '../rpc/rpcCall.js';
import { encodeRecords, hashRecords } from '../../protocol/records.js';
import { snapshotBlockOf } from '../../protocol/rounds.js';
import { roundSeed } from '../../protocol/seed.js';
import { TAKEN_ROUND_HASH } from '../../protocol/words/settlementWord.js';
import { MarketState, marketLogFilter, RollbackTooDeepError } from './marketState.js';
import { decodeSnapshot, encodeSnapshot, SnapshotRefusedError } from './snapshotFormat.js';

/**
 * Blocks of a real market with providers, offers, orders, bids, settlements, leases that are closed or go back to matching, and an
 * order that its tenant matches in the place of a round.
 */
let blocks: { block: Block; logs: readonly RpcLog[] }[];
let deployment: MarketChain['deployment'];
let contracts: MarketChain['deployment']['contracts'];
/** Won by a bid in the last turn but one, given up in the last. */
const WAITING_ORDER = 9;

beforeAll(async () => {
  const chain = await MarketChain.start({ roundLengthBlocks: 3 });
  const { rpc } = chain;
  ({ deployment } = chain);
  contracts = deployment.contracts;
  const followed = new FollowedRounds({ deployment, factsCheck: 'storage', pollIntervalMs: 5 }, rpc);
  try {
    await chain.addProvider(0, [1_000_000, 2_000_000]);
    await chain.fundProvider(0, 10n ** 12n);
    await followed.follower.start();
    let leased: readonly MatchRecord[] = [];
    for (let turn = 0; turn < 6; turn++) {
      await chain.mined([
        chain.postOrder(),
        chain.postOrder({ milliGpu: 300 }),
        chain.placeBid(0, 2 * turn + 1, 2, 100_000),
        chain.setOffer(0, 1 + (turn % 2), 1_000_000 + turn * 10_000),
      ]);
      const { number } = await chain.rpc.request(latestBlock());
      await followed.untilBlock(number);
      const seen = followed.rounds.length;
      while (followed.rounds.length === seen) await followed.untilBlock((await chain.mine()).number);
      const context = followed.rounds.at(-1)?.context;
      if (context === undefined) throw new Error('no round');
      const records = matchRound(context.snapshot, context.policy, context.seed);
      const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, {
        chainId: deployment.chainId,
        settlement: contracts.matchSettlement,
      });
      await chain.mined([
        chain.settle(batch, recordsHex, messageHash),
        ...leased.flatMap(({ orderId, machineId }) =>
          orderId % 3 === 0
            ? [chain.giveUpLease(0, orderId), chain.activateMachine(0, machineId)]
            : [chain.closeLease(orderId)],
        ),
      ]);
      leased = records;
    }
    expect(followed.abstained).toEqual([]);
    await followed.follower.stop();
    await chain.mined([chain.postOrder({ maxPriceMicroPerHour: 1 })]);
    await chain.mine(3 * (TEST_POLICY.selfMatchRounds + 2));
    await chain.mined([chain.selfMatch(WAITING_ORDER, 1)]);
    await chain.mined([chain.postOrder()]);
    const { number } = await rpc.request(latestBlock());
    blocks = await Promise.all(
      Array.from({ length: number - deployment.deploymentBlock + 1 }, async (_, index) => {
        const block = await rpc.request(blockByNumber(deployment.deploymentBlock + index));
        if (block === null) throw new Error('a block is missing');
        return { block, logs: await rpc.request(logsInBlock(block.hash, marketLogFilter(deployment))) };
      }),
    );
  } finally {
    await followed.follower.stop();
    await chain.stop();
  }
}, 60_000);

let emptyState: () => MarketState;

beforeAll(() => {
  emptyState = () => {
    const first = blocks[0]?.block;
    if (first === undefined) throw new Error('no blocks');
    return new MarketState(contracts, { number: first.number - 1, hash: first.parentHash, timestamp: 0 }, 1_000);
  };
});

/** The state after the first `count` blocks, applied one by one. */
function stateAfter(count: number): MarketState {
  const state = emptyState();
  for (const { block, logs } of blocks.slice(0, count)) state.apply(block, logs);
  return state;
}

/** A kept state read again. */
function readAgain(state: MarketState, file = fileOf(state)): MarketState {
  const content = decodeSnapshot(deployment, file);
  return new MarketState(contracts, content.block, 1_000, content);
}

function fileOf(state: MarketState): Buffer {
  return Buffer.concat([...encodeSnapshot(deployment, state.content)]);
}

/** Hash of the records that the engine finds when the newest block is a snapshot block, undefined when it is none. */
function recordsHashAt(state: MarketState): string | undefined {
  const { number, hash, timestamp } = state.head;
  const round = state.openRoundAt(number + 1);
  const { schedule } = state;
  const scheduled = state.policyOf(round);
  if (schedule === null || scheduled === null || round < 1 || snapshotBlockOf(schedule, round) !== number)
    return undefined;
  const snapshot = {
    round,
    blockNumber: number,
    snapshotHash: hash,
    timestampSeconds: timestamp,
    orders: state.openOrders(),
    bids: state.bids(),
    market: state.market,
  };
  return hashRecords(encodeRecords(matchRound(snapshot, scheduled.policy, roundSeed(hash, round))));
}

function contentOf(state: MarketState): unknown {
  const { market } = state;
  const machines = Array.from({ length: market.machineCount + 2 }, (_, id) => [
    state.machineWord(id),
    ...[0, 1, 2, 3].map((offer) => state.offerWord(id, offer)),
    market.activeFromRound[id] ?? 0,
    market.freeCpuMilli[id] ?? 0,
    ...Array.from({ length: 8 }, (_, device) => market.freeMilliGpu[id * 8 + device] ?? 0),
    ...Array.from({ length: 4 }, (_, offer) => market.offerGpuMicroPerHour[id * 4 + offer] ?? 0),
  ]);
  const providers = Array.from({ length: market.providerCount + 2 }, (_, id) => [
    state.providerWord(id),
    market.status[id] ?? 0,
  ]);
  const { commitments, damage, schedule, lastSettledRound } = state;
  const { number, hash, timestamp } = state.head;
  return {
    head: { number, hash, timestamp },
    commitments,
    damage,
    schedule,
    lastSettledRound,
    orders: state.openOrders(),
    bids: [...state.bids()],
    machines,
    providers,
  };
}

/** xorshift32: the seed is in the test's title. */
function randomFrom(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

test.each(
  [1, 2, 3, 4, 5, 6, 7, 8].map(
    (offset) => (process.env['TEST_SEED'] === undefined ? 7_919 : Number(process.env['TEST_SEED'])) + offset,
  ),
)('a rollback equals building anew, under a random schedule of reorgs (seed %i)', (seed) => {
  const random = randomFrom(seed);
  const state = emptyState();
  let applied = 0;
  for (let step = 0; step < 40; step++) {
    const goal =
      random() < 0.6
        ? Math.min(blocks.length, applied + Math.floor(random() * 20))
        : Math.floor(random() * (applied + 1));
    if (goal < applied) state.rollbackTo((blocks[0]?.block.number ?? 0) - 1 + goal);
    for (const { block, logs } of blocks.slice(applied, goal)) state.apply(block, logs);
    applied = goal;
    const anew = emptyState();
    for (const { block, logs } of blocks.slice(0, goal)) anew.apply(block, logs);
    expect({ ...(contentOf(state) as object), head: applied }).toEqual({
      ...(contentOf(anew) as object),
      head: applied,
    });
  }
});

test('an order that went back to matching has its spec and no bids, and one that its tenant matched is gone', () => {
  const state = emptyState();
  const seen = { byBid: 0, reopened: new Set<number>(), taken: 0 };
  let leased = new Set<number>();
  for (const { block, logs } of blocks) {
    const before = new Map(state.openOrders().map((order) => [order.orderId, order]));
    seen.byBid += [...state.bids().values()].flat().length > 0 ? 1 : 0;
    seen.taken += state.apply(block, logs).filter(({ messageHash }) => messageHash === TAKEN_ROUND_HASH).length;
    expect(state.damage).toBeNull();
    const open = new Map(state.openOrders().map((order) => [order.orderId, order]));
    for (const [orderId, order] of open) {
      if (!leased.has(orderId)) continue;
      seen.reopened.add(orderId);
      expect(order.cpuMilli).toBe(TEST_ORDER.cpuMilli);
      expect(state.bids().get(orderId)).toBeUndefined();
    }
    leased = new Set([...leased, ...before.keys()].filter((orderId) => !open.has(orderId)));
  }
  expect(seen.byBid).toBeGreaterThan(0);
  expect([...seen.reopened]).toEqual(expect.arrayContaining([3, 6, WAITING_ORDER]));
  expect(seen.taken).toBe(1);
  expect(state.openOrderWord(6)).not.toBe(0n);
  expect(state.openOrderWord(WAITING_ORDER)).toBe(0n);
});

test('history loaded in one go equals blocks applied one by one', () => {
  const state = emptyState();
  for (const { block, logs } of blocks) state.apply(block, logs);
  const last = blocks.at(-1)?.block;
  if (last === undefined) throw new Error('no blocks');
  const loaded = new MarketState(contracts, last, 10);
  loaded.loadHistory(blocks.flatMap(({ logs }) => logs));
  expect(contentOf(loaded)).toEqual(contentOf(state));
  expect(() => loaded.rollbackTo(last.number - 1)).toThrow(RollbackTooDeepError);
});

test('packing terms that are not those of the policy show as damage', () => {
  const packed = withPacking(TEST_POLICY);
  const { packing } = packed;
  if (packing === null) throw new TypeError('no packing terms');
  const state = emptyState();
  state.apply({ number: state.head.number + 1, hash: '0x01', timestamp: 1 }, [scheduledLog(packed, packing)]);
  expect(state.damage).toBeNull();
  expect(state.policyOf(1)).toEqual({ hash: hashPolicy(packed), policy: packed });
  const forged = { ...packing, modelFactor: [1] };
  state.apply({ number: state.head.number + 1, hash: '0x02', timestamp: 2 }, [scheduledLog(packed, forged)]);
  expect(state.damage).toContain('a policy does not hash to its policy hash');
});

/** The log of a period from round 1 on. */
function scheduledLog(policy: Policy, packing: PackingTerms): RpcLog {
  const { inputs } = getAbiItem({ abi: matchPolicyAbi, name: 'PolicyScheduled' });
  const [, ...told] = inputs;
  return {
    address: contracts.matchPolicy,
    topics: encodeEventTopics({ abi: matchPolicyAbi, eventName: 'PolicyScheduled', args: { fromRound: 1 } }) as Hex[],
    data: encodeAbiParameters(told, [40, 8, hashPolicy(policy), policyStructOf(policy), packing]),
    blockNumber: 1,
    blockHash: '0x01',
    transactionHash: '0x01',
    logIndex: 0,
  };
}

test('every lost log shows in the words or as damage, but for the spec of an order that is no longer open', () => {
  const whole = emptyState();
  for (const { block, logs } of blocks) whole.apply(block, logs);
  expect(whole.damage).toBeNull();
  const wordsOf = ({ commitments }: MarketState) => Object.values(commitments).join();
  const [orderCreated] = encodeEventTopics({ abi: orderRequestAbi, eventName: 'OrderCreated' });
  const counts = { shown: 0, ofEndedOrders: 0 };
  for (const log of blocks.flatMap(({ logs }) => logs)) {
    const state = emptyState();
    for (const { block, logs } of blocks) {
      state.apply(
        block,
        logs.filter((other) => other !== log),
      );
    }
    const isOfEndedOrder = log.topics[0] === orderCreated && whole.openOrderWord(Number(log.topics[1])) === 0n;
    const shows = state.damage !== null || wordsOf(state) !== wordsOf(whole);
    expect(shows).toBe(!isOfEndedOrder);
    if (isOfEndedOrder) counts.ofEndedOrders += 1;
    else counts.shown += 1;
  }
  expect(counts.shown).toBeGreaterThan(50);
  expect(counts.ofEndedOrders).toBeGreaterThan(5);
});

test('a state that was kept and read again is the same state, and goes on and back as it', () => {
  for (let kept = 0; kept <= blocks.length; kept += 7) {
    const original = stateAfter(kept);
    const state = readAgain(original);
    expect(contentOf(state)).toEqual(contentOf(original));
    expect(() => state.rollbackTo(original.head.number - 1)).toThrow(RollbackTooDeepError);
    for (const { block, logs } of blocks.slice(kept)) state.apply(block, logs);
    expect(contentOf(state)).toEqual(contentOf(stateAfter(blocks.length)));
    state.rollbackTo(original.head.number);
    expect(contentOf(state)).toEqual(contentOf(original));
  }
});

test('a kept state with any byte changed, missing or added is refused', () => {
  const file = fileOf(stateAfter(blocks.length));
  // Every byte of the head, where formats go wrong, and some of every region behind it.
  const places = [
    ...Array(600).keys(),
    ...Array.from({ length: 400 }, (_, step) => Math.floor((step * file.length) / 400)),
  ];
  for (const place of places) {
    const damaged = Buffer.from(file);
    damaged[place] = (damaged[place] ?? 0) ^ (1 + (place % 255));
    expect(() => decodeSnapshot(deployment, damaged)).toThrow(SnapshotRefusedError);
    expect(() => decodeSnapshot(deployment, file.subarray(0, place))).toThrow(SnapshotRefusedError);
  }
  expect(() => decodeSnapshot(deployment, Buffer.concat([file, Buffer.alloc(1)]))).toThrow(SnapshotRefusedError);
  expect(() => readAgain(stateAfter(1), file)).not.toThrow();
});

test('a damaged state whose checksum holds is read or refused, and never ends the node', () => {
  const file = fileOf(stateAfter(blocks.length));
  const counts = { read: 0, refused: 0 };
  const end = file.length - 32;
  for (let step = 0; step < 1_500; step++) {
    const damaged = Buffer.from(file.subarray(0, end));
    const place = 8 + Math.floor((step * (end - 8)) / 1_500);
    damaged[place] = (damaged[place] ?? 0) ^ (1 << (step % 8));
    const whole = Buffer.concat([damaged, createHash('sha256').update(damaged).digest()]);
    try {
      const { columns } = decodeSnapshot(deployment, whole);
      expect(columns.market.machineCount).toBe(2);
      counts.read += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(SnapshotRefusedError);
      counts.refused += 1;
    }
  }
  expect(counts.read).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(100);
});

test('a kept state of another market, chain or deployment is refused', () => {
  const file = fileOf(stateAfter(20));
  const elsewhere = '0x00000000000000000000000000000000000000ee';
  for (const other of [
    { ...deployment, chainId: deployment.chainId + 1 },
    { ...deployment, deploymentBlock: deployment.deploymentBlock + 1 },
    ...(['providerRegistry', 'orderRequest', 'matchSettlement', 'matchPolicy'] as const).map((name) => ({
      ...deployment,
      contracts: { ...contracts, [name]: elsewhere },
    })),
  ]) {
    expect(() => decodeSnapshot(other, file)).toThrow(/another market/);
  }
});

test('the records of a round are the same however its logs came', () => {
  const expected = new Map<number, string>();
  const along = emptyState();
  for (const [index, { block, logs }] of blocks.entries()) {
    along.apply(block, logs);
    const hash = recordsHashAt(along);
    if (hash !== undefined) expected.set(index + 1, hash);
  }
  const snapshots = [...expected.keys()];
  expect(new Set(expected.values()).size).toBeGreaterThan(5);
  fc.assert(
    fc.property(
      fc.constantFrom(...snapshots),
      fc.nat(blocks.length),
      fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 4 }),
      fc.boolean(),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (goal, loadedTo, detours, isKept, order) => {
        const first = Math.min(goal, loadedTo);
        let state = loadedInOneGo(first, () => order.next().value as number);
        if (isKept) state = readAgain(state);
        let applied = first;
        const goTo = (count: number) => {
          if (count < applied) state.rollbackTo((blocks[0]?.block.number ?? 0) - 1 + count);
          for (const { block, logs } of blocks.slice(applied, count)) state.apply(block, logs);
          applied = count;
        };
        for (const [ahead, back] of detours) {
          goTo(Math.min(blocks.length, applied + ahead));
          goTo(Math.max(first, applied - back));
        }
        goTo(Math.max(first, goal));
        expect(state.damage).toBeNull();
        expect(recordsHashAt(state)).toBe(expected.get(goal));
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);

/** The state after the first `count` blocks, whose logs one answer held in any order. */
function loadedInOneGo(count: number, random: () => number): MarketState {
  const newest = blocks[count - 1]?.block;
  if (newest === undefined) return emptyState();
  const wire = blocks
    .slice(0, count)
    .flatMap(({ logs }) => logs)
    .map((log) => ({ key: random(), log }))
    .sort((a, b) => a.key - b.key)
    .map(({ log }) => ({ ...log, blockNumber: numberToHex(log.blockNumber), logIndex: numberToHex(log.logIndex) }));
  const state = new MarketState(contracts, newest, 1_000);
  state.loadHistory(logsInRange(0, newest.number, marketLogFilter(deployment)).decode(wire));
  return state;
}
