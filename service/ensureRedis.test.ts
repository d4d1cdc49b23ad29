import { spawn } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { Redis } from 'ioredis';
import { pino } from 'pino';

import { ensureRedis, RedisUnavailableError, type EnsuredRedis } from './ensureRedis.js';
import { checkRedisPolicy, RedisPolicyError } from './redis.js';

const binary = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .map((folder) => path.join(folder, 'redis-server'))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const logger = pino({ level: 'silent' });
const running: EnsuredRedis[] = [];

afterEach(async () => {
  for (const redis of running.splice(0)) await redis.stop();
});

async function ensure(
  env: NodeJS.ProcessEnv,
  profile: 'production' | 'devnet' = 'devnet',
  url?: string,
): Promise<EnsuredRedis> {
  const redis = await ensureRedis({ url, profile, env }, { logger });
  running.push(redis);
  return redis;
}

async function using<Result>(url: string, task: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0, disconnectTimeout: 50 });
  redis.on('error', () => undefined);
  try {
    return await task(redis);
  } finally {
    redis.disconnect();
  }
}

describe('which server', () => {
  test('a given URL wins over REDIS_URL, and neither is checked or stopped', async () => {
    expect(await ensure({ REDIS_URL: 'redis://b' }, 'production', 'redis://a')).toMatchObject({
      url: 'redis://a',
      source: 'url',
    });
    expect(await ensure({ REDIS_URL: 'redis://b' })).toMatchObject({ url: 'redis://b', source: 'url' });
  });

  test('without any, the embedded one: it answers, never evicts, and ends when stopped', async () => {
    const redis = await ensure({ PATH: '' });
    expect(redis.source).toBe('embedded');
    expect(await using(redis.url, (client) => client.set('a', '1'))).toBe('OK');
    await using(redis.url, (client) => checkRedisPolicy(client, logger));
    await redis.stop();
    await expect(using(redis.url, (client) => client.ping())).rejects.toThrow();
  });

  test('production refuses the embedded one and says what to do', async () => {
    await expect(ensure({ PATH: '' }, 'production')).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('REDIS_URL'),
    });
  });

  test('a REDIS_SERVER_BIN that cannot run is an error, not a reason to take another', async () => {
    await expect(ensure({ REDIS_SERVER_BIN: '/nowhere/redis', PATH: process.env['PATH'] })).rejects.toBeInstanceOf(
      RedisUnavailableError,
    );
    await expect(
      ensureRedis({ profile: 'devnet', env: { REDIS_SERVER_BIN: '/bin/false' }, startTimeoutMs: 500 }, { logger }),
    ).rejects.toMatchObject({ message: expect.stringContaining('/bin/false') });
  });

  (binary === undefined ? test.skip : test)(
    'redis-server of PATH, without eviction, on a port of its own',
    async () => {
      const [a, b] = [
        await ensure({ PATH: process.env['PATH'] }, 'production'),
        await ensure({ REDIS_SERVER_BIN: binary }),
      ];
      expect([a.source, b.source]).toEqual(['binary', 'binary']);
      expect(a.url).not.toBe(b.url);
      await using(a.url, async (client) => {
        await checkRedisPolicy(client, logger);
        await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
        await expect(checkRedisPolicy(client, logger)).rejects.toBeInstanceOf(RedisPolicyError);
      });
      await a.stop();
      await expect(using(a.url, (client) => client.ping())).rejects.toThrow();
    },
  );

  (binary === undefined ? test.skip : test)(
    'a server that answers on the port but is not the one that was started is not taken for it',
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-other-redis-'));
      try {
        // As if somebody else's had taken the port: it works in another folder.
        const other = path.join(folder, 'other');
        writeFileSync(other, `#!/bin/sh\nexec '${binary}' --port "$2" --bind 127.0.0.1 --dir '${folder}' --save ''\n`);
        chmodSync(other, 0o755);
        const env = { REDIS_SERVER_BIN: other };
        await expect(ensureRedis({ profile: 'devnet', env, startTimeoutMs: 500 }, { logger })).rejects.toMatchObject({
          code: 'REDIS_UNAVAILABLE',
          cause: { message: expect.stringContaining('another server') },
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

test('a server ends with the process that started it, even when that is killed', async () => {
  // Beside the sources, so that packages resolve.
  const script = path.resolve('service', `.killed-${process.pid}.mjs`);
  buildSync({
    stdin: {
      contents: `import { ensureRedis } from './ensureRedis.js'; import { pino } from 'pino';
          const { url } = await ensureRedis({ profile: 'devnet', env: { PATH: '' } }, { logger: pino({ level: 'silent' }) });
          process.stdout.write(url + '\\n'); setInterval(() => undefined, 1000);`,
      resolveDir: path.resolve('service'),
    },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
    );
    expect(await using(url, (client) => client.ping())).toBe('PONG');
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    for (;;) {
      const alive = await using(url, (client) => client.ping()).then(
        () => true,
        () => false,
      );
      if (!alive) break;
    }
  } finally {
    child.kill('SIGKILL');
    rmSync(script, { force: true });
  }
}, 60_000);
