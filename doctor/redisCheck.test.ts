import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';

import { ensureRedis, type EnsuredRedis } from '../service/ensureRedis.js';
import { createLogger } from '../service/logger.js';
import { checkRedis } from './redisCheck.js';

let server: EnsuredRedis | undefined;

afterEach(async () => {
  await server?.stop();
});

test('nobody but an aggregator with a Redis of its own is examined', async () => {
  expect(await checkRedis({ role: 'operator', redisUrl: null })).toMatchObject({ status: 'skipped' });
  expect(await checkRedis({ role: 'aggregator', redisUrl: null })).toMatchObject({ status: 'skipped' });
});

test('a server that keeps all keys is well, one that evicts some or is away is not', async () => {
  server = await ensureRedis(
    { profile: 'devnet', env: { PATH: process.env['PATH'] } },
    { logger: createLogger({ service: 'test', level: 'silent' }) },
  );
  const patient = { role: 'aggregator', redisUrl: server.url } as const;
  expect(await checkRedis(patient)).toEqual({ status: 'ok', detail: 'answers, maxmemory-policy noeviction' });

  const client = new Redis(server.url);
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  client.disconnect();
  expect(await checkRedis(patient)).toEqual({
    status: 'failed',
    detail: expect.stringContaining('"allkeys-lru"'),
    fix: expect.stringContaining('config set maxmemory-policy noeviction'),
  });

  await server.stop();
  expect(await checkRedis(patient)).toMatchObject({ status: 'failed', fix: expect.stringContaining('start Redis') });
});
