import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { isAddress } from 'viem';
import { upgradeDelayShortfallSeconds } from '../chain/deploy/marketParameters.js';
import { formatEarnings } from '../chain/operatorRewards/claimFile.js';
import { fundAccount } from '../devnet/fundAccount.js';
import { deployToNode } from '../devnet/deployToNode.js';
import { loadDevnetEconomy } from '../devnet/parameters.js';
import { submitRewardsRoot } from '../devnet/rewardsRoot.js';
import { MatchmakerError } from '../engine/error.js';
import type { Curve } from '../protocol/operatorTable.js';
import { marketOf } from './marketFlags.js';
import { printResult } from './marketOutput.js';
import {
  addStakeReadFlags,
  addStakeWriteFlags,
  openStakeWriter,
  type StakeReadFlags,
  type StakeWriteFlags,
} from './stakeChainFlags.js';
import { EXIT, integer } from './usage.js';

interface DemoFlags {
  readonly operators: number;
  readonly providers: number;
  readonly orders?: number;
  readonly seed: number;
  readonly nodes?: string;
  readonly pods?: string;
  readonly story: boolean;
  readonly curve: Curve;
  readonly twoChains: boolean;
  readonly attack: boolean;
  readonly rpcPort?: number;
  readonly keep: boolean;
  readonly json: boolean;
  readonly blockTimeMs: number;
  readonly roundLength?: number;
  readonly runDir?: string;
}

interface FundFlags extends StakeReadFlags {
  readonly account: string;
}

interface RewardsRootFlags extends StakeWriteFlags {
  readonly out: string;
}

interface DeployFlags {
  readonly rpcUrl: string;
  readonly out: string;
  readonly operators: number;
  readonly providers: number;
  readonly seed: number;
}

/** A flag of the demo is out of its bounds, or lacks its counterpart. */
class DemoFlagError extends MatchmakerError<'CONFIG_INVALID'> {
  constructor(problem: string) {
    super('CONFIG_INVALID', problem);
  }
}

/** Registers `devnet demo`, `devnet deploy`, `devnet fund` and `devnet rewards-root`. */
export function registerDevnetCommands(program: Command, print: (line: string) => void): void {
  const devnet = program.command('devnet').description('a local network: chain, EigenLayer, market, services');
  devnet
    .command('demo')
    .description('run a whole market on this machine, send orders, and audit every round at the end')
    .option('--operators <number>', 'operators, each a process of its own', integer, 4)
    .option('--providers <number>', 'providers of machines', integer, 12)
    .option(
      '--orders <number>',
      'orders to send; with --pods the first so many rows (default: 160, or all rows)',
      integer,
    )
    .option('--seed <number>', 'seed of the generated market', integer, 1)
    .option('--nodes <file>', 'CSV of machines: cpu_milli, memory_mib, gpu, model')
    .option('--pods <file>', 'CSV of tasks: cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec')
    .option('--no-story', 'leave out the scenes of the economy; a run on a trace has none')
    .addOption(new Option('--curve <curve>', 'on which operators sign').choices(['ecdsa', 'bn254']).default('ecdsa'))
    .option('--two-chains', 'run the stake chain as a node of its own beside the market chain', false)
    .option(
      '--attack',
      'at the end have a quorum settle a wrong match, and a watcher prove it and have its signers slashed',
      false,
    )
    .option('--keep', 'leave everything running after the report, until Ctrl-C', false)
    .option(
      '--json',
      'print one JSON object as the last line of standard output, everything else on standard error',
      false,
    )
    .addOption(new Option('--block-time-ms <number>', 'milliseconds between blocks').argParser(integer).default(250))
    .addOption(
      new Option('--round-length <blocks>', 'blocks of a round (default: config/networks/devnet.json)').argParser(
        integer,
      ),
    )
    .option('--rpc-port <number>', 'loopback port of the chain (default: a free one)', integer)
    .addOption(
      new Option(
        '--run-dir <folder>',
        'folder for keys, configs, data and logs (default: a new one under .matchmaker)',
      ),
    )
    .action((flags: DemoFlags) => demo(flags, print));
  addStakeReadFlags(
    devnet
      .command('fund')
      .description("give an account gas and a million of each token of a devnet's market")
      .requiredOption('--account <address>', 'who gets it'),
  ).action((flags: FundFlags) => fund(flags, print));
  addStakeWriteFlags(
    devnet
      .command('rewards-root')
      .description("compute what operators and restakers have earned and submit its root; the devnet's rewards updater")
      .requiredOption('--out <file>', 'file to write the earnings to, for `rewards operators claim`'),
  ).action((flags: RewardsRootFlags) => rewardsRoot(flags, print));
  addDeployFlags(
    devnet
      .command('deploy')
      .description(
        'put a whole market onto a development node whose accounts are funded, and write what processes need to join it',
      ),
  ).action(async (flags: DeployFlags) => {
    const { rpcUrl, out, operators, providers, seed } = flags;
    const isNew = await deployToNode({ rpcUrl, outDir: path.resolve(out), operators, providers, seed });
    print(isNew ? `deployed; see ${out}${upgradeWarning()}` : `there is a market already; see ${out}`);
  });
}

/** Gives an account of a devnet gas and tokens, and says how much. */
async function fund(flags: FundFlags, print: (line: string) => void): Promise<void> {
  if (!isAddress(flags.account)) throw new DemoFlagError(`--account is ${flags.account}, it must be an address`);
  const { deployment, rpcUrl } = marketOf(flags);
  const hasStakeChain = deployment.stake.chainId !== deployment.chainId;
  const stakeRpcUrl = hasStakeChain ? flags.stakeRpc : undefined;
  const amounts = await fundAccount({ deployment, rpcUrl, stakeRpcUrl, account: flags.account });
  if (flags.json) print(JSON.stringify({ account: flags.account, ...amounts }));
  else {
    const given = Object.entries(amounts).map(([symbol, amount]) => `${amount} ${symbol}`);
    print(`${flags.account} has got ${given.join(', ')}`);
  }
}

/** Submits the root of all earnings so far, and writes what it stands for. */
async function rewardsRoot(flags: RewardsRootFlags, print: (line: string) => void): Promise<void> {
  const { deployment, rpc, lane } = openStakeWriter(flags);
  const { earnings, ...root } = await submitRewardsRoot(deployment, { lane, rpc });
  const { rewardsCoordinator } = deployment.eigenlayer;
  const file = { chainId: deployment.stake.chainId, rewardsCoordinator, root: root.root, earnings };
  writeFileSync(flags.out, `${formatEarnings(file)}\n`);
  printResult(print, flags.json, {
    json: { ...root, earners: new Set(earnings.map(({ earner }) => earner)).size, file: flags.out },
    lines: [`root ${root.rootIndex} is ${root.root}; what it stands for is in ${flags.out}`],
  });
}

/** A devnet's delays are too short to protect anybody; whoever deploys one is told. */
function upgradeWarning(): string {
  const shortfallSeconds = upgradeDelayShortfallSeconds(loadDevnetEconomy());
  return shortfallSeconds === 0
    ? ''
    : `\nno economic security: code can be replaced ${shortfallSeconds} s before unbonding stake has left`;
}

/** Adds the flags of `devnet deploy`. */
export function addDeployFlags(command: Command): Command {
  return command
    .requiredOption('--rpc-url <url>', 'JSON-RPC endpoint of the node')
    .requiredOption('--out <folder>', 'folder for deployment.json and for each process <name>.json and <name>.password')
    .option('--operators <number>', 'operators to register', integer, 4)
    .option('--providers <number>', 'providers of machines', integer, 12)
    .option('--seed <number>', 'seed of the generated market', integer, 1);
}

async function demo(flags: DemoFlags, print: (line: string) => void): Promise<void> {
  checkFlags(flags);
  const interruption = new AbortController();
  const onSignal = (): void => {
    // Whoever asks twice does not want to wait; the children end with this process.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const output = flags.json ? process.stderr : process.stdout;
  try {
    const { runDemo } = await import('../devnet/runDemo.js');
    const { passed } = await runDemo(
      {
        operators: flags.operators,
        providers: flags.providers,
        orders: flags.orders,
        seed: flags.seed,
        story: flags.story && flags.pods === undefined,
        curve: flags.curve,
        twoChains: flags.twoChains,
        attack: flags.attack,
        rpcPort: flags.rpcPort,
        keep: flags.keep,
        trace:
          flags.nodes === undefined || flags.pods === undefined
            ? undefined
            : { nodesFile: flags.nodes, podsFile: flags.pods },
        blockTimeMs: flags.blockTimeMs,
        roundLengthBlocks: flags.roundLength,
        runDir: path.resolve(flags.runDir ?? path.join('.matchmaker', `demo-${process.pid}-${Date.now()}`)),
        cliFile: path.resolve(process.argv[1] ?? ''),
      },
      {
        write: (text) => output.write(text),
        isTerminal: output.isTTY,
        columns: () => output.columns,
        env: process.env,
        interrupted: interruption.signal,
        onResult: (result) => {
          if (flags.json) print(JSON.stringify(result));
        },
      },
    );
    process.exitCode = passed ? EXIT.ok : EXIT.failed;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function checkFlags(flags: DemoFlags): void {
  if ((flags.nodes === undefined) !== (flags.pods === undefined)) {
    throw new DemoFlagError('--nodes and --pods go together: name a file of machines and a file of tasks');
  }
  const bounds: [string, number | undefined, number, number][] = [
    ['--providers', flags.providers, 1, 1_000],
    ['--orders', flags.orders, 1, 100_000],
    ['--seed', flags.seed, 0, 0xffff_ffff],
    ['--block-time-ms', flags.blockTimeMs, 50, 60_000],
    ['--round-length', flags.roundLength, 2, 1_000],
    ['--rpc-port', flags.rpcPort, 1, 65_535],
  ];
  for (const [name, value, least, most] of bounds) {
    if (value !== undefined && (value < least || value > most)) {
      throw new DemoFlagError(`${name} is ${value}, it must be from ${least} to ${most}`);
    }
  }
}
