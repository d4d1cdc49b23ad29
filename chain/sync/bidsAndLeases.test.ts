import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { matchRound } from '../../engine/matchRound.js';
import type { MatchRecord } from '../../engine/record.js';
import { leaseWordOf } from '../../protocol/settlementEffects.js';
import { TAKEN_ROUND_HASH } from '../../protocol/words/settlementWord.js';
import { machineSlot, ORDER_WORD, orderSlot } from '../../protocol/words/slots.js';
import { FollowedRounds, type FollowedRound } from '../../test/support/followedRounds.js';
import { MarketChain, TEST_POLICY } from '../../test/support/marketChain.js';
import { buildMatchBatch } from '../buildMatchBatch.js';
import { blockByNumber, latestBlock, storageAt } from '../rpc/rpcCall.js';

const OFFERED = 1_000_000;
const BID = 300_000;

let chain: MarketChain;
let followed: FollowedRounds;

beforeAll(async () => {
  chain = await MarketChain.start();
  await chain.addProvider(0, [OFFERED]);
  await chain.fundProvider(0, 10n ** 12n);
  followed = new FollowedRounds({ deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5 }, chain.rpc);
  await followed.follower.start();
}, 60_000);

afterAll(async () => {
  await followed.follower.stop();
  await chain.stop();
});

/** Mines until the next round is handed over. */
async function nextRound(): Promise<FollowedRound> {
  const { number } = await chain.rpc.request(latestBlock());
  await followed.untilBlock(number);
  const seen = followed.rounds.length;
  while (followed.rounds.length === seen) await followed.untilBlock((await chain.mine()).number);
  return followed.rounds.at(-1) as FollowedRound;
}

/** The next round that shows the order. */
async function roundWith(orderId: number): Promise<FollowedRound> {
  for (let tries = 0; tries < 3; tries++) {
    const round = await nextRound();
    if (round.orderIds.includes(orderId)) return round;
  }
  throw new Error(`order ${orderId} is in no round`);
}

async function settle({ context }: FollowedRound): Promise<{ records: MatchRecord[]; minedAt: number }> {
  const records = matchRound(context.snapshot, context.policy, context.seed);
  const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, {
    chainId: chain.deployment.chainId,
    settlement: chain.deployment.contracts.matchSettlement,
  });
  const [receipt] = await chain.mined([chain.settle(batch, recordsHex, messageHash)]);
  const block = await chain.rpc.request(blockByNumber(receipt?.blockNumber ?? 0));
  await followed.untilBlock(receipt?.blockNumber ?? 0);
  return { records, minedAt: block?.timestamp ?? 0 };
}

function orderWord(orderId: number): Promise<bigint> {
  return chain.rpc.request(
    storageAt(chain.deployment.contracts.orderRequest, orderSlot(orderId, ORDER_WORD), 'latest'),
  );
}

test('a bid below the offer wins its order, its price is in the record, and the record becomes the lease', async () => {
  await chain.mined([chain.postOrder(), chain.placeBid(0, 1, 1, BID)]);
  const round = await roundWith(1);
  const bids = [...(round.context.snapshot.bids.get(1) ?? [])];
  expect(bids).toEqual([
    { orderId: 1, bidIndex: 0, machineId: 1, providerId: 1, priceMicroPerHour: BID, untilRound: 0xffff_ffff },
  ]);
  const { records, minedAt } = await settle(round);
  expect(records).toHaveLength(1);
  const [record] = records as [MatchRecord];
  expect(record).toMatchObject({ orderId: 1, fromBid: true, bidIndex: 0, offerIndex: 0, priceMicroPerHour: BID });
  expect(await orderWord(1)).toBe(leaseWordOf(record, minedAt));
}, 60_000);

test('an order whose provider gave up is matched again, without the bids of before, by the spec of its creation', async () => {
  await chain.mined([chain.giveUpLease(0, 1), chain.activateMachine(0, 1)]);
  const round = await roundWith(1);
  expect(round.context.snapshot.bids.get(1)).toBeUndefined();
  const { records, minedAt } = await settle(round);
  const [record] = records as [MatchRecord];
  expect(record).toMatchObject({ orderId: 1, fromBid: false });
  expect(record.priceMicroPerHour).toBeGreaterThan(BID);
  expect(await orderWord(1)).toBe(leaseWordOf(record, minedAt));
}, 60_000);

test('a self-match takes the round, the follower says so, and goes on in agreement with every word', async () => {
  await chain.mined([chain.postOrder()]);
  await roundWith(2);
  const settledBefore = followed.settled.length;
  for (let round = 0; round < TEST_POLICY.selfMatchRounds; round++) await nextRound();
  await chain.mined([chain.selfMatch(2, 1)]);
  const after = await nextRound();
  expect(followed.settled.slice(settledBefore)).toEqual([
    { round: after.context.round - 1, messageHash: TAKEN_ROUND_HASH },
  ]);
  expect(after.context.lastSettledRound).toBe(after.context.round - 1);
  expect(after.orderIds).toEqual([]);
  const machine = await chain.rpc.request(
    storageAt(chain.deployment.contracts.providerRegistry, machineSlot(1, 0), 'latest'),
  );
  // Two leases of 4,000 of the machine's 64,000.
  expect((machine >> 100n) & 0xf_ffffn).toBe(56_000n);
  expect(after.context.snapshot.market.freeCpuMilli[1]).toBe(56_000);
  await chain.mined([chain.postOrder()]);
  const next = await roundWith(3);
  await settle(next);
  expect(followed.settled.at(-1)?.round).toBe(next.context.round);
  expect(followed.abstained.filter(({ reason }) => reason === 'FACTS_MISMATCH')).toEqual([]);
}, 120_000);
