import path from 'node:path';

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

/** Keys of a watcher's config file. Relative paths start at the file's folder. */
export const watcherConfigSchema = z.strictObject({
  /** Deployment file of the market and its operator set. */
  deployment: z.string().min(1),
  /** JSON-RPC endpoint of the market chain. It must answer eth_getProof for recent blocks. */
  rpcUrl: urlSchema('http', 'https'),
  /** JSON-RPC endpoint of the stake chain; may be left out when that is the market chain too. */
  stakeRpcUrl: urlSchema('http', 'https').optional(),
  /** Key that pays for challenges and is paid for them; without it faults are only reported and their proofs kept. */
  keystore: keystoreSource.optional(),
  /** Holds the proofs, the record of rounds and the submission journal. */
  dataDir: z.string().min(1),
  /** Evidence logs of aggregators to prove equivocation from. */
  evidenceLogs: z.array(z.string().min(1)).default([]),
  /** Where metrics and health are served. */
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(9103),
    })
    .prefault({}),
  /** `proof` catches a lying RPC too; `storage` suits a devnet node. Proofs of faults are verified either way. */
  factsCheck: z.enum(['proof', 'storage']).default('proof'),
  /** Of the stake chain. */
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
  /** Warn when less than this part of the operator table's allowed age is left, percent. */
  tableWarningPercent: z.int().min(1).max(100).default(25),
  /** Milliseconds between looks at the market chain's head; default a quarter of its block time, 25 to 500. */
  pollIntervalMs: z.int().min(5).max(60_000).optional(),
  /** The market as this node knows it, kept so that a start need not read the whole history; dropped and made anew when in doubt. */
  localSnapshot: localSnapshotSchema,
  logLevel: z.enum(LOG_LEVELS).default('info'),
});

export type WatcherConfig = z.output<typeof watcherConfigSchema>;

const PATH_KEYS = ['deployment', 'dataDir', 'localSnapshot.file', 'keystore.path', 'keystore.passwordFile'];

/** A watcher's configuration from file and flags. Throws ConfigInvalidError with all problems. */
export function loadWatcherConfig(source: Omit<ConfigSource, 'pathKeys'>): WatcherConfig {
  const config = loadConfig(watcherConfigSchema, { ...source, pathKeys: PATH_KEYS });
  const isFromFile = source.file !== undefined && source.flags['evidenceLogs'] === undefined;
  const folder = isFromFile ? path.dirname(path.resolve(source.file ?? '')) : process.cwd();
  return { ...config, evidenceLogs: config.evidenceLogs.map((file) => path.resolve(folder, file)) };
}
