import { z } from 'zod';

import { LOG_LEVELS } from '../service/logger.js';
import { keystoreSource } from '../service/keystoreSource.js';
import { loadConfig, type ConfigSource } from '../service/loadConfig.js';
import { localSnapshotSchema } from '../service/localSnapshotConfig.js';
import { urlSchema } from '../service/urlSchema.js';

const wei = z
  .union([z.int().min(0), z.string().regex(/^\d+$/, 'must be a whole number of wei')], {
    error: 'must be a whole number of wei',
  })
  .transform((value) => BigInt(value));

/** Keys of an aggregator's config file. Relative paths start at the file's folder. */
export const aggregatorConfigSchema = z.strictObject({
  /** Deployment file of the market and its operator set. */
  deployment: z.string().min(1),
  /** JSON-RPC endpoint of the market chain. */
  rpcUrl: urlSchema('http', 'https'),
  /** JSON-RPC endpoint of the stake chain, where BN254 operator tables are read; default `rpcUrl` when both chains are one. */
  stakeRpcUrl: urlSchema('http', 'https').optional(),
  /** Key that pays for settlements; it has no other authority. */
  keystore: keystoreSource,
  /** Holds the submission journal and the evidence log. */
  dataDir: z.string().min(1),
  /** Where signatures are taken, and metrics and health served. */
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(9100),
    })
    .prefault({}),
  /** Redis for what may wait; default REDIS_URL, else one is started. */
  redisUrl: urlSchema('redis', 'rediss').optional(),
  /** `devnet` allows the embedded Redis. */
  profile: z.enum(['production', 'devnet']).default('production'),
  fees: z
    .strictObject({
      /** Priority fee of the first attempt, wei per gas. */
      priorityFeeWei: wei.default(1_000_000_000n),
      /** Never offer more than this in all, wei per gas. */
      maxFeePerGasWei: wei.default(500_000_000_000n),
      /** Never spend more than this within the period, wei. */
      spendCapWei: wei.default(1_000_000_000_000_000_000n),
      spendPeriodSeconds: z.int().min(1).default(86_400),
    })
    .prefault({}),
  /** Blocks on top of a settlement after which it is taken for good. */
  confirmations: z.int().min(1).default(12),
  intake: z
    .strictObject({
      /** Requests a second that one address may make in the long run. */
      requestsPerSecond: z.int().min(1).default(100),
      /** Requests that one address may make at once. */
      burst: z.int().min(1).default(500),
      /** Rounds ahead of the chain view for which signatures wait. */
      bufferedRounds: z.int().min(1).max(64).default(4),
      /** Signatures that wait at most. */
      bufferedSignatures: z.int().min(1).default(1_024),
    })
    .prefault({}),
  /** Milliseconds between looks at the chain's head; default when the next block is due, then up to a quarter of the block time, 25 to 500. */
  pollIntervalMs: z.int().min(5).max(60_000).optional(),
  /** The market as this node knows it, kept so that a start need not read the whole history; dropped and made anew when in doubt. */
  localSnapshot: localSnapshotSchema,
  /** Share of the operator table's time, basis points: with less of it left, an alarm says that no newer table has come. */
  tableAlarmBps: z.int().min(0).max(10_000).default(2_000),
  logLevel: z.enum(LOG_LEVELS).default('info'),
});

export type AggregatorConfig = z.output<typeof aggregatorConfigSchema>;

const PATH_KEYS = ['deployment', 'dataDir', 'localSnapshot.file', 'keystore.path', 'keystore.passwordFile'];

/** An aggregator's configuration from file and flags. Throws ConfigInvalidError with all problems. */
export function loadAggregatorConfig(source: Omit<ConfigSource, 'pathKeys'>): AggregatorConfig {
  return loadConfig(aggregatorConfigSchema, { ...source, pathKeys: PATH_KEYS });
}
