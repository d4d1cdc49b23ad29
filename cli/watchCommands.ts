import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';

import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import { Submitter } from '../chain/submission/submitter.js';
import { RoundFollower } from '../chain/sync/roundFollower.js';
import { systemClock } from '../service/clock.js';
import { unlockKey } from '../service/keystore.js';
import { Lifecycle } from '../service/lifecycle.js';
import { ConfigInvalidError } from '../service/loadConfig.js';
import { createLogger } from '../service/logger.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { loadWatcherConfig, type WatcherConfig } from '../watcher/watcherConfig.js';
import { readWatcherReport, type WatcherReport } from '../watcher/watcherReport.js';
import { printResult } from './marketOutput.js';
import { addWatcherFlags, watcherOverrides, type WatcherFlags } from './processFlags.js';

const SALT_BYTES = 32;
const REQUEST_TIMEOUT_MS = 10_000;

/** Registers `watch` and `watch report`. */
export function registerWatchCommands(program: Command, print: (line: string) => void): void {
  const watch = addWatcherFlags(
    program.command('watch').description('recompute every settled round, keep proofs of faults and challenge them'),
  ).action(startWatcher);
  addWatcherFlags(watch.command('report').description('list what this watcher found and every offence that was proven'))
    .option('--json', 'print one JSON object', false)
    .action(async (_own: WatcherFlags, command: Command) => {
      const flags = command.optsWithGlobals<WatcherFlags & { readonly json: boolean }>();
      const { config, deployment, stakeRpc } = open(flags);
      const report = await readWatcherReport(config, { deployment, stakeRpc });
      printResult(print, flags.json, { json: report, lines: reportLines(report) });
    });
}

async function startWatcher(flags: WatcherFlags): Promise<void> {
  const { config, deployment, stakeRpc, rpc } = open(flags);
  const key = config.keystore === undefined ? undefined : unlockKey(config.keystore, process.env);
  const logger = createLogger({ service: 'watcher', level: config.logLevel });
  const lifecycle = new Lifecycle({ shutdownTimeoutMs: 20_000 }, { logger, clock: systemClock, host: process });
  lifecycle.install();
  logger.info({
    event: 'starting',
    dataDir: config.dataDir,
    factsCheck: config.factsCheck,
    rpcUrl: config.rpcUrl,
    challenger: key?.address ?? 'none: faults are only reported',
    market: deployment.name,
  });
  const { runWatcher } = await import('../watcher/runWatcher.js');
  const watcher = await runWatcher(config, {
    deployment,
    key,
    rpc,
    stakeRpc,
    logger,
    clock: systemClock,
    randomSalt: () => `0x${randomBytes(SALT_BYTES).toString('hex')}`,
    createFollower: (options, dependencies) => new RoundFollower(options, dependencies),
    createSubmitter: (options, dependencies) => new Submitter(options, dependencies),
  });
  lifecycle.onShutdown('watcher', () => watcher.stop());
  try {
    await watcher.caughtUp;
  } catch (error) {
    await lifecycle.stop('it cannot run');
    throw error;
  }
}

interface Opened {
  readonly config: WatcherConfig;
  readonly deployment: Deployment;
  readonly rpc: Rpc;
  readonly stakeRpc: Rpc;
}

function open(flags: WatcherFlags): Opened {
  const config = loadWatcherConfig({ file: flags.config, flags: watcherOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const { chainId, stake } = deployment;
  const stakeUrl = config.stakeRpcUrl ?? (stake.chainId === chainId ? config.rpcUrl : undefined);
  if (stakeUrl === undefined) {
    const message = `is missing: the stake chain is another, name a node of chain ${stake.chainId}`;
    throw new ConfigInvalidError([{ path: 'stakeRpcUrl', message }]);
  }
  return {
    config,
    deployment,
    rpc: createRpc({ url: config.rpcUrl, requestTimeoutMs: REQUEST_TIMEOUT_MS, chainId }),
    stakeRpc: createRpc({ url: stakeUrl, requestTimeoutMs: REQUEST_TIMEOUT_MS, chainId: stake.chainId }),
  };
}

function reportLines({ cases, offences }: WatcherReport): string[] {
  return [
    `${cases.length} ${cases.length === 1 ? 'case' : 'cases'} kept`,
    ...cases.flatMap(({ id, kind, round, findings, proofs, problem, offenceIds }) => [
      `case ${id}: ${kind} in round ${round}, ${proofs.length} proofs, ${offenceIds.length} offences`,
      ...findings.map((line) => `  ${line}`),
      ...(problem === null ? [] : [`  no proof: ${problem}`]),
    ]),
    `${offences.length} ${offences.length === 1 ? 'offence' : 'offences'} proven`,
    ...offences.flatMap((offence) => [
      `offence ${offence.offenceId}: ${offence.fault} in round ${offence.round}, proven by ${offence.challenger}`,
      ...offence.slashes.map(({ operator, shares }) => `  slashed ${operator} by ${shares} shares`),
      `  collected ${offence.collected}: challenger ${offence.paidToChallenger}, tenant ${offence.paidToVictim}, treasury ${offence.paidToTreasury}`,
    ]),
  ];
}
