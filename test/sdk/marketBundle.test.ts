import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { buildMatchBatch } from '../../chain/buildMatchBatch.js';
import { buildProgram } from '../../cli/program.js';
import { describeError } from '../../cli/usage.js';
import { matchRound } from '../../engine/matchRound.js';
import { FollowedRounds } from '../support/followedRounds.js';
import { MarketChain } from '../support/marketChain.js';
import { MarketCommands } from '../support/marketCommands.js';

let chain: MarketChain;
let commands: MarketCommands;
let folder: string;
/** The digest that the operators certified for the settled round. */
let settled: { round: number; messageHash: string };
/** An order that no machine can take, in the settled round's snapshot. */
const UNMATCHED = 3;

beforeAll(async () => {
  chain = await MarketChain.start();
  await chain.addProvider(0, [2_000_000]);
  await chain.addProvider(1, [3_000_000]);
  await chain.mined([chain.postOrder(), chain.postOrder(), chain.postOrder({ maxPriceMicroPerHour: 1 })]);
  const followed = new FollowedRounds(
    { deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5 },
    chain.rpc,
  );
  await followed.follower.start();
  let context;
  let records;
  do {
    await followed.untilBlock((await chain.mine()).number);
    context = followed.rounds.at(-1)?.context;
    records = context === undefined ? [] : matchRound(context.snapshot, context.policy, context.seed);
  } while (context === undefined || records.length < 2);
  const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, {
    chainId: chain.deployment.chainId,
    settlement: chain.deployment.contracts.matchSettlement,
  });
  await chain.mined([chain.settle(batch, recordsHex, messageHash)]);
  settled = { round: context.round, messageHash };
  await followed.follower.stop();
  // Later changes must not reach into the bundle of an earlier round.
  await chain.addProvider(2, [1_000_000]);
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-bundle-'));
  commands = new MarketCommands(chain, folder);
}, 120_000);

afterAll(async () => {
  commands.close();
  rmSync(folder, { recursive: true, force: true });
  await chain.stop();
});

/** What `verify` prints of a file, which it needs no market for. */
// oxlint-disable-next-line typescript/no-explicit-any -- every test says what it expects of the printed JSON
async function verify(file: string): Promise<Record<string, any>> {
  const lines: string[] = [];
  await buildProgram((line) => lines.push(line)).parseAsync(['verify', file, '--json'], { from: 'user' });
  return JSON.parse(lines.join('\n'));
}

test('a bundle of a settled round gives the digest that the operators certified, without a node', async () => {
  const written = await commands.run(null, 'bundle', String(settled.round), '--out', folder);
  expect(written).toMatchObject({ round: settled.round, matchCount: 2, messageHash: settled.messageHash });
  expect(written['file']).toContain(`round-${settled.round}-${written['address']}.json`);
  const again = await commands.run(null, 'bundle', String(settled.round), '--out', folder);
  expect(again['address']).toBe(written['address']);
  const verified = await verify(written['file']);
  expect(verified).toMatchObject({ holds: true, messageHash: settled.messageHash, address: written['address'] });
});

test('a bundle that was tampered with is refused, or does not hold', async () => {
  const { file } = await commands.run(null, 'bundle', String(settled.round), '--out', folder);
  const text = readFileSync(file, 'utf8');
  const tampered = path.join(folder, 'tampered.json');
  // The dearer machine's price, made the lower one.
  writeFileSync(tampered, text.replaceAll('3000000', '1000000'));
  expect(await verify(tampered)).toMatchObject({ holds: false });
  expect(process.exitCode).toBe(1);
  process.exitCode = 0;
  writeFileSync(tampered, text.slice(0, -3));
  await expect(verify(tampered).catch(describeError)).resolves.toBe('error: bundle: text is not JSON');
  const missing = path.join(folder, 'missing.json');
  await expect(verify(missing).catch(describeError)).resolves.toContain(`bundle: ${missing} cannot be read`);
});

test('explain prints every candidate with its terms and its margin', async () => {
  const explained = await commands.run(null, 'explain', '1');
  expect(explained).toMatchObject({ round: settled.round, outcome: 'matched' });
  const [best, second] = explained['candidates'];
  expect(best.machineId).toBe(explained['record'].machineId);
  expect(best.margin).toBe(0);
  expect(second.margin).toBe(best.total - second.total);
  expect(explained['candidates']).toHaveLength(2);
  const text = (await commands.lines(null, 'explain', '1')).join('\n');
  expect(text).toContain(`order 1 in round ${settled.round}: machine ${best.machineId} of provider`);
  expect(text).toMatch(/behind\n/);
});

test('explain says why an order went nowhere, from a bundle as from the chain', async () => {
  const round = String(settled.round);
  const { file } = await commands.run(null, 'bundle', round, '--out', folder);
  const fromChain = await commands.run(null, 'explain', String(UNMATCHED), '--round', round);
  expect(fromChain).toMatchObject({ outcome: 'unmatched', decidingReason: 'PRICE', candidates: [] });
  expect(fromChain['rejections']).toHaveLength(2);
  const fromBundle = await commands.run(null, 'explain', String(UNMATCHED), '--bundle', file);
  expect(fromBundle).toEqual(fromChain);
  expect((await commands.lines(null, 'explain', String(UNMATCHED), '--bundle', file)).join('\n')).toContain(
    'no machine; the furthest came to PRICE',
  );
});

test('rounds and orders that are not there are named', async () => {
  expect(await commands.fails(null, 'bundle', '100000', '--out', folder)).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('round 100000 has no snapshot'),
  });
  expect(await commands.fails(null, 'explain', '77')).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('order 77 is not in the snapshot'),
  });
});
