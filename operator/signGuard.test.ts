import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { getAddress, keccak256, numberToHex, type Hex } from 'viem';

import { DirectoryLockedError } from './directoryLock.js';
import { decodeGuardRecord, encodeGuardRecord, GUARD_RECORD_BYTES, type GuardScope } from './guardRecord.js';
import { DoubleSignRefusedError, GuardBrokenError, guardFolder, SignGuard, type GuardFiles } from './signGuard.js';

const scope: GuardScope = {
  chainId: 31_337,
  settlement: getAddress('0x00000000000000000000000000000000000000aa'),
  keyAddress: getAddress('0x00000000000000000000000000000000000000bb'),
};
const digest = (seed: number): Hex => keccak256(numberToHex(seed));

let dataDir: string;
let wal: string;
let opened: SignGuard[];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'matchmaker-guard-'));
  wal = path.join(guardFolder(dataDir, scope), 'guard.wal');
  opened = [];
});
afterEach(async () => {
  for (const guard of opened) await guard.close().catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
});

function open(dependencies: ConstructorParameters<typeof SignGuard>[1] = {}): SignGuard {
  const guard = new SignGuard({ dataDir, scope }, dependencies);
  opened.push(guard);
  return guard;
}

describe('one batch a round', () => {
  test('records once, repeats the same, refuses another digest and another reference timestamp', async () => {
    const guard = open();
    await expect(guard.decide(7, digest(1), 100)).resolves.toBe('recorded');
    await expect(guard.decide(7, digest(1), 100)).resolves.toBe('repeated');
    await expect(guard.decide(7, digest(2), 100)).rejects.toBeInstanceOf(DoubleSignRefusedError);
    await expect(guard.decide(7, digest(1), 101)).rejects.toMatchObject({ code: 'DOUBLE_SIGN_REFUSED' });
    await expect(guard.decide(8, digest(2), 100)).resolves.toBe('recorded');
  });

  test('holds across a restart, which is what a reorganised snapshot block meets', async () => {
    const first = open();
    await first.decide(7, digest(1), 100);
    await first.close();
    const second = open();
    expect(second.recorded(7)).toMatchObject({ messageHash: digest(1), referenceTimestamp: 100 });
    await expect(second.decide(7, digest(2), 100)).rejects.toBeInstanceOf(DoubleSignRefusedError);
  });

  test('concurrent decisions of one round let exactly one digest through', async () => {
    const guard = open();
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => guard.decide(7, digest(i), 100)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readFileSync(wal)).toHaveLength(GUARD_RECORD_BYTES);
  });

  test('the record is synced before the decision is out', async () => {
    const order: string[] = [];
    const files: GuardFiles = {
      write: (descriptor, bytes) => {
        order.push('write');
        appendFileSync(descriptor, bytes);
      },
      sync: () => order.push('sync'),
    };
    await open({ files }).decide(1, digest(1), 1);
    order.push('decided');
    expect(order).toEqual(['write', 'sync', 'decided']);
  });
});

describe('damage', () => {
  async function threeRecords(): Promise<Buffer> {
    const guard = open();
    for (const round of [1, 2, 3]) await guard.decide(round, digest(round), 100);
    await guard.close();
    return readFileSync(wal);
  }

  test('a file cut at any byte opens with exactly its whole records, and refuses their rounds', async () => {
    const bytes = await threeRecords();
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(wal, bytes.subarray(0, length));
      const guard = open();
      const whole = Math.floor(length / GUARD_RECORD_BYTES);
      for (const round of [1, 2, 3]) expect(guard.recorded(round) !== undefined).toBe(round <= whole);
      if (whole > 0) await expect(guard.decide(whole, digest(99), 100)).rejects.toBeInstanceOf(DoubleSignRefusedError);
      await expect(guard.decide(whole + 1, digest(98), 100)).resolves.toBe('recorded');
      await guard.close();
      expect(readFileSync(wal)).toHaveLength((whole + 1) * GUARD_RECORD_BYTES);
    }
  });

  test('a flipped byte anywhere refuses to open and leaves the file as it was', async () => {
    const bytes = await threeRecords();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      writeFileSync(wal, damaged);
      expect(() => open()).toThrow(GuardBrokenError);
      expect(readFileSync(wal).equals(damaged)).toBe(true);
    }
  });

  test('a last record of zeros is a write that never happened; zeros before the end are damage', async () => {
    const bytes = await threeRecords();
    writeFileSync(wal, Buffer.concat([bytes, Buffer.alloc(GUARD_RECORD_BYTES)]));
    const guard = open();
    expect(guard.recorded(3)).toBeDefined();
    await guard.close();
    writeFileSync(wal, Buffer.concat([Buffer.alloc(GUARD_RECORD_BYTES), bytes]));
    expect(() => open()).toThrow(GuardBrokenError);
  });

  test('records of another key are refused', async () => {
    const guard = open();
    await guard.close();
    const other = { ...scope, keyAddress: getAddress('0x00000000000000000000000000000000000000cc') };
    writeFileSync(
      wal,
      encodeGuardRecord(other, { kind: 'signature', round: 1, messageHash: digest(1), referenceTimestamp: 1 }),
    );
    expect(() => open()).toThrow(/another key/);
  });

  test.each(['write', 'sync'] as const)(
    'a failed %s means nothing is signed any more, until a restart',
    async (failing) => {
      let broken = false;
      const files: GuardFiles = {
        write: (descriptor, bytes) => {
          if (broken && failing === 'write') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          appendFileSync(descriptor, bytes);
        },
        sync: () => {
          if (broken && failing === 'sync') throw Object.assign(new Error('io'), { code: 'EIO' });
        },
      };
      const guard = open({ files });
      await guard.decide(1, digest(1), 1);
      broken = true;
      await expect(guard.decide(2, digest(2), 1)).rejects.toBeInstanceOf(GuardBrokenError);
      broken = false;
      expect(guard.isWritable).toBe(false);
      await expect(guard.decide(3, digest(3), 1)).rejects.toBeInstanceOf(GuardBrokenError);
      await expect(guard.decide(1, digest(1), 1)).rejects.toBeInstanceOf(GuardBrokenError);
      await guard.close();
      expect(open().isWritable).toBe(true);
    },
  );
});

describe('many rounds', () => {
  test('old rounds fall below a watermark, are refused outright, and stay so after a restart', async () => {
    const rounds = 2 * 16_384;
    const guard = open({
      files: { write: (descriptor, bytes) => appendFileSync(descriptor, bytes), sync: () => undefined },
    });
    for (let round = 1; round <= rounds; round++) await guard.decide(round, digest(1), 1);
    expect(readFileSync(wal).length).toBeLessThan((rounds / 2 + 2) * GUARD_RECORD_BYTES);
    for (const round of [1, 16_384]) {
      await expect(guard.decide(round, digest(1), 1)).rejects.toBeInstanceOf(DoubleSignRefusedError);
    }
    await guard.close();
    const again = open();
    await expect(again.decide(16_384, digest(1), 1)).rejects.toMatchObject({ metadata: { watermark: 16_384 } });
    expect(again.recorded(rounds)).toBeDefined();
    await expect(again.decide(rounds + 1, digest(1), 1)).resolves.toBe('recorded');
  });
});

describe('moving to another machine', () => {
  test('an export holds elsewhere', async () => {
    const here = open();
    await here.decide(1, digest(1), 1);
    await here.decide(2, digest(2), 1);
    const exported = JSON.parse(JSON.stringify(here.export()));
    await here.close();
    rmSync(wal);
    const there = open();
    await there.decide(3, digest(3), 1);
    await expect(there.import(exported)).resolves.toBe(2);
    await expect(there.import(exported)).resolves.toBe(0);
    await there.close();
    const restarted = open();
    await expect(restarted.decide(2, digest(9), 1)).rejects.toBeInstanceOf(DoubleSignRefusedError);
    await expect(restarted.decide(3, digest(9), 1)).rejects.toBeInstanceOf(DoubleSignRefusedError);
  });

  test('a contradiction and a foreign guard are refused, and nothing of them is taken over', async () => {
    const guard = open();
    await guard.decide(2, digest(2), 1);
    const base = guard.export();
    const contradicting = {
      ...base,
      records: [
        { round: 1, messageHash: digest(1), referenceTimestamp: 1 },
        { round: 2, messageHash: digest(3), referenceTimestamp: 1 },
      ],
    };
    await expect(guard.import(contradicting)).rejects.toBeInstanceOf(DoubleSignRefusedError);
    expect(guard.recorded(1)).toBeUndefined();
    const foreign = { ...base, metadata: { ...base.metadata, chainId: 1 } };
    await expect(guard.import(foreign)).rejects.toBeInstanceOf(GuardBrokenError);
  });

  test("an import's watermark refuses what is older", async () => {
    const guard = open();
    await guard.import({ ...guard.export(), watermark: 50 });
    await expect(guard.decide(50, digest(1), 1)).rejects.toBeInstanceOf(DoubleSignRefusedError);
    await expect(guard.decide(51, digest(1), 1)).resolves.toBe('recorded');
  });
});

describe('one process', () => {
  const lock = (): string => path.join(guardFolder(dataDir, scope), 'lock');

  test('a second guard of the same key is refused while the first is open', async () => {
    const guard = open();
    expect(() => open()).toThrow(DirectoryLockedError);
    await guard.close();
    expect(() => open()).not.toThrow();
  });

  test('the lock of a dead process of this host is taken over, that of a living one is not', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await open().close();
    writeFileSync(lock(), JSON.stringify({ host: hostname(), pid: dead, startedAt: null }));
    const guard = open();
    expect(JSON.parse(readFileSync(lock(), 'utf8'))).toMatchObject({ pid: process.pid });
    await guard.close();
    writeFileSync(lock(), JSON.stringify({ host: hostname(), pid: process.ppid, startedAt: null }));
    expect(() => open()).toThrow(/held by pid/);
  });

  test('a pid that was given to another process does not keep the lock', async () => {
    await open().close();
    writeFileSync(lock(), JSON.stringify({ host: hostname(), pid: process.ppid, startedAt: '1' }));
    expect(() => open()).not.toThrow();
  });

  test('the lock of another host is never taken over', async () => {
    await open().close();
    writeFileSync(lock(), JSON.stringify({ host: 'elsewhere', pid: 1, startedAt: null }));
    expect(() => open()).toThrow(/host elsewhere/);
  });
});

test('a record round-trips and carries its scope', () => {
  const record = {
    kind: 'signature',
    round: 4_294_967_295,
    messageHash: digest(5),
    referenceTimestamp: 4_294_967_295,
  } as const;
  expect(decodeGuardRecord(encodeGuardRecord(scope, record))).toEqual({ scope, record });
});
