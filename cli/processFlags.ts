import { Option, type Command } from 'commander';

import { LOG_LEVELS } from '../service/logger.js';
import { integer, repeated } from './usage.js';

/** Flags that the operator and the aggregator share, as commander parses them. */
export interface ProcessFlags {
  readonly config?: string;
  readonly deployment?: string;
  readonly rpcUrl?: string;
  readonly keystore?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly dataDir?: string;
  readonly host?: string;
  readonly port?: number;
  readonly pollIntervalMs?: number;
  readonly logLevel?: string;
}

/** Flags of `operator start`. */
export interface OperatorFlags extends ProcessFlags {
  readonly stakeRpc?: string;
  readonly aggregator?: readonly string[];
  readonly factsCheck?: string;
}

/** Flags of `aggregator start`. */
export interface AggregatorFlags extends ProcessFlags {
  readonly stakeRpcUrl?: string;
  readonly redisUrl?: string;
  readonly profile?: string;
  readonly priorityFeeWei?: string;
  readonly maxFeePerGasWei?: string;
}

/** Flags of `watch`. */
export interface WatcherFlags extends ProcessFlags {
  readonly stakeRpc?: string;
  readonly evidenceLog?: readonly string[];
  readonly factsCheck?: string;
}

/** Adds the shared flags to a command; every one of them overrides the same key of the config file. */
export function addProcessFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'config file, JSON or YAML')
    .option('--deployment <file>', 'deployment file of the market')
    .option('--rpc-url <url>', 'JSON-RPC endpoint of the market chain')
    .option('--keystore <file>', 'Web3 Secret Storage v3 file with the key')
    .option('--password-file <file>', "file with the keystore's password")
    .option('--password-env <name>', "environment variable with the keystore's password")
    .option('--data-dir <folder>', 'folder for what must survive a restart')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on, 0 for a free one', integer)
    .option('--poll-interval-ms <number>', "milliseconds between looks at the chain's head", integer)
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices([...LOG_LEVELS]));
}

/** Adds the flags of `operator start`. */
export function addOperatorFlags(command: Command): Command {
  return addProcessFlags(command)
    .option('--stake-rpc <url>', 'JSON-RPC endpoint of the stake chain; default: --rpc-url when both chains are one')
    .option('--aggregator <url>', 'aggregator to post signatures to; repeat for several', repeated)
    .addOption(new Option('--facts-check <how>', 'how the market state is checked').choices(['proof', 'storage']));
}

/** Adds the flags of `aggregator start`. */
export function addAggregatorFlags(command: Command): Command {
  return addProcessFlags(command)
    .option('--stake-rpc-url <url>', 'JSON-RPC endpoint of the stake chain; default --rpc-url when both chains are one')
    .option('--redis-url <url>', 'Redis for what may wait; default REDIS_URL, else one is started')
    .addOption(new Option('--profile <name>', 'devnet allows the embedded Redis').choices(['production', 'devnet']))
    .option('--priority-fee-wei <number>', 'priority fee of the first attempt, wei per gas')
    .option('--max-fee-per-gas-wei <number>', 'most ever offered in all, wei per gas');
}

/** Adds the flags of `watch` and its subcommands. */
export function addWatcherFlags(command: Command): Command {
  return addProcessFlags(command)
    .option('--stake-rpc <url>', 'JSON-RPC endpoint of the stake chain; default: the market chain when both are one')
    .option(
      '--evidence-log <file>',
      "an aggregator's evidence log to prove equivocation from; repeat for several",
      repeated,
    )
    .addOption(new Option('--facts-check <how>', 'how the market state is checked').choices(['proof', 'storage']));
}

/** The shared flags, nested as the config file is. */
function nestedProcessFlags(flags: ProcessFlags): Record<string, unknown> {
  return {
    deployment: flags.deployment,
    rpcUrl: flags.rpcUrl,
    keystore: { path: flags.keystore, passwordFile: flags.passwordFile, passwordEnv: flags.passwordEnv },
    dataDir: flags.dataDir,
    listen: { host: flags.host, port: flags.port },
    pollIntervalMs: flags.pollIntervalMs,
    logLevel: flags.logLevel,
  };
}

/** Flags of `operator start`, nested as its config file is. */
export function operatorOverrides(flags: OperatorFlags): Record<string, unknown> {
  return {
    ...nestedProcessFlags(flags),
    stakeRpcUrl: flags.stakeRpc,
    aggregators: flags.aggregator,
    factsCheck: flags.factsCheck,
  };
}

/** Flags of `aggregator start`, nested as its config file is. */
export function aggregatorOverrides(flags: AggregatorFlags): Record<string, unknown> {
  return {
    ...nestedProcessFlags(flags),
    stakeRpcUrl: flags.stakeRpcUrl,
    redisUrl: flags.redisUrl,
    profile: flags.profile,
    fees: { priorityFeeWei: flags.priorityFeeWei, maxFeePerGasWei: flags.maxFeePerGasWei },
  };
}

/** Flags of `watch`, nested as its config file is. */
export function watcherOverrides(flags: WatcherFlags): Record<string, unknown> {
  return {
    ...nestedProcessFlags(flags),
    stakeRpcUrl: flags.stakeRpc,
    evidenceLogs: flags.evidenceLog,
    factsCheck: flags.factsCheck,
  };
}
