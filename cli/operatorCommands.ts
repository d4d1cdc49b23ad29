import type { Command } from 'commander';

import { parseDeployment } from '../chain/deployment.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { RoundFollower } from '../chain/sync/roundFollower.js';
import { loadOperatorConfig } from '../operator/operatorConfig.js';
import { systemClock } from '../service/clock.js';
import { Lifecycle } from '../service/lifecycle.js';
import { createLogger } from '../service/logger.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { loadCurves } from '../service/signing/curves.js';
import { logCurve } from '../service/signing/logCurve.js';
import { openSigningKey } from '../service/signing/openSigningKey.js';
import { registerGuardCommands } from './guardCommands.js';
import { registerKeysCommands } from './keysCommands.js';
import { registerOperatorStakeCommands } from './operatorStakeCommands.js';
import { registerOperatorStatusCommand } from './operatorStatusCommand.js';
import { VERSION } from './version.js';
import { addOperatorFlags, operatorOverrides, type OperatorFlags } from './processFlags.js';

/** Registers `operator start|register|allocate|deregister|socket|appoint|status`, `operator keys ...` and `operator guard ...`. */
export function registerOperatorCommands(program: Command, print: (line: string) => void): void {
  const operator = program.command('operator').description('run an operator node and manage its keys');
  addOperatorFlags(
    operator.command('start').description('follow the chain, match every round, sign and post to the aggregators'),
  ).action(startOperator);
  registerOperatorStakeCommands(operator, print);
  registerOperatorStatusCommand(operator, print);
  registerKeysCommands(operator, print);
  registerGuardCommands(operator, print);
}

async function startOperator(flags: OperatorFlags): Promise<void> {
  const config = loadOperatorConfig({ file: flags.config, flags: operatorOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const logger = createLogger({ service: 'operator', level: config.logLevel });
  const curves = await loadCurves(logCurve(logger));
  const key = openSigningKey(deployment.quorum.curve, config.keystore, process.env, curves);
  const lifecycle = new Lifecycle({ shutdownTimeoutMs: 20_000 }, { logger, clock: systemClock, host: process });
  lifecycle.install();
  logger.info({
    event: 'starting',
    dataDir: config.dataDir,
    factsCheck: config.factsCheck,
    aggregators: config.aggregators.length,
    rpcUrl: config.rpcUrl,
    operator: key.publicKey,
    market: deployment.name,
  });
  const { stake } = deployment;
  const stakeUrl = config.stakeRpcUrl ?? (stake.chainId === deployment.chainId ? config.rpcUrl : undefined);
  const { runOperator } = await import('../operator/runOperator.js');
  const operator = await runOperator(config, {
    deployment,
    key,
    rpc: createRpc({ url: config.rpcUrl, requestTimeoutMs: 10_000, chainId: deployment.chainId }),
    stakeRpc:
      stakeUrl === undefined ? null : createRpc({ url: stakeUrl, requestTimeoutMs: 10_000, chainId: stake.chainId }),
    version: VERSION,
    logger,
    clock: systemClock,
    random: Math.random,
    createFollower: (options, dependencies) => new RoundFollower(options, dependencies),
  });
  lifecycle.onShutdown('operator', () => operator.stop());
  try {
    await operator.caughtUp;
  } catch (error) {
    await lifecycle.stop('it cannot run');
    throw error;
  }
}
