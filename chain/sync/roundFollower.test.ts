import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { numberToHex } from 'viem';
import { matchRound } from '../../engine/matchRound.js';
import { fromRoundAt, snapshotBlockOf } from '../../protocol/rounds.js';
import type { Schedule } from '../../protocol/rounds.js';
import { leaseWordOf } from '../../protocol/settlementEffects.js';
import { machineSlot, orderSlot, SCHEDULE_SLOT, TABLE_HASH_SLOT, TABLE_SLOT } from '../../protocol/words/slots.js';
import { decodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import { encodeMachineWord } from '../../protocol/words/machineWord.js';
import { FollowedRounds } from '../../test/support/followedRounds.js';
import { control, MarketChain } from '../../test/support/marketChain.js';
import { buildMatchBatch } from '../buildMatchBatch.js';
import { createRpc } from '../rpc/rpc.js';
import { blockByNumber, latestBlock, storageAt } from '../rpc/rpcCall.js';
import { RoundFollower } from './roundFollower.js';
import type { RoundFollowerOptions } from './roundFollower.js';

let chain: MarketChain;
let schedule: Schedule;
const running: FollowedRounds[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  chain = await MarketChain.start({ operatorWeights: [60n, 40n] });
  await chain.addProvider(0, [2_000_000, 1_000_000]);
  await chain.addProvider(1, [1_500_000]);
  schedule = decodeScheduleWord(
    await chain.rpc.request(storageAt(chain.deployment.contracts.matchPolicy, SCHEDULE_SLOT, 'latest')),
  );
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ follower }) => follower.stop()));
  for (const server of servers.splice(0)) server.close();
});

afterAll(() => chain.stop());

async function follow(options: Partial<RoundFollowerOptions> = {}, rpc = chain.rpc): Promise<FollowedRounds> {
  const followed = new FollowedRounds(
    { deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5, ...options },
    rpc,
  );
  running.push(followed);
  await followed.follower.start();
  return followed;
}

/** Mines up to the next snapshot block; returns its round. */
async function closeRound(): Promise<number> {
  const { number } = await chain.rpc.request(latestBlock());
  const round = fromRoundAt(schedule, number + 1);
  await chain.mineTo(snapshotBlockOf(schedule, round));
  return round;
}

/** A JSON-RPC proxy that may change answers on their way. */
async function proxied(change: (method: string, result: unknown) => unknown): Promise<ReturnType<typeof createRpc>> {
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts).toString();
      const upstream = await fetch(chain.anvil.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const answers = (await upstream.json()) as { id: number; result?: unknown } | { id: number; result?: unknown }[];
      const asked = JSON.parse(body) as { id: number; method: string } | { id: number; method: string }[];
      const methods = new Map((Array.isArray(asked) ? asked : [asked]).map(({ id, method }) => [id, method]));
      for (const answer of Array.isArray(answers) ? answers : [answers]) {
        if (answer.result !== undefined) answer.result = change(methods.get(answer.id) ?? '', answer.result);
      }
      response.end(JSON.stringify(answers));
    })().catch(() => response.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return createRpc({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requestTimeoutMs: 5_000 });
}

describe.each(['storage', 'proof'] as const)('with factsCheck %s', (factsCheck) => {
  test('hands over the state at B(r), and a settlement has the effects that the chain has', async () => {
    const followed = await follow({ factsCheck });
    await chain.mined([chain.postOrder(), chain.postOrder({ milliGpu: 500, cpuMilli: 1000 })]);
    // A round may close among these blocks; its successor must not close before it was read.
    await followed.untilBlock((await chain.mine(2)).number);
    const round = await closeRound();
    const { context, orderIds } = await followed.untilRound(round);
    const snapshotBlock = await chain.rpc.request(blockByNumber(context.snapshotBlock));

    expect(context.snapshot.snapshotHash).toBe(snapshotBlock?.hash);
    expect(context.snapshotBlock).toBe(snapshotBlockOf(schedule, round));
    expect(orderIds).toHaveLength(2);
    expect(context.table.totalWeight).toBe(100n);
    expect(context.table.entries.map(({ weight }) => weight)).toEqual([60n, 40n]);

    const records = matchRound(context.snapshot, context.policy, context.seed);
    expect(records).toHaveLength(2);
    const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, {
      chainId: chain.deployment.chainId,
      settlement: chain.deployment.contracts.matchSettlement,
    });
    const [receipt] = await chain.mined([chain.settle(batch, recordsHex, messageHash)]);
    const settledIn = receipt?.blockNumber ?? 0;
    await followed.untilBlock(settledIn);
    expect(followed.settled).toContainEqual({ round, messageHash });

    const next = await followed.untilRound(await closeRound());
    expect(next.orderIds.filter((id) => orderIds.includes(id))).toEqual([]);
    expect(next.context.lastSettledRound).toBe(round);
    expect(followed.abstained).toEqual([]);

    const { market } = next.context.snapshot;
    const minedAt = (await chain.rpc.request(blockByNumber(settledIn)))?.timestamp ?? 0;
    for (const record of records) {
      const { orderRequest, providerRegistry } = chain.deployment.contracts;
      const [lease, machine] = await chain.rpc.batch([
        storageAt(orderRequest, orderSlot(record.orderId, 0), 'latest'),
        storageAt(providerRegistry, machineSlot(record.machineId, 0), 'latest'),
      ]);
      expect(leaseWordOf(record, minedAt)).toBe(lease);
      const id = record.machineId;
      const followedWord = encodeMachineWord({
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
      expect(followedWord).toBe(machine);
    }
    await chain.mined(records.map(({ orderId }) => chain.closeLease(orderId)));
  }, 30_000);
});

test('hands closed rounds over to who asks for them, and passes over one whose state the node has dropped', async () => {
  const first = await closeRound();
  const second = await closeRound();
  const third = await closeRound();
  await chain.mine(1);
  const late = await follow({ lateRounds: true });
  await late.untilRound(third);
  const rounds = late.rounds.map(({ context }) => context.round);
  expect(rounds).toEqual(expect.arrayContaining([first, second, third]));
  expect(rounds).toEqual([...rounds].sort((a, b) => a - b));
  const { context } = await late.untilRound(first);
  const snapshotBlock = await chain.rpc.request(blockByNumber(snapshotBlockOf(schedule, first)));
  expect(context.snapshot.snapshotHash).toBe(snapshotBlock?.hash);

  let dropped = 0;
  // As many reads as one round takes.
  const rpc = await proxied((method, result) => (method === 'eth_getStorageAt' && dropped++ < 10 ? 'dropped' : result));
  const pruned = await follow({ lateRounds: true }, rpc);
  await pruned.untilRound(third);
  // The first rounds closed before there was a table.
  const [earliest] = late.abstained;
  expect(earliest?.reason).toBe('NO_TABLE');
  expect(pruned.abstained[0]).toMatchObject({ round: earliest?.round, reason: 'RPC_UNAVAILABLE' });
  expect(pruned.rounds.map((entry) => entry.context.round)).toEqual(rounds);
}, 30_000);

test('abstains when a node tells other records of a settlement than were settled', async () => {
  const { matchSettlement } = chain.deployment.contracts;
  let lies = 0;
  let lying = false;
  const rpc = await proxied((method, result) => {
    if (method !== 'eth_getLogs' || !lying) return result;
    return (result as { address: string; data: string }[]).map((log) => {
      if (log.address !== matchSettlement.toLowerCase()) return log;
      lies += 1;
      // The records stand behind four words of the log's head and their length; a record's machine is its second id.
      const machine = 2 + 4 * 64 + 8;
      const other = log.data.slice(machine, machine + 8) === '00000002' ? '00000001' : '00000002';
      return { ...log, data: log.data.slice(0, machine) + other + log.data.slice(machine + 8) };
    });
  });
  const followed = await follow({ factsCheck: 'proof', maxReorgBlocks: 64 }, rpc);
  await chain.mined([chain.postOrder()]);
  await chain.mine(2);
  const round = await closeRound();
  const { context } = await followed.untilRound(round);
  const records = matchRound(context.snapshot, context.policy, context.seed);
  const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, {
    chainId: chain.deployment.chainId,
    settlement: matchSettlement,
  });
  lying = true;
  const [receipt] = await chain.mined([chain.settle(batch, recordsHex, messageHash)]);
  await followed.untilBlock(receipt?.blockNumber ?? 0);
  const next = await closeRound();
  await followed.until(() => followed.abstained.some((abstained) => abstained.round === next));
  expect(followed.abstained).toContainEqual({
    round: next,
    reason: 'FACTS_MISMATCH',
    detail: expect.stringContaining('settlement'),
  });
  expect(lies).toBeGreaterThan(0);
  lying = false;
  await followed.untilBlock((await chain.rpc.request(latestBlock())).number);
  await followed.untilRound(await closeRound());
  await chain.mined(records.map(({ orderId }) => chain.closeLease(orderId)));
}, 30_000);

test('reads the whole history again when the logs since the last agreement do not help', async () => {
  const { number: from } = await chain.rpc.request(latestBlock());
  let losing = 0;
  const rpc = await proxied((method, result) => {
    if (method !== 'eth_getLogs' || losing === 0) return result;
    const logs = result as { blockNumber: string }[];
    const kept = logs.filter(({ blockNumber }) => Number(blockNumber) <= from);
    if (kept.length < logs.length) losing -= 1;
    return kept;
  });
  const followed = await follow({ maxReorgBlocks: 64 }, rpc);
  // The block's logs are asked for three times at first, and three times by the repair.
  losing = 6;
  await chain.mined([chain.postOrder()]);
  const round = await closeRound();
  await followed.until(() => followed.resyncs.length > 0);
  expect(followed.abstained).toEqual([{ round, reason: 'FACTS_MISMATCH', detail: expect.any(String) }]);
  await followed.untilRound(await closeRound());
  expect(followed.resyncs).toHaveLength(1);
}, 30_000);

test('starts against a node that loses logs only once it answers with all of them', async () => {
  let losing = true;
  const rpc = await proxied((method, result) =>
    losing && method === 'eth_getLogs' ? (result as unknown[]).slice(1) : result,
  );
  const followed = new FollowedRounds(
    { deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5, maxReorgBlocks: 8 },
    rpc,
  );
  running.push(followed);
  const started = followed.follower.start();
  await followed.until(() => followed.resyncs.length > 0);
  expect(followed.follower.status().caughtUp).toBe(false);
  losing = false;
  await started;
  expect(followed.follower.status()).toMatchObject({ caughtUp: true, lagBlocks: 0 });
}, 30_000);

test('takes back an order that a reorg dropped, and takes it when it is there again', async () => {
  const followed = await follow();
  await closeRound();
  await chain.mined([chain.postOrder()]);
  const { number } = await chain.mine();
  await followed.untilBlock(number);
  const before = await followed.untilRound(await closeRound());
  const dropped = before.orderIds.at(-1) ?? 0;
  const { number: head } = await chain.rpc.request(latestBlock());
  await chain.rpc.request(control('anvil_reorg', [head - number + 2, []]));
  await followed.until(() => followed.reorgs.length > 0);
  await followed.untilBlock(head);
  const round = await closeRound();
  const without = await followed.untilRound(round);
  expect(without.orderIds).not.toContain(dropped);
  await chain.mined([chain.postOrder()]);
  await chain.mine();
  const after = await followed.untilRound(await closeRound());
  expect(after.orderIds).toContain(dropped);
  expect(followed.abstained).toEqual([]);
}, 30_000);

test('hands a round over again, with its new snapshot hash, after a reorg of B(r)', async () => {
  const followed = await follow();
  const round = await closeRound();
  const first = await followed.untilRound(round);
  await chain.rpc.request(control('anvil_reorg', [2, []]));
  await followed.until(() => followed.rounds.filter(({ context }) => context.round === round).length === 2);
  const second = await followed.untilRound(round);
  expect(second.context.snapshot.snapshotHash).not.toBe(first.context.snapshot.snapshotHash);
  expect(second.context.seed).not.toBe(first.context.seed);
}, 30_000);

test('a node that lags behind is no reorg', async () => {
  let held: unknown = null;
  let answers = 0;
  const rpc = await proxied((method, result) => {
    if (method !== 'eth_getBlockByNumber' || held === null) return result;
    answers += 1;
    return held;
  });
  const followed = await follow({}, rpc);
  const old = await chain.rpc.request(latestBlock());
  const { number } = await chain.mine(2);
  await followed.untilBlock(number);
  held = old.raw;
  await chain.mine();
  await followed.until(() => answers > 2);
  held = null;
  await followed.untilBlock(number + 1);
  expect(followed.reorgs).toEqual([]);
}, 30_000);

test('says once that the chain is unreachable, and abstains from what it missed', async () => {
  let down = false;
  const rpc = await proxied((_, result) => {
    if (down) throw new Error('down');
    return result;
  });
  const followed = await follow({}, rpc);
  await followed.untilRound(await closeRound());
  down = true;
  await followed.until(() => followed.reachable.length > 0);
  const missed = await closeRound();
  await closeRound();
  expect(followed.follower.status().caughtUp).toBe(false);
  down = false;
  await followed.until(() => followed.reachable.length > 1);
  expect(followed.reachable).toEqual([false, true]);
  expect(followed.abstained).toEqual([{ round: missed, reason: 'RPC_UNAVAILABLE', detail: expect.any(String) }]);
  expect(followed.rounds.at(-1)?.context.round).toBe(missed + 1);
}, 30_000);

test('abstains when the verifier holds another table than settlement recorded, and when settlement has none for the round', async () => {
  const { matchSettlement } = chain.deployment.contracts;
  const followed = await follow();
  const round = await closeRound();
  await followed.untilRound(round);
  const hash = await chain.rpc.request(storageAt(matchSettlement, TABLE_HASH_SLOT, 'latest'));
  const word = await chain.rpc.request(storageAt(matchSettlement, TABLE_SLOT, 'latest'));
  const put = (slot: bigint, value: bigint) =>
    chain.rpc.request(
      control('anvil_setStorageAt', [matchSettlement, numberToHex(slot), numberToHex(value, { size: 32 })]),
    );
  await put(TABLE_HASH_SLOT, hash ^ 1n);
  const mismatched = await closeRound();
  await followed.until(() => followed.abstained.length === 1);
  await put(TABLE_SLOT, 0n);
  const without = await closeRound();
  await followed.until(() => followed.abstained.length === 2);
  await Promise.all([put(TABLE_HASH_SLOT, hash), put(TABLE_SLOT, word)]);
  await followed.untilRound(await closeRound());
  expect(followed.abstained.map(({ round, reason }) => ({ round, reason }))).toEqual([
    { round: mismatched, reason: 'TABLE_MISMATCH' },
    { round: without, reason: 'NO_TABLE' },
  ]);
}, 30_000);

test('a garbled operator table is asked for again, and does not end the node', async () => {
  let garbled = 2;
  const rpc = await proxied((method, result) => {
    if (method !== 'eth_call' || garbled === 0) return result;
    garbled -= 1;
    return garbled % 2 === 0 ? '0x' : `0x${'ff'.repeat(64)}`;
  });
  const followed = await follow({}, rpc);
  await followed.untilRound(await closeRound());
  expect(garbled).toBe(0);
  expect(followed.follower.status().caughtUp).toBe(true);
}, 30_000);

test('a fault in who takes the rounds is told, and the node no longer says that it follows', async () => {
  const failures: unknown[] = [];
  const fault = new RangeError('the disk is gone');
  let started = false;
  const follower = new RoundFollower(
    { deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5 },
    {
      rpc: chain.rpc,
      onRound: () => {},
      onAbstain: () => {},
      onBlock: () => {
        if (started) throw fault;
      },
      onFailed: (error) => failures.push(error),
    },
  );
  await follower.start();
  started = true;
  await chain.mine();
  const deadline = Date.now() + 10_000;
  while (failures.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(failures).toEqual([fault]);
  expect(follower.status().caughtUp).toBe(false);
  await follower.stop();
}, 30_000);

test('refuses at the start an RPC that serves another chain', async () => {
  const deployment = { ...chain.deployment, chainId: 1 };
  const followed = new FollowedRounds({ deployment, factsCheck: 'storage', pollIntervalMs: 5 }, chain.rpc);
  await expect(followed.follower.start()).rejects.toMatchObject({ code: 'RPC_WRONG_CHAIN' });
});

test('abstains when a log is lost, reads it again, and takes part in the next round', async () => {
  let losing = true;
  const rpc = await proxied((method, result) =>
    losing && method === 'eth_getLogs' ? (result as unknown[]).slice(0, -1) : result,
  );
  losing = false;
  const followed = await follow({}, rpc);
  await chain.mined([chain.postOrder(), chain.setOffer(0, 1, 1_900_000)]);
  await chain.mine();
  await followed.untilBlock((await chain.rpc.request(latestBlock())).number);
  await closeRound();
  losing = true;
  await chain.mined([chain.postOrder()]);
  const lossy = await chain.mine();
  await followed.untilBlock(lossy.number);
  losing = false;
  const round = await closeRound();
  await followed.until(() => followed.abstained.length > 0);
  expect(followed.abstained).toEqual([{ round, reason: 'FACTS_MISMATCH', detail: expect.any(String) }]);
  const next = await closeRound();
  const { orderIds } = await followed.untilRound(next);
  expect(orderIds.length).toBeGreaterThanOrEqual(2);
  expect(followed.resyncs).toEqual([]);
}, 30_000);

test('reads again when a node answers for its newest block with the state of the one it is making', async () => {
  let wrong = 0;
  const rpc = await proxied((method, result) => {
    if (method !== 'eth_getStorageAt' || wrong === 0) return result;
    wrong -= 1;
    return numberToHex(BigInt(result as string) ^ 1n, { size: 32 });
  });
  const followed = await follow({}, rpc);
  await chain.mined([chain.postOrder()]);
  await chain.mine();
  await followed.untilBlock((await chain.rpc.request(latestBlock())).number);
  wrong = 15;
  const round = await closeRound();
  const { orderIds } = await followed.untilRound(round);
  expect(orderIds.length).toBeGreaterThanOrEqual(1);
  expect(wrong).toBe(0);
  expect(followed.abstained).toEqual([]);
  expect(followed.resyncs).toEqual([]);
}, 30_000);
