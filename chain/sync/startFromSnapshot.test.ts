import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { numberToHex } from 'viem';
import { matchRound } from '../../engine/matchRound.js';
import { encodeRecords } from '../../protocol/records.js';
import { FollowedRounds } from '../../test/support/followedRounds.js';
import { control, MarketChain } from '../../test/support/marketChain.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';
import type { RpcCall } from '../rpc/rpcCall.js';
import { LocalSnapshot } from './localSnapshot.js';
import type { RoundFollowerOptions } from './roundFollower.js';

let chain: MarketChain;
let folder: string;
let file: string;
const running: FollowedRounds[] = [];

beforeAll(async () => {
  chain = await MarketChain.start();
  await chain.addProvider(0, [1_000_000, 2_000_000]);
  await chain.mined([chain.postOrder(), chain.postOrder({ milliGpu: 300 })]);
  await chain.mine(12);
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ follower }) => follower.stop()));
  rmSync(folder, { recursive: true, force: true });
});

afterAll(() => chain.stop());

/** The chain's node, counting the spans of logs that are asked of it. */
function counted(): { rpc: Rpc; spans: { from: number; to: number }[] } {
  const spans: { from: number; to: number }[] = [];
  const note = ({ method, params }: RpcCall<unknown>): void => {
    const [filter] = params as [{ fromBlock?: string; toBlock?: string } | undefined];
    if (method === 'eth_getLogs' && filter?.fromBlock !== undefined)
      spans.push({ from: Number(filter.fromBlock), to: Number(filter.toBlock) });
  };
  const rpc: Rpc = {
    batch: (calls) => {
      calls.forEach(note);
      return chain.rpc.batch(calls);
    },
    request: (call) => {
      note(call);
      return chain.rpc.request(call);
    },
  };
  return { rpc, spans };
}

function newFile(): string {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-snapshot-'));
  file = path.join(folder, 'deep', 'market.snapshot');
  return file;
}

async function follow(options: Partial<RoundFollowerOptions> = {}, rpc: Rpc = chain.rpc): Promise<FollowedRounds> {
  const followed = new FollowedRounds(
    {
      deployment: chain.deployment,
      factsCheck: 'storage',
      pollIntervalMs: 5,
      maxReorgBlocks: 4,
      localSnapshot: { file, everySeconds: 3_600 },
      ...options,
    },
    rpc,
  );
  running.push(followed);
  await followed.follower.start();
  return followed;
}

/** Mines, each block followed before the next, until a round is handed over; returns the records the engine finds for it. */
async function nextRecords(
  followed: FollowedRounds,
): Promise<{ round: number; records: string; orderIds: readonly number[] }> {
  const seen = followed.rounds.length;
  while (followed.rounds.length === seen) await followed.untilBlock((await chain.mine()).number);
  const { context, orderIds } = followed.rounds.at(-1) ?? {};
  if (context === undefined || orderIds === undefined) throw new Error('no round');
  const records = encodeRecords(matchRound(context.snapshot, context.policy, context.seed));
  return { round: context.round, records, orderIds };
}

/** A file of a follower that stopped. */
async function kept(): Promise<void> {
  newFile();
  const followed = await follow();
  await followed.follower.stop();
  expect(existsSync(file)).toBe(true);
}

test('goes on from where it stopped, reads only what came after, and finds the records that a start from the history finds', async () => {
  newFile();
  const first = await follow();
  await chain.mine();
  await first.until(() => first.snapshots.length > 0);
  expect(first.snapshots).toEqual([
    { kind: 'written', block: expect.any(Number), bytes: expect.any(Number), seconds: expect.any(Number) },
  ]);
  await nextRecords(first);
  await first.follower.stop();
  const { kind, block } = first.snapshots.at(-1) as { kind: string; block: number };
  expect(kind).toBe('written');
  expect(readdirSync(path.dirname(file))).toEqual(['market.snapshot']);

  await chain.mined([chain.postOrder({ cpuMilli: 2_000 })]);
  await chain.mine(9);
  const { rpc, spans } = counted();
  const second = await follow({}, rpc);
  expect(second.snapshots[0]).toMatchObject({ kind: 'loaded', block });
  expect(Math.min(...spans.map(({ from }) => from))).toBe(block + 1);
  const fromHistory = await follow({ localSnapshot: { file: `${file}.other`, everySeconds: 3_600 } });
  const seen = fromHistory.rounds.length;
  const found = await nextRecords(second);
  await fromHistory.until(() => fromHistory.rounds.length > seen);
  const { context } = (await fromHistory.untilRound(found.round)) ?? {};
  expect(found.orderIds.length).toBeGreaterThanOrEqual(3);
  expect(encodeRecords(matchRound(context.snapshot, context.policy, context.seed))).toBe(found.records);
  expect([...second.abstained, ...second.resyncs]).toEqual([]);
}, 60_000);

test('is written while following too, whole and only where the words agree', async () => {
  newFile();
  const followed = await follow({ localSnapshot: { file, everySeconds: 0.01 } });
  const blocksWritten = () => followed.snapshots.flatMap((event) => (event.kind === 'written' ? [event.block] : []));
  for (let turn = 0; turn < 8; turn++) await followed.untilBlock((await chain.mine()).number);
  await followed.until(() => new Set(blocksWritten()).size > 2);
  const snapshot = new LocalSnapshot(file, chain.deployment);
  const content = await snapshot.load();
  expect(blocksWritten()).toContain(content?.block.number);
  expect(followed.rounds.map(({ context }) => context.snapshotBlock)).not.toContain(blocksWritten().at(0));
}, 60_000);

test('a reorganisation below it drops it, and the history is read', async () => {
  await kept();
  const { block } = (await new LocalSnapshot(file, chain.deployment).load()) ?? {};
  const { number } = await chain.rpc.request(latestBlock());
  await chain.rpc.request(control('anvil_reorg', [number - (block?.number ?? 0) + 1, []]));
  const { rpc, spans } = counted();
  const followed = await follow({}, rpc);
  expect(followed.snapshots[0]).toEqual({ kind: 'dropped', reason: `its block ${block?.number} is not on the chain` });
  expect(spans[0]?.from).toBe(chain.deployment.deploymentBlock);
  expect((await nextRecords(followed)).orderIds.length).toBeGreaterThanOrEqual(2);
}, 60_000);

test.each([
  ['a damaged file', (bytes: Buffer) => bytes.fill(7, bytes.length - 200, bytes.length - 190), /checksum/],
  ['half a file', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), /checksum/],
  ['an empty file', () => Buffer.alloc(0), /format or version/],
  [
    'a file of a later version',
    (bytes: Buffer) => Buffer.concat([Buffer.from('MMSNAP99'), bytes.subarray(8)]),
    /version/,
  ],
])(
  '%s is dropped and made anew',
  async (_, damage, reason) => {
    await kept();
    writeFileSync(file, damage(readFileSync(file)));
    const followed = await follow();
    expect(followed.snapshots[0]).toEqual({ kind: 'dropped', reason: expect.stringMatching(reason) });
    expect((await nextRecords(followed)).orderIds.length).toBeGreaterThanOrEqual(2);
    await chain.mine();
    await followed.until(() => followed.snapshots.some(({ kind }) => kind === 'written'));
    await expect(new LocalSnapshot(file, chain.deployment).load()).resolves.not.toBeNull();
  },
  60_000,
);

test('a file of another deployment is dropped', async () => {
  await kept();
  const { deploymentBlock } = chain.deployment;
  const followed = await follow({ deployment: { ...chain.deployment, deploymentBlock: deploymentBlock - 1 } });
  expect(followed.snapshots[0]).toEqual({ kind: 'dropped', reason: 'it is of another market' });
}, 60_000);

test('a file that the contracts contradict is dropped before any round is handed over', async () => {
  await kept();
  const snapshot = new LocalSnapshot(file, chain.deployment);
  const content = await snapshot.load();
  if (content === null) throw new Error('no snapshot');
  await snapshot.save({ ...content, registryFacts: content.registryFacts ^ (1n << 60n) });
  const { rpc, spans } = counted();
  const followed = await follow({}, rpc);
  expect(followed.snapshots.slice(0, 2)).toEqual([
    { kind: 'loaded', block: content.block.number, seconds: expect.any(Number) },
    { kind: 'dropped', reason: expect.stringContaining('registryFacts') },
  ]);
  expect(followed.resyncs).toHaveLength(1);
  expect(followed.rounds).toEqual([]);
  expect(spans.some(({ from }) => from === chain.deployment.deploymentBlock)).toBe(true);
  expect((await nextRecords(followed)).orderIds.length).toBeGreaterThanOrEqual(2);
}, 60_000);

test('an RPC of another chain is refused at a start from a snapshot as at any other', async () => {
  await kept();
  const rpc: Rpc = {
    batch: (async (calls: readonly RpcCall<unknown>[]) =>
      Promise.all(
        calls.map(async (call) =>
          call.method === 'eth_chainId' ? call.decode(numberToHex(77)) : chain.rpc.request(call),
        ),
      )) as Rpc['batch'],
    request: (call) => chain.rpc.request(call),
  };
  await expect(follow({}, rpc)).rejects.toMatchObject({ code: 'RPC_WRONG_CHAIN' });
  expect(existsSync(file)).toBe(true);
}, 60_000);

test('who must see past rounds again does not go on from a snapshot that is newer', async () => {
  await kept();
  const followed = await follow({ lateRounds: true, maxReorgBlocks: 64 });
  expect(followed.snapshots[0]).toEqual({ kind: 'dropped', reason: expect.stringContaining('too new') });
  expect(followed.rounds.length).toBeGreaterThan(0);
}, 60_000);

test('a folder that cannot be written is told, and the rounds go on', async () => {
  newFile();
  writeFileSync(path.join(folder, 'deep'), 'a file where the folder should be');
  const followed = await follow();
  expect(followed.snapshots[0]).toMatchObject({ kind: expect.stringMatching(/dropped|unwritten/) });
  expect((await nextRecords(followed)).orderIds.length).toBeGreaterThanOrEqual(2);
  await chain.mine();
  await followed.until(() => followed.snapshots.some(({ kind }) => kind === 'unwritten'));
}, 60_000);
