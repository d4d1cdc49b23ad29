import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NonceJournal } from './nonceJournal.js';
import type { DoneEntry, SentEntry } from './nonceJournal.js';

const ADDRESS = '0x00000000000000000000000000000000000000aa';
let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'journal-'));
  file = path.join(directory, 'sub', 'nonces.jsonl');
});

afterEach(() => rm(directory, { recursive: true }));

function open(now = 1_000, keepMs = 500): Promise<NonceJournal> {
  return NonceJournal.open({ file, chainId: 1, address: ADDRESS, keepMs }, now);
}

function sent(nonce: number): SentEntry {
  return {
    kind: 'sent',
    nonce,
    hash: `0x${nonce}a`,
    raw: '0x02',
    label: 'settle round 1',
    cancels: false,
    deadlineBlock: 9,
    at: 900,
  };
}

function done(nonce: number, costWei: bigint, at: number): DoneEntry {
  return { kind: 'done', nonce, outcome: 'mined', hash: null, costWei: String(costWei), at };
}

test('what was appended is there after opening again; what ended is not pending', async () => {
  const journal = await open();
  await journal.append(sent(1));
  await journal.append(done(1, 5n, 900));
  await journal.append(sent(2));
  await journal.close();
  const again = await open();
  expect(again.pending).toEqual([sent(2)]);
  expect(again.spentSince(500)).toBe(5n);
  expect(again.spentSince(900)).toBe(0n);
  await again.close();
});

test('what ended longer ago than asked for is dropped at opening', async () => {
  const journal = await open();
  await journal.append(sent(1));
  await journal.append(done(1, 5n, 900));
  await journal.close();
  await (await open(2_000)).close();
  expect(await readFile(file, 'utf8')).not.toContain('"done"');
});

test('a torn last line is cut off at every length, a whole one is kept', async () => {
  const journal = await open();
  await journal.append(sent(1));
  const whole = await readFile(file, 'utf8');
  await journal.append(sent(2));
  await journal.close();
  const longer = await readFile(file, 'utf8');
  for (let length = whole.length; length < longer.length; length += 4) {
    await writeFile(file, longer.slice(0, length));
    const again = await open();
    expect(again.pending).toEqual([sent(1)]);
    await again.append(sent(3));
    await again.close();
    const repaired = await open();
    expect(repaired.pending).toEqual([sent(1), sent(3)]);
    await repaired.close();
  }
}, 30_000);

test('a changed byte in any line is refused', async () => {
  const journal = await open();
  await journal.append(sent(1));
  await journal.append(sent(2));
  await journal.close();
  const text = await readFile(file, 'utf8');
  for (let at = 0; at < text.length; at += 5) {
    if (text[at] === '\n') continue;
    await writeFile(file, `${text.slice(0, at)}~${text.slice(at + 1)}`);
    await expect(open()).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
  }
}, 30_000);

test('the journal of another key or chain is refused', async () => {
  await (await open()).close();
  await expect(NonceJournal.open({ file, chainId: 2, address: ADDRESS, keepMs: 1 }, 0)).rejects.toMatchObject({
    code: 'JOURNAL_CORRUPT',
  });
});

test('a writer that was replaced is refused, and stays so', async () => {
  const first = await open();
  const second = await open();
  await expect(first.append(sent(1))).rejects.toMatchObject({ code: 'JOURNAL_CLOSED' });
  await second.append(sent(2));
  await expect(first.append(sent(1))).rejects.toMatchObject({ code: 'JOURNAL_CLOSED' });
  await first.close();
  await second.close();
  const last = await open();
  expect(last.pending).toEqual([sent(2)]);
  await last.close();
});

test('a nonce that ended unused and was used again is pending again after opening', async () => {
  const journal = await open();
  await journal.append(sent(1));
  await journal.append({ ...done(1, 0n, 900), outcome: 'refused' });
  const second = { ...sent(1), raw: '0x03' } as const;
  await journal.append(second);
  expect(journal.pending).toEqual([second]);
  await journal.close();
  const again = await open();
  expect(again.pending).toEqual([second]);
  await again.close();
});

test('entries that are appended at once are written one after the other, in the order they came in', async () => {
  const journal = await NonceJournal.open(
    { file, chainId: 1, address: ADDRESS, keepMs: 500, compactAtBytes: 4_000 },
    1_000,
  );
  const nonces = Array.from({ length: 40 }, (_, nonce) => nonce);
  await Promise.all(nonces.flatMap((nonce) => [journal.append(sent(nonce)), journal.append(done(nonce, 1n, 1_000))]));
  await Promise.all([journal.append(done(40, 1n, 1_000)), journal.append(sent(40))]);
  expect(journal.pending).toEqual([sent(40)]);
  expect(journal.spentSince(900)).toBe(41n);
  await journal.close();
  const again = await open();
  expect(again.pending).toEqual([sent(40)]);
  expect(again.spentSince(900)).toBe(41n);
  await again.close();
});

test('a file that has grown is written anew, with what is pending and what still counts', async () => {
  const options = { file, chainId: 1, address: ADDRESS, keepMs: 500, compactAtBytes: 4_000 } as const;
  const journal = await NonceJournal.open(options, 1_000);
  let largest = 0;
  for (let nonce = 1; nonce <= 200; nonce++) {
    await journal.append({ ...sent(nonce), at: 1_000 + 10 * nonce });
    await journal.append(done(nonce, 1n, 1_000 + 10 * nonce));
    largest = Math.max(largest, (await readFile(file)).length);
  }
  await journal.append(sent(201));
  expect(largest).toBeLessThan(20_000);
  expect(journal.spentSince(2_500)).toBe(50n);
  await journal.close();
  const again = await NonceJournal.open(options, 3_000);
  expect(again.pending).toEqual([sent(201)]);
  expect(again.spentSince(2_500)).toBe(50n);
  await again.close();
});
