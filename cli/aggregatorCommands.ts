import type { Command } from 'commander';

import { loadAggregatorConfig } from '../aggregator/aggregatorConfig.js';
import { runAggregator } from '../aggregator/runAggregator.js';
import { parseDeployment } from '../chain/deployment.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { Submitter } from '../chain/submission/submitter.js';
import { RoundFollower } from '../chain/sync/roundFollower.js';
import { systemClock } from '../service/clock.js';
import { ensureRedis } from '../service/ensureRedis.js';
import { unlockKey } from '../service/keystore.js';
import { Lifecycle } from '../service/lifecycle.js';
import { createLogger } from '../service/logger.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { addAggregatorFlags, aggregatorOverrides, type AggregatorFlags } from './processFlags.js';

/** Registers `aggregator start`. */
export function registerAggregatorCommands(program: Command): void {
  const aggregator = program.command('aggregator').description('collect signatures and settle rounds');
  addAggregatorFlags(
    aggregator.command('start').description('take signatures, settle at the quorum, keep rounds closing'),
  ).action(startAggregator);
}

async function startAggregator(flags: AggregatorFlags): Promise<void> {
  const config = loadAggregatorConfig({ file: flags.config, flags: aggregatorOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const key = unlockKey(config.keystore, process.env);
  const logger = createLogger({ service: 'aggregator', level: config.logLevel });
  const lifecycle = new Lifecycle({ shutdownTimeoutMs: 20_000 }, { logger, clock: systemClock, host: process });
  lifecycle.install();
  logger.info({
    event: 'starting',
    dataDir: config.dataDir,
    profile: config.profile,
    rpcUrl: config.rpcUrl,
    submitter: key.address,
    market: deployment.name,
  });
  const redis = await ensureRedis({ url: config.redisUrl, profile: config.profile, env: process.env }, { logger });
  lifecycle.onShutdown('redis', () => redis.stop());
  try {
    const aggregator = await runAggregator(config, {
      deployment,
      key,
      rpc: createRpc({ url: config.rpcUrl, requestTimeoutMs: 10_000, chainId: deployment.chainId }),
      redis,
      logger,
      clock: systemClock,
      createFollower: (options, dependencies) => new RoundFollower(options, dependencies),
      createSubmitter: (options, dependencies) => new Submitter(options, dependencies),
    });
    lifecycle.onShutdown('aggregator', () => aggregator.stop());
    await aggregator.caughtUp;
  } catch (error) {
    await lifecycle.stop('it cannot run');
    throw error;
  }
}
