import { checkRedisPolicy, connectRedis, RedisPolicyError } from '../service/redis.js';
import { createLogger } from '../service/logger.js';
import { messageOf } from '../service/thrown.js';
import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** The aggregator's Redis answers and never evicts keys. */
export async function checkRedis({ role, redisUrl }: Pick<Patient, 'role' | 'redisUrl'>): Promise<Finding> {
  if (role === 'operator') return skipped('an operator needs no Redis');
  if (redisUrl === null) return skipped('no Redis is named: the aggregator starts one');
  const redis = connectRedis(redisUrl, 'producer', () => undefined);
  try {
    await redis.connect();
    await checkRedisPolicy(redis, createLogger({ service: 'doctor', level: 'silent' }));
    return ok('answers, maxmemory-policy noeviction');
  } catch (error) {
    return error instanceof RedisPolicyError
      ? failed(
          error.message,
          'redis-cli config set maxmemory-policy noeviction, and the same in its configuration file',
        )
      : failed(messageOf(error), 'start Redis, or correct redisUrl');
  } finally {
    redis.disconnect();
  }
}
