import { writeFileSync } from 'node:fs';

import type { Command } from 'commander';
import { z } from 'zod';

import { parseDeployment } from '../chain/deployment.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { RoundFollower } from '../chain/sync/roundFollower.js';
import { readGuardExport } from '../operator/guardExport.js';
import { loadOperatorConfig } from '../operator/operatorConfig.js';
import { runOperator } from '../operator/runOperator.js';
import { SignGuard } from '../operator/signGuard.js';
import { systemClock } from '../service/clock.js';
import { keystoreAddress, KeystoreError, unlockKey } from '../service/keystore.js';
import { Lifecycle } from '../service/lifecycle.js';
import { loadConfig } from '../service/loadConfig.js';
import { createLogger } from '../service/logger.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { registerKeysCommands } from './keysCommands.js';
import { addOperatorFlags, operatorOverrides, type OperatorFlags } from './processFlags.js';

/** Registers `operator start`, `operator keys ...` and `operator guard ...`. */
export function registerOperatorCommands(program: Command, print: (line: string) => void): void {
  const operator = program.command('operator').description('run an operator node and manage its keys');
  addOperatorFlags(
    operator.command('start').description('follow the chain, match every round, sign and post to the aggregators'),
  ).action(startOperator);
  registerKeysCommands(operator, print);
  registerGuardCommands(operator, print);
}

async function startOperator(flags: OperatorFlags): Promise<void> {
  const config = loadOperatorConfig({ file: flags.config, flags: operatorOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const key = unlockKey(config.keystore, process.env);
  const logger = createLogger({ service: 'operator', level: config.logLevel });
  const lifecycle = new Lifecycle({ shutdownTimeoutMs: 20_000 }, { logger, clock: systemClock, host: process });
  lifecycle.install();
  logger.info({
    event: 'starting',
    dataDir: config.dataDir,
    factsCheck: config.factsCheck,
    aggregators: config.aggregators.length,
    rpcUrl: config.rpcUrl,
    operator: key.address,
    market: deployment.name,
  });
  const operator = await runOperator(config, {
    deployment,
    key,
    rpc: createRpc({ url: config.rpcUrl, requestTimeoutMs: 10_000, chainId: deployment.chainId }),
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

interface GuardFlags {
  readonly config?: string;
  readonly deployment?: string;
  readonly keystore?: string;
  readonly dataDir?: string;
  readonly file?: string;
}

function registerGuardCommands(operator: Command, print: (line: string) => void): void {
  const guard = operator.command('guard').description('move the double-sign guard between machines');
  addGuardFlags(guard.command('export').description('write what the guard knows as JSON; the operator must be stopped'))
    .option('--file <file>', 'file to write; default standard output')
    .action(async (flags: GuardFlags) => {
      await withGuard(flags, async (opened) => {
        const json = JSON.stringify(opened.export(), undefined, 2);
        if (flags.file === undefined) print(json);
        else writeFileSync(flags.file, `${json}\n`, { mode: 0o600, flag: 'wx' });
      });
    });
  addGuardFlags(
    guard.command('import').description("add another machine's guard to this one; the operator must be stopped"),
  )
    .requiredOption('--file <file>', 'file that export wrote')
    .action(async (flags: GuardFlags & { file: string }) => {
      const imported = readGuardExport(flags.file);
      await withGuard(flags, async (opened) => print(JSON.stringify({ imported: await opened.import(imported) })));
    });
}

function addGuardFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'config file of the operator; else name the three below')
    .option('--deployment <file>', 'deployment file of the market')
    .option('--keystore <file>', 'keystore of the key the guard is for')
    .option('--data-dir <folder>', "the operator's data folder");
}

const guardPaths = z.object({
  deployment: z.string().min(1),
  keystore: z.object({ path: z.string().min(1) }),
  dataDir: z.string().min(1),
});

async function withGuard(flags: GuardFlags, use: (guard: SignGuard) => Promise<void>): Promise<void> {
  const config = loadConfig(guardPaths, {
    file: flags.config,
    flags: { deployment: flags.deployment, keystore: { path: flags.keystore }, dataDir: flags.dataDir },
    pathKeys: ['deployment', 'keystore.path', 'dataDir'],
  });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const keyAddress = keystoreAddress(config.keystore.path);
  if (keyAddress === undefined) {
    throw new KeystoreError('KEYSTORE_INVALID', `keystore ${config.keystore.path} does not name its address`);
  }
  const guard = new SignGuard({
    dataDir: config.dataDir,
    scope: { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement, keyAddress },
  });
  try {
    await use(guard);
  } finally {
    await guard.close();
  }
}
