import { Redis } from 'ioredis';

import { MatchmakerError } from '../engine/error.js';
import type { Logger } from './logger.js';

/** A Redis server whose settings would lose jobs silently. */
export class RedisPolicyError extends MatchmakerError<'REDIS_POLICY'> {
  constructor(policy: string) {
    super(
      'REDIS_POLICY',
      `Redis has maxmemory-policy "${policy}", which deletes job data when memory is short; set it to "noeviction"`,
      { metadata: { policy } },
    );
  }
}

/**
 * A connection as BullMQ wants it. Workers wait for ever for a server that is away; producers fail at once instead of
 * queueing in memory. Connection errors are passed to `onError` and never thrown.
 */
export function connectRedis(url: string, role: 'worker' | 'producer', onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    enableOfflineQueue: role === 'worker',
    lazyConnect: true,
    connectTimeout: 2_000,
    disconnectTimeout: 100,
    retryStrategy: (attempt) => Math.min(100 * 2 ** Math.min(attempt, 5), 3_000),
  });
  redis.on('error', onError);
  return redis;
}

/**
 * Checks that the server never evicts keys. Throws RedisPolicyError when it would. A managed server that forbids CONFIG
 * is accepted with a warning, since nothing but speed of recovery rests on Redis.
 */
export async function checkRedisPolicy(redis: Redis, logger: Logger): Promise<void> {
  let answer: unknown;
  try {
    answer = await redis.config('GET', 'maxmemory-policy');
  } catch (error) {
    logger.warn(
      { event: 'redis_policy_unknown', err: error },
      'Redis does not tell its maxmemory-policy; it must be noeviction',
    );
    return;
  }
  const policy = Array.isArray(answer) ? String(answer[1]) : 'unknown';
  if (policy !== 'noeviction') throw new RedisPolicyError(policy);
}
