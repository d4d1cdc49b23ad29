import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { encodeFunctionData, parseUnits, type Hex } from 'viem';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import { escrowAbi } from '../chain/contracts/generated/Escrow.js';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import { storageAt } from '../chain/rpc/rpcCall.js';
import type { DevAccount } from '../devnet/devAccounts.js';
import {
  deployDevnet,
  publishOperatorTable,
  registerOperators,
  type DevnetMarket,
  type DevnetOperator,
} from '../devnet/deployDevnet.js';
import { startDevnetChain, type StartedDevnetChain } from '../devnet/devnetChain.js';
import type { MarketPlan } from '../devnet/marketPlan.js';
import { operatorStakes } from '../devnet/operatorStakes.js';
import { populateMarket, type PopulatedMarket } from '../devnet/populateMarket.js';
import { startAggregator, writeDeployment, type ServiceOptions, type ServiceProcess } from '../devnet/runProcesses.js';
import { freePort } from '../service/freePort.js';
import type { Schedule } from '../protocol/rounds.js';
import { decodeScheduleWord } from '../protocol/words/scheduleWord.js';
import { SCHEDULE_SLOT } from '../protocol/words/slots.js';
import { ensureRedis, type EnsuredRedis } from '../service/ensureRedis.js';
import { createLogger } from '../service/logger.js';

export interface BenchMarketOptions {
  /** The command line's entry file, which the aggregator is started from. */
  readonly cliFile: string;
  /** Folder for keys, configs, data and logs. */
  readonly runDir: string;
  readonly plan: MarketPlan;
  readonly operators: number;
  /** Accounts that send orders, each with a deposit that no run uses up. */
  readonly tenants: number;
  readonly blockTimeMs: number;
  readonly roundLengthBlocks: number;
  readonly blockGasLimit: number;
  /** Further command-line arguments of anvil. */
  readonly anvilArgs?: readonly string[];
}

/** A market on a chain of its own with a running aggregator; its operators are registered and not started. */
export interface BenchMarket {
  readonly chain: StartedDevnetChain;
  readonly market: DevnetMarket;
  readonly schedule: Schedule;
  readonly operators: readonly DevnetOperator[];
  readonly populated: PopulatedMarket;
  readonly tenants: readonly DevAccount[];
  readonly aggregator: ServiceProcess;
  readonly redis: EnsuredRedis;
  /** What services of this run are started with. */
  readonly common: ServiceOptions & { readonly aggregators: readonly string[] };
  /** Ends aggregator, Redis and chain. */
  stop(): Promise<void>;
}

/** Payment token of the benchmarks' orders. */
export const BENCH_TOKEN_ID = 1;
const TOKEN_DECIMALS = 6;
const DEPOSIT_WHOLE = '1000000000';
const ACCOUNTS_BESIDES = 32;

/**
 * Starts a chain, deploys and populates a market, funds tenants and starts an aggregator; operators can be started from then on.
 * Throws the errors of its parts; what was started by then is ended.
 */
export async function startBenchMarket(options: BenchMarketOptions): Promise<BenchMarket> {
  const { plan, runDir, blockTimeMs } = options;
  mkdirSync(runDir, { recursive: true });
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const chain = await startDevnetChain({
      mining: blockTimeMs / 1_000,
      gasLimit: options.blockGasLimit,
      accounts: ACCOUNTS_BESIDES + plan.providers.length + options.tenants + 3 * options.operators,
      extraArgs: options.anvilArgs ?? [],
    });
    closers.push(() => chain.stop());
    const market = await deployDevnet(chain, { blockTimeMs, roundLengthBlocks: options.roundLengthBlocks });
    const { deployment } = market;
    const tenants = Array.from({ length: options.tenants }, () => chain.nextAccount());
    const stakes = operatorStakes(options.operators);
    const signingKeys = stakes.map(() => chain.nextAccount().privateKey);
    const redis = await ensureRedis(
      { profile: 'devnet', env: process.env },
      { logger: createLogger({ service: 'bench', level: 'error' }) },
    );
    closers.push(() => redis.stop());
    const common = {
      cliFile: options.cliFile,
      runDir,
      rpcUrl: chain.url,
      deploymentFile: writeDeployment(runDir, deployment),
    };
    const [operators, populated] = await Promise.all([
      registerOperators(chain, market, stakes, signingKeys),
      populateMarket(plan, chain, market),
      ...tenants.map(({ privateKey }) => fundTenant(chain.lane(privateKey), market)),
    ]);
    await publishOperatorTable(chain, market);
    const aggregator = await startAggregator({
      ...common,
      name: 'aggregator',
      port: await freePort(),
      privateKey: chain.nextAccount().privateKey,
      redisUrl: redis.url,
    });
    closers.push(() => aggregator.process.stop());
    const schedule = decodeScheduleWord(
      await chain.rpc.request(storageAt(deployment.contracts.matchPolicy, SCHEDULE_SLOT, 'latest')),
    );
    return {
      chain,
      market,
      schedule,
      operators,
      populated,
      tenants,
      aggregator,
      redis,
      common: { ...common, aggregators: [aggregator.url] },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where a run of a benchmark keeps an operator's keys, data and log. */
export function operatorFolder(runDir: string, { name }: DevnetOperator): string {
  return path.join(runDir, name);
}

async function fundTenant(lane: TransactionLane, { deployment, paymentTokens }: DevnetMarket): Promise<void> {
  const { escrow } = deployment.contracts;
  const token = paymentTokens[BENCH_TOKEN_ID - 1] as Hex;
  const amount = parseUnits(DEPOSIT_WHOLE, TOKEN_DECIMALS);
  await Promise.all([
    lane.run({
      to: token,
      data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [lane.address, amount] }),
      label: 'mint for a tenant',
    }),
    lane.run({
      to: token,
      data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'approve', args: [escrow, amount] }),
      label: 'approve for a tenant',
    }),
  ]);
  await lane.run({
    to: escrow,
    data: encodeFunctionData({ abi: escrowAbi, functionName: 'deposit', args: [BENCH_TOKEN_ID, amount] }),
    label: 'deposit for a tenant',
    errorsAbi: escrowAbi,
  });
}
