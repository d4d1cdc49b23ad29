import { z } from 'zod';

import { LOG_LEVELS } from '../service/logger.js';
import { keystoreSource } from '../service/keystoreSource.js';
import { loadConfig, type ConfigSource } from '../service/loadConfig.js';
import { localSnapshotSchema } from '../service/localSnapshotConfig.js';
import { urlSchema } from '../service/urlSchema.js';

/** Keys of an operator's config file. Relative paths start at the file's folder. */
export const operatorConfigSchema = z.strictObject({
  /** Deployment file of the market and its operator set. */
  deployment: z.string().min(1),
  /** JSON-RPC endpoint of the market chain. */
  rpcUrl: urlSchema('http', 'https'),
  /** JSON-RPC endpoint of the stake chain, to see slashes; default `rpcUrl` when both chains are one. */
  stakeRpcUrl: urlSchema('http', 'https').optional(),
  keystore: keystoreSource,
  /** Every aggregator that gets the signatures; the chain decides who settles. */
  aggregators: z.array(urlSchema('http', 'https')).min(1, 'name at least one aggregator'),
  /** Holds the double-sign guard: never restore an old copy of it, never use one key with two. */
  dataDir: z.string().min(1),
  /** Where metrics and health are served. */
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(9101),
    })
    .prefault({}),
  /** `proof` catches a lying RPC too; `storage` suits a devnet node. */
  factsCheck: z.enum(['proof', 'storage']).default('proof'),
  /** Milliseconds between looks at the chain's head; default when the next block is due, then up to a quarter of the block time, 25 to 500. */
  pollIntervalMs: z.int().min(5).max(60_000).optional(),
  /** The market as this node knows it, kept so that a start need not read the whole history; dropped and made anew when in doubt. */
  localSnapshot: localSnapshotSchema,
  /** Share of the operator table's time, basis points: with less of it left, an alarm says that no newer table has come. */
  tableAlarmBps: z.int().min(0).max(10_000).default(2_000),
  logLevel: z.enum(LOG_LEVELS).default('info'),
});

export type OperatorConfig = z.output<typeof operatorConfigSchema>;

const PATH_KEYS = ['deployment', 'dataDir', 'localSnapshot.file', 'keystore.path', 'keystore.passwordFile'];

/** An operator's configuration from file and flags. Throws ConfigInvalidError with all problems. */
export function loadOperatorConfig(source: Omit<ConfigSource, 'pathKeys'>): OperatorConfig {
  return loadConfig(operatorConfigSchema, { ...source, pathKeys: PATH_KEYS });
}
