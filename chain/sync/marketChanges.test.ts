import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Hex } from 'viem';
import { matchRound } from '../../engine/matchRound.js';
import type { Market } from '../../engine/market.js';
import type { MatchRecord } from '../../engine/record.js';
import { NO_PACKING } from '../../protocol/packingHash.js';
import { fromRoundAt, snapshotBlockOf } from '../../protocol/rounds.js';
import { decodeMachineWord, encodeMachineWord } from '../../protocol/words/machineWord.js';
import { decodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import { machineSlot, SCHEDULE_SLOT } from '../../protocol/words/slots.js';
import { FollowedRounds, type FollowedRound } from '../../test/support/followedRounds.js';
import { withPacking } from '../../test/support/packingPolicy.js';
import { MarketChain, TEST_POLICY } from '../../test/support/marketChain.js';
import { buildMatchBatch } from '../buildMatchBatch.js';
import { latestBlock, storageAt } from '../rpc/rpcCall.js';

let chain: MarketChain;
let followed: FollowedRounds;

beforeAll(async () => {
  chain = await MarketChain.start({ operatorWeights: [60n, 40n] });
  await chain.addProvider(0, [1_000_000, 1_000_000]);
  followed = new FollowedRounds({ deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5 }, chain.rpc);
  await followed.follower.start();
}, 60_000);

afterEach(() => {
  const surprising = followed.abstained.filter(({ reason }) => reason === 'FACTS_MISMATCH');
  expect(surprising).toEqual([]);
});

afterAll(async () => {
  await followed.follower.stop();
  await chain.stop();
});

/** Mines block by block, each followed before the next, to the next snapshot block; returns its round. */
async function closeRound(): Promise<number> {
  const { number } = await chain.rpc.request(latestBlock());
  const schedule = decodeScheduleWord(
    await chain.rpc.request(storageAt(chain.deployment.contracts.matchPolicy, SCHEDULE_SLOT, 'latest')),
  );
  const round = fromRoundAt(schedule, number + 1);
  for (let block = number + 1; block <= snapshotBlockOf(schedule, round); block++) {
    await chain.mine();
    await followed.untilBlock(block);
  }
  return round;
}

function built(round: FollowedRound, alter = (records: MatchRecord[]): MatchRecord[] => records) {
  const { context } = round;
  const records = alter(matchRound(context.snapshot, context.policy, context.seed));
  return {
    records,
    ...buildMatchBatch(context, records, {
      chainId: chain.deployment.chainId,
      settlement: chain.deployment.contracts.matchSettlement,
    }),
  };
}

async function settle({ context }: FollowedRound, batch: ReturnType<typeof built>): Promise<void> {
  const sent: Promise<Hex> = chain.settle(batch.batch, batch.recordsHex, batch.messageHash, context.policy);
  const [receipt] = await chain.mined([sent]);
  await followed.untilBlock(receipt?.blockNumber ?? 0);
}

async function nextWithOrders(count: number, milliGpu: number): Promise<FollowedRound> {
  await chain.mined(Array.from({ length: count }, () => chain.postOrder({ milliGpu })));
  await followed.untilBlock((await chain.rpc.request(latestBlock())).number);
  await closeRound();
  const round = await followed.untilRound(await closeRound());
  expect(round.orderIds).toHaveLength(count);
  return round;
}

function followedWord(market: Market, id: number): bigint {
  return encodeMachineWord({
    activeFromRound: market.activeFromRound[id] ?? 0,
    activeUntilRound: market.activeUntilRound[id] ?? 0,
    providerId: market.providerId[id] ?? 0,
    model: market.model[id] ?? 0,
    region: market.region[id] ?? 0,
    offersWritten: market.offersWritten[id] ?? 0,
    freeMemoryMib: market.freeMemoryMib[id] ?? 0,
    freeCpuMilli: market.freeCpuMilli[id] ?? 0,
    freeStorageGib: market.freeStorageGib[id] ?? 0,
    freeMilliGpu: Array.from(market.freeMilliGpu.subarray(id * 8, id * 8 + 8)),
  });
}

test('a new operator table in the middle of a round leaves that round its own, and the next one has the new', async () => {
  const round = await nextWithOrders(1, 0);
  await chain.setOperatorTable([10n, 90n]);
  await settle(round, built(round));
  expect(followed.settled.at(-1)?.round).toBe(round.context.round);
  const next = await nextWithOrders(1, 0);
  expect(round.context.table.entries.map(({ weight }) => weight)).toEqual([60n, 40n]);
  expect(next.context.table.entries.map(({ weight }) => weight)).toEqual([10n, 90n]);
  await settle(next, built(next));
  expect(followed.settled.at(-1)?.round).toBe(next.context.round);
}, 60_000);

test('a record without capacity is skipped and its machine benched, as the chain has it', async () => {
  const before = await nextWithOrders(2, 3000);
  const batch = built(before, ([first, second]) => [
    first as MatchRecord,
    { ...(second as MatchRecord), machineId: (first as MatchRecord).machineId },
  ]);
  const machineId = batch.records[0]?.machineId ?? 0;
  await settle(before, batch);
  const after = await followed.untilRound(await closeRound());
  expect(after.orderIds).toEqual([batch.records[1]?.orderId]);
  const words = await chain.rpc.batch(
    [1, 2].map((id) => storageAt(chain.deployment.contracts.providerRegistry, machineSlot(id, 0), 'latest')),
  );
  expect([1, 2].map((id) => followedWord(after.context.snapshot.market, id))).toEqual(words);
  expect(decodeMachineWord(words[machineId - 1] ?? 0n).activeFromRound).toBe(
    before.context.round + 1 + TEST_POLICY.coolRounds,
  );
  const rest = built(after);
  expect(rest.records.map((record) => record.machineId)).toEqual([3 - machineId]);
  await settle(after, rest);
}, 60_000);

test('a batch of version 2 of the rules is matched by its packing terms and settles', async () => {
  const packed = withPacking(TEST_POLICY);
  const round = await closeRound();
  await chain.mined([chain.schedulePolicy(round + 3, 4, packed)]);
  await followed.untilBlock((await chain.rpc.request(latestBlock())).number);
  while ((await closeRound()) < round + 2);
  const next = await nextWithOrders(1, 500);
  expect(next.context.policy).toEqual(packed);
  const batch = built(next);
  expect(batch.records).toHaveLength(1);
  await settle(next, batch);
  expect(followed.settled.at(-1)?.round).toBe(next.context.round);
}, 60_000);

test('rounds change their length and policy at the scheduled round, and rules this engine does not know are abstained from', async () => {
  const round = await closeRound();
  const { snapshotBlock } = (await followed.untilRound(round)).context;
  const longer = { ...TEST_POLICY, coolRounds: 3, maxMatches: 1 };
  await chain.mined([chain.schedulePolicy(round + 3, 6, longer)]);
  await followed.untilBlock(snapshotBlock + 1);
  for (const [ahead, block] of [
    [1, 4],
    [2, 8],
    [3, 12],
    [4, 18],
  ] as const) {
    expect(await closeRound()).toBe(round + ahead);
    const { context } = await followed.untilRound(round + ahead);
    expect(context.snapshotBlock).toBe(snapshotBlock + block);
    expect(context.policy.maxMatches).toBe(ahead < 3 ? 512 : 1);
    expect(context.nextSnapshotBlock - context.snapshotBlock).toBe(ahead < 3 ? 4 : 6);
  }
  await chain.mined([chain.schedulePolicy(round + 7, 4, { ...longer, rulesVersion: 3, packing: NO_PACKING })]);
  await followed.untilBlock(snapshotBlock + 19);
  const settledUnderNew = await nextWithOrders(1, 0);
  expect(settledUnderNew.context.policy.coolRounds).toBe(3);
  await settle(settledUnderNew, built(settledUnderNew));
  expect(followed.settled.at(-1)?.round).toBe(settledUnderNew.context.round);
  expect(await closeRound()).toBe(round + 7);
  await followed.until(() => followed.abstained.length > 0);
  expect(followed.abstained).toEqual([
    { round: round + 7, reason: 'RULES_VERSION', detail: expect.stringContaining('rules version 3') },
  ]);
}, 60_000);
