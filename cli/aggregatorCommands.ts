import type { Command } from 'commander';

import { loadAggregatorConfig, type AggregatorConfig } from '../aggregator/aggregatorConfig.js';
import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { Submitter } from '../chain/submission/submitter.js';
import { RoundFollower } from '../chain/sync/roundFollower.js';
import { systemClock } from '../service/clock.js';
import { unlockKey } from '../service/keystore.js';
import { Lifecycle } from '../service/lifecycle.js';
import { ConfigInvalidError } from '../service/loadConfig.js';
import { createLogger } from '../service/logger.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { loadCurves } from '../service/signing/curves.js';
import { logCurve } from '../service/signing/logCurve.js';
import { addAggregatorFlags, aggregatorOverrides, type AggregatorFlags } from './processFlags.js';

/** Registers `aggregator start`. */
export function registerAggregatorCommands(program: Command): void {
  const aggregator = program.command('aggregator').description('collect signatures and settle rounds');
  addAggregatorFlags(
    aggregator.command('start').description('take signatures, settle at the quorum, keep rounds closing'),
  ).action(startAggregator);
}

async function startAggregator(flags: AggregatorFlags): Promise<void> {
  const { ensureRedis } = await import('../service/ensureRedis.js');
  const { runAggregator } = await import('../aggregator/runAggregator.js');
  const config = loadAggregatorConfig({ file: flags.config, flags: aggregatorOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const stakeRpcUrl = stakeRpcUrlOf(config, deployment);
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
      stakeRpc: createRpc({ url: stakeRpcUrl, requestTimeoutMs: 10_000, chainId: deployment.stake.chainId }),
      redis,
      curves: await loadCurves(logCurve(logger)),
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

/** The tables of BN254 operators are read from the stake chain; a market of its own chain must say where that is. */
function stakeRpcUrlOf(config: AggregatorConfig, deployment: Deployment): string {
  if (config.stakeRpcUrl !== undefined) return config.stakeRpcUrl;
  if (deployment.stake.chainId === deployment.chainId) return config.rpcUrl;
  // ECDSA tables travel whole: the stake chain is never asked, whatever is opened for it.
  if (deployment.quorum.curve === 'ecdsa') return config.rpcUrl;
  throw new ConfigInvalidError([
    {
      path: 'stakeRpcUrl',
      message: `name the JSON-RPC endpoint of the stake chain, chain id ${deployment.stake.chainId}`,
    },
  ]);
}
