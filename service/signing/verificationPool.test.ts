import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { concat, keccak256, numberToHex, slice, type Hex } from 'viem';

import { buildVerificationWorker } from '../../test/support/builtWorker.js';
import { loadCurves, type Curves } from './curves.js';
import { VerificationPool, VerificationUnavailableError } from './verificationPool.js';

const digest = keccak256('0x01');
const secretOf = (scalar: number): Hex => numberToHex(scalar, { size: 32 });
let built: { file: string; remove: () => void };
let curves: Curves;
let folder: string;
let pool: VerificationPool | undefined;
let lost: { reason: string; left: number }[];

beforeAll(async () => {
  [built, curves] = await Promise.all([buildVerificationWorker(), loadCurves()]);
});
afterAll(() => built.remove());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-pool-'));
  lost = [];
});
afterEach(async () => {
  await pool?.stop();
  pool = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  options: { workers?: number; queueLimit?: number; workerFile?: string } = {},
): Promise<VerificationPool> {
  pool = new VerificationPool(
    { workers: 2, queueLimit: 64, workerFile: built.file, ...options },
    { curves, onWorkerLost: (reason, left) => lost.push({ reason, left }) },
  );
  await pool.started();
  return pool;
}

/** A worker that is ready and then does `onTasks` with what it gets. */
function workerOf(onTasks: string): string {
  const file = path.join(folder, 'worker.mjs');
  writeFileSync(
    file,
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', (tasks) => { ${onTasks} });
     parentPort.postMessage({ kind: 'ready' });`,
  );
  return file;
}

async function checksBothCurves(checking: VerificationPool): Promise<void> {
  const address = curves.secp256k1.addressOf(secretOf(5));
  const ecdsa = curves.secp256k1.sign(digest, secretOf(5));
  const keys = [1, 2, 3].map((scalar) => curves.bn254.publicKey(secretOf(scalar)));
  const bls = [1, 2, 3].map((scalar) => curves.bn254.sign(digest, secretOf(scalar)));
  const g2s = keys.map(({ g2 }) => g2);
  const swapped = { g1: keys[0]!.g1, g2: keys[1]!.g2 };
  await expect(
    Promise.all([
      checking.recover(digest, ecdsa, 'a'),
      checking.recover(digest, concat([`0x${'00'.repeat(32)}`, slice(ecdsa, 32)]), 'b'),
      checking.keysMatch(keys[0]!, 'a'),
      checking.keysMatch(swapped, 'b'),
      checking.verify(digest, bls, g2s),
      checking.verify(digest, bls.slice(1), g2s.slice(0, -1)),
    ]),
  ).resolves.toEqual([address, undefined, true, false, true, false]);
}

test('checks both curves in threads', async () => {
  const running = await start();
  expect(running.workers).toBe(2);
  await checksBothCurves(running);
  // More than one message can hold: every answer goes to its question.
  const signatures = Array.from({ length: 60 }, (_, index) => curves.secp256k1.sign(digest, secretOf(index + 1)));
  await expect(Promise.all(signatures.map((signature) => running.recover(digest, signature, 'a')))).resolves.toEqual(
    signatures.map((_, index) => curves.secp256k1.addressOf(secretOf(index + 1))),
  );
  expect(lost).toEqual([]);
});

describe('checks on the main thread instead', () => {
  test('where the worker is not built', async () => {
    const running = await start({ workerFile: path.join(folder, 'none.js') });
    expect(running.workers).toBe(0);
    await checksBothCurves(running);
    expect(lost).toEqual([{ reason: `there is no ${path.join(folder, 'none.js')}`, left: 0 }]);
  });

  test('when the worker cannot start', async () => {
    const file = path.join(folder, 'broken.mjs');
    writeFileSync(file, "throw new Error('no such binding');");
    const running = await start({ workerFile: file });
    expect(running.workers).toBe(0);
    expect(lost).toEqual([
      { reason: 'no such binding', left: 1 },
      { reason: 'no such binding', left: 0 },
    ]);
    await checksBothCurves(running);
  });

  test('when every worker died over its work, and nothing is lost with them', async () => {
    const running = await start({ workerFile: workerOf('process.exit(7);') });
    expect(running.workers).toBe(2);
    await checksBothCurves(running);
    expect(running.workers).toBe(0);
    expect(lost.map(({ left }) => left)).toEqual([1, 0]);
  });
});

test('an error in a worker says that nothing is known', async () => {
  const running = await start({
    workerFile: workerOf(
      "parentPort.postMessage({ kind: 'done', results: tasks.map(() => ({ error: 'out of memory' })) });",
    ),
  });
  await expect(running.keysMatch(curves.bn254.publicKey(secretOf(1)), 'a')).rejects.toThrow(
    new VerificationUnavailableError('out of memory'),
  );
});

test('a flood from one source is refused, another source is served, and the process itself first', async () => {
  // On the main thread nothing runs before all of this is asked.
  const running = await start({ workers: 1, queueLimit: 8, workerFile: path.join(folder, 'none.js') });
  const signature = curves.secp256k1.sign(digest, secretOf(1));
  const done: string[] = [];
  const ask = (source: string | undefined): Promise<unknown> =>
    running.recover(digest, signature, source).then(
      () => done.push(source ?? 'own'),
      () => done.push(`${source} refused`),
    );
  await Promise.all([...Array.from({ length: 20 }, () => ask('flood')), ask('honest'), ask('other'), ask(undefined)]);
  expect(done.filter((name) => name === 'flood refused')).toHaveLength(14);
  expect(done.filter((name) => name === 'flood')).toHaveLength(6);
  expect(done.filter((name) => !name.endsWith('refused')).slice(0, 4)).toEqual(['own', 'flood', 'honest', 'other']);
  expect(running.queued).toBe(0);
});

test('stopping rejects what waits or runs, and everything after', async () => {
  const running = await start({ workers: 1, workerFile: workerOf('') });
  const signature = curves.secp256k1.sign(digest, secretOf(1));
  const asked = Array.from({ length: 50 }, () => running.recover(digest, signature, 'a'));
  const settled = Promise.allSettled(asked);
  await running.stop();
  for (const { status } of await settled) expect(status).toBe('rejected');
  await expect(running.recover(digest, signature)).rejects.toThrow(VerificationUnavailableError);
  expect(running.workers).toBe(0);
  expect(lost).toEqual([]);
});
