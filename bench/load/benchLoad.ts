import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { createRpc } from '../../chain/rpc/rpc.js';
import { auditRun } from '../../devnet/auditRun.js';
import { DEVNET_MAX_FEE, DEVNET_PRIORITY_FEE } from '../../devnet/devnetChain.js';
import { generateMarket } from '../../devnet/generateMarket.js';
import { OperatorProcesses } from '../../devnet/operatorProcesses.js';
import { loadDefaultPolicy } from '../../devnet/parameters.js';
import { percentile } from '../../devnet/percentile.js';
import { SeededRandom } from '../../devnet/random.js';
import { untilReady } from '../../devnet/runProcesses.js';
import { freePort } from '../../service/freePort.js';
import { openRoundAt } from '../../protocol/rounds.js';
import { loadCurves } from '../../service/signing/curves.js';
import { startBenchMarket, type BenchMarket } from '../benchMarket.js';
import { OrderSender } from '../orderSender.js';
import { smallOrder } from '../smallOrders.js';
import { GAS_TARGET_SHARE, OrderPacer, ordersPerBlock, type GasFigures } from './gasBound.js';
import { LoadView, type BacklogPoint, type LoadSettlement } from './loadView.js';
import { MachineChurn } from './machineChurn.js';
import { ProcessWatch, type ProcessFigures } from '../processWatch.js';

export interface LoadOptions {
  /** The command line's entry file. */
  readonly cliFile: string;
  /** For which orders are sent before the operators are stopped. */
  readonly seconds: number;
  /** For which all operators are stopped while orders go on. */
  readonly outageSeconds: number;
  readonly operators: number;
  readonly providers: number;
  readonly tenants: number;
  readonly blockTimeMs: number;
  readonly roundLengthBlocks: number;
  readonly blockGasLimit: number;
  /** Share of the gas bound that is sent, percent. */
  readonly ratePercent: number;
  readonly seed: number;
}

/** Figures of a span in which orders were sent. */
export interface LoadSpan {
  readonly seconds: number;
  readonly blocks: number;
  readonly created: number;
  readonly leased: number;
  readonly createdPerSecond: number;
  readonly leasedPerSecond: number;
  /** Share of the gas target that all transactions used, percent. */
  readonly gasPercentOfTarget: number;
  readonly blockMs: { readonly p50: number | null; readonly p99: number | null };
}

export interface LoadResult {
  readonly options: Omit<LoadOptions, 'cliFile'>;
  readonly machines: number;
  readonly maxMatches: number;
  readonly gas: {
    readonly blockLimit: number;
    readonly blockTarget: number;
    readonly creation: number;
    readonly settlementPerMatch: number;
    readonly churnPerBlock: number;
  };
  /** Orders a second that the chain could take: by gas at the block time it is set to, by gas at the blocks it really made, and by `maxMatches` a round. */
  readonly bound: {
    readonly gasPerSecond: number;
    readonly gasPerSecondAtMeasuredBlocks: number;
    readonly matchesPerSecond: number;
  };
  readonly load: LoadSpan;
  /** Created orders a second over the gas bound at the block time the chain is set to, percent. */
  readonly acceptedPercentOfBound: number;
  readonly orderToLeaseMs: { readonly p50: number | null; readonly p99: number | null };
  readonly snapshotToSettlementBlocks: { readonly p50: number | null; readonly p99: number | null };
  readonly settlements: number;
  /** Backlog (orders created and not leased) over the load. */
  readonly backlog: readonly BacklogSample[];
  readonly backlogMax: number;
  readonly churn: {
    readonly offersChanged: number;
    readonly switchedOff: number;
    readonly switchedOn: number;
    readonly reverted: number;
  };
  readonly processes: Record<string, ProcessFigures>;
  readonly recovery: RecoveryResult;
  readonly audit: {
    readonly rounds: number;
    /** One round of so many was computed by brute force, the others by the engine. */
    readonly bruteForceEvery: number;
    readonly matched: number;
    readonly skipped: number;
    readonly lapsedRounds: number;
    readonly mismatches: readonly string[];
  };
}

export interface BacklogSample {
  readonly second: number;
  readonly backlog: number;
}

/** What came of a stop of all operators. */
export interface RecoveryResult {
  readonly outageSeconds: number;
  /** Orders created and not leased when the operators were started again. */
  readonly backlogAtRestart: number;
  /** From the start of the processes until they were ready, seconds. */
  readonly readySeconds: number;
  readonly settlements: readonly Pick<LoadSettlement, 'round' | 'waiting' | 'matches' | 'latencyBlocks'>[];
  /** Rounds from the first settlement to the last that were not settled. */
  readonly lapsed: number;
  readonly cleared: boolean;
  /** Every settlement matched all that waited, or `maxMatches` where more did. */
  readonly atMaxMatches: boolean;
  /** From the restart until no order waited, seconds. */
  readonly seconds: number;
}

/** Of every order's transaction; the dearest of the small ones needs less. */
const ORDER_GAS_LIMIT = 300_000n;
/** Before the first were measured. */
const FIRST_CREATION_GAS = 150_000;
const FIRST_SETTLEMENT_GAS = 17_000;
const ORDER_LIFETIME_SECONDS = 7 * 86_400;
/** States that the node keeps: it copies its whole state for each. */
const KEPT_STATES = 24;
const CHURN_SHARE = 0.01;
/** Rounds of the audit of which one is computed by brute force, which takes far longer than the run itself. */
const BRUTE_FORCE_EVERY = 16;
const SAMPLES = 60;
const PROCESS_SAMPLE_MS = 2_000;
/** Blocks of orders that may be under way before the sender waits for the node. */
const BLOCKS_UNDER_WAY = 3;
/** Rounds on top of those that the backlog needs for which its clearing is waited for. */
const PATIENCE_ROUNDS = 30;

/**
 * Drives a market of real processes at the gas bound of its chain with machine churn, stops all operators for a while, lets the backlog
 * clear and audits everything. Throws the errors of its parts.
 */
export async function benchLoad(
  options: LoadOptions,
  dependencies: { readonly say: (text: string) => void },
): Promise<LoadResult> {
  const { say } = dependencies;
  const runDir = mkdtempSync(path.join(tmpdir(), 'matchmaker-load-'));
  const plan = generateMarket({ providers: options.providers, orders: 0, seed: options.seed });
  say(
    `a chain with a block every ${options.blockTimeMs} ms, ${plan.machines.length} machines, ${options.operators} operators`,
  );
  const bench = await startBenchMarket({
    ...options,
    runDir,
    plan,
    anvilArgs: ['--prune-history', String(KEPT_STATES)],
  });
  const seats = await Promise.all(
    bench.operators.map(async ({ name, signingKey, stakeWhole }) => ({
      name,
      port: await freePort(),
      curve: 'ecdsa' as const,
      privateKey: signingKey,
      stakeWhole,
    })),
  );
  const { quorumBps } = loadDefaultPolicy();
  const operators = new OperatorProcesses({ common: bench.common, seats, quorumBps }, { onStart: () => undefined });
  let isFailed = true;
  try {
    await operators.start();
    await untilReady([bench.aggregator]);
    const run = new LoadRun(options, { bench, operators, plan, say });
    const result = await run.run();
    isFailed = false;
    return result;
  } finally {
    await operators.stopAll();
    await bench.stop();
    if (isFailed) say(`logs are in ${runDir}`);
    else rmSync(runDir, { recursive: true, force: true });
  }
}

class LoadRun {
  readonly #options: LoadOptions;
  readonly #bench: BenchMarket;
  readonly #operators: OperatorProcesses;
  readonly #say: (text: string) => void;
  readonly #view: LoadView;
  readonly #churn: MachineChurn;
  readonly #random: SeededRandom;
  readonly #pacer = new OrderPacer();
  readonly #maxMatches: number;
  readonly #churnCount: number;
  readonly #machines: number;
  #churnedRound = 0;
  #churnBlocks = 0;

  constructor(
    options: LoadOptions,
    dependencies: {
      bench: BenchMarket;
      operators: OperatorProcesses;
      plan: ReturnType<typeof generateMarket>;
      say: (text: string) => void;
    },
  ) {
    const { bench, plan } = dependencies;
    const { deployment } = bench.market;
    this.#options = options;
    this.#bench = bench;
    this.#operators = dependencies.operators;
    this.#say = dependencies.say;
    this.#view = new LoadView(deployment, bench.schedule, bench.chain.blocks);
    this.#random = new SeededRandom(options.seed);
    this.#churn = new MachineChurn(
      { plan, registry: deployment.contracts.providerRegistry },
      { populated: bench.populated, random: new SeededRandom(options.seed + 1) },
    );
    this.#machines = plan.machines.length;
    this.#churnCount = Math.ceil(this.#machines * CHURN_SHARE);
    this.#maxMatches = loadDefaultPolicy().maxMatches;
  }

  async run(): Promise<LoadResult> {
    const { seconds, outageSeconds, ratePercent } = this.#options;
    const { chain } = this.#bench;
    const sender = await this.#startSender();
    this.#say(`${seconds} s of orders at ${ratePercent} % of the gas bound`);
    const watch = new ProcessWatch(await this.#pids(), PROCESS_SAMPLE_MS);
    const [first, last] = await this.#drive(sender, seconds);
    const processes = watch.stop();
    const load = this.#spanOf(first, last);
    const duringLoad = {
      orderToLeaseMs: quantiles(this.#view.orderToLeaseMs),
      snapshotToSettlementBlocks: quantiles(this.#view.settlements.map(({ latencyBlocks }) => latencyBlocks)),
      settlements: this.#view.settlements.length,
      gas: this.#gasFigures(),
    };

    this.#say(
      `${load.created} orders created, ${load.leased} leased in ${load.blocks} blocks, one every ${load.blockMs.p50} ms (p99 ${load.blockMs.p99})`,
    );
    this.#say(`all operators are stopped for ${outageSeconds} s while orders go on`);
    await this.#operators.stopAll();
    await this.#drive(sender, outageSeconds);
    const recovery = await this.#recover();

    this.#say(`${recovery.settlements.length} rounds later ${this.#view.backlog} wait; auditing`);
    await this.#churn.settled();
    await chain.rpc.request({ method: 'evm_setIntervalMining', params: [0], decode: () => null });
    await this.#operators.stopAll();
    const { number } = await this.#lastBlock();
    const audit = await auditRun(this.#bench.market.deployment, chain.rpc, number, {
      bruteForceEvery: BRUTE_FORCE_EVERY,
    });
    this.#view.stop();

    const perBlock = ordersPerBlock(duringLoad.gas);
    const { blockTimeMs, roundLengthBlocks } = this.#options;
    const gasPerSecond = (1_000 * perBlock) / blockTimeMs;
    const { cliFile: _, ...shown } = this.#options;
    const { gasUsed: __, ...churn } = this.#churn.figures;
    return {
      options: shown,
      machines: this.#machines,
      maxMatches: this.#maxMatches,
      gas: {
        blockLimit: duringLoad.gas.blockGasLimit,
        blockTarget: duringLoad.gas.blockGasLimit * GAS_TARGET_SHARE,
        creation: Math.round(duringLoad.gas.creationGas),
        settlementPerMatch: Math.round(duringLoad.gas.settlementGasPerMatch),
        churnPerBlock: Math.round(duringLoad.gas.churnGasPerBlock),
      },
      bound: {
        gasPerSecond,
        gasPerSecondAtMeasuredBlocks: (perBlock * load.blocks) / load.seconds,
        matchesPerSecond: (1_000 * this.#maxMatches) / (blockTimeMs * roundLengthBlocks),
      },
      load,
      acceptedPercentOfBound: (100 * load.createdPerSecond) / gasPerSecond,
      orderToLeaseMs: duringLoad.orderToLeaseMs,
      snapshotToSettlementBlocks: duringLoad.snapshotToSettlementBlocks,
      settlements: duringLoad.settlements,
      ...this.#backlogOf(first, last),
      churn,
      processes,
      recovery,
      audit: {
        rounds: audit.rounds,
        bruteForceEvery: BRUTE_FORCE_EVERY,
        matched: audit.matched,
        skipped: audit.skipped,
        lapsedRounds: audit.lapsedRounds.length,
        mismatches: audit.mismatches,
      },
    };
  }

  async #startSender(): Promise<OrderSender> {
    const { chain, market, tenants } = this.#bench;
    const { secp256k1: curve } = await loadCurves();
    const sender = new OrderSender(
      {
        chainId: chain.chainId,
        orderRequest: market.deployment.contracts.orderRequest,
        tenants,
        gasLimit: ORDER_GAS_LIMIT,
        maxFeePerGas: DEVNET_MAX_FEE,
        priorityFeePerGas: DEVNET_PRIORITY_FEE,
        expiresAtSeconds: chain.blocks.head().timestamp + ORDER_LIFETIME_SECONDS,
      },
      { rpc: createRpc({ url: chain.url, requestTimeoutMs: 20_000, chainId: chain.chainId }), curve },
    );
    await sender.start();
    return sender;
  }

  /** Sends orders and changes machines for a while; returns the indexes of the first and the last block of it in the view. */
  async #drive(sender: OrderSender, seconds: number): Promise<[number, number]> {
    const { blocks } = this.#bench.chain;
    const endMs = performance.now() + seconds * 1_000;
    await blocks.reached(blocks.head().number + 1);
    const first = this.#view.blocks.length - 1;
    for (let { number } = blocks.head(); performance.now() < endMs;) {
      const next = await blocks.reached(number + 1);
      const passed = next.number - number;
      number = next.number;
      this.#churnBlocks += passed;
      this.#changeMachines(number);
      const figures = this.#gasFigures();
      const wanted = Math.floor(this.#pacer.take(figures, passed) * (this.#options.ratePercent / 100));
      const room = Math.floor(BLOCKS_UNDER_WAY * ordersPerBlock(figures)) - this.#view.underWay;
      const count = Math.max(0, Math.min(wanted, room));
      if (count === 0) continue;
      await sender.send(
        Array.from({ length: count }, () => smallOrder(this.#random)),
        (hashes) => this.#view.sent(hashes, performance.now()),
      );
    }
    return [first, this.#view.blocks.length - 1];
  }

  #changeMachines(blockNumber: number): void {
    const round = openRoundAt(this.#bench.schedule, blockNumber);
    if (round <= this.#churnedRound) return;
    this.#churnedRound = round;
    this.#churn.touch(round, this.#churnCount);
  }

  /** Starts the operators again and waits, without new orders, until none waits. */
  async #recover(): Promise<RecoveryResult> {
    const { blocks } = this.#bench.chain;
    const { roundLengthBlocks, outageSeconds } = this.#options;
    // What was handed over is created before the clearing is looked at.
    for (let waits = 0; this.#view.underWay > 0 && waits < PATIENCE_ROUNDS; waits++) {
      await blocks.reached(blocks.head().number + 1);
    }
    const backlogAtRestart = this.#view.backlog;
    const settledBefore = this.#view.settlements.length;
    this.#say(`starting the operators again with a backlog of ${backlogAtRestart}`);
    const startMs = performance.now();
    await this.#operators.start();
    const readySeconds = (performance.now() - startMs) / 1_000;
    const rounds = Math.ceil(backlogAtRestart / this.#maxMatches) + PATIENCE_ROUNDS;
    const lastBlock = blocks.head().number + rounds * roundLengthBlocks;
    while (this.#view.backlog > 0 && blocks.head().number < lastBlock) {
      const { number } = await blocks.reached(blocks.head().number + 1);
      this.#changeMachines(number);
    }
    const seconds = (performance.now() - startMs) / 1_000;
    const settlements = this.#view.settlements
      .slice(settledBefore)
      .map(({ round, waiting, matches, latencyBlocks }) => ({ round, waiting, matches, latencyBlocks }));
    const [firstRound, lastRound] = [settlements[0]?.round ?? 0, settlements.at(-1)?.round ?? -1];
    return {
      outageSeconds,
      backlogAtRestart,
      readySeconds,
      settlements,
      lapsed: Math.max(0, lastRound - firstRound + 1 - settlements.length),
      cleared: this.#view.backlog === 0,
      atMaxMatches: settlements.every(({ waiting, matches }) => matches === Math.min(waiting, this.#maxMatches)),
      seconds,
    };
  }

  #gasFigures(): GasFigures {
    const { created, creationGas, settlements } = this.#view;
    const matches = settlements.reduce((sum, one) => sum + one.matches, 0);
    const settlementGas = settlements.reduce((sum, one) => sum + one.gasUsed, 0);
    return {
      blockGasLimit: this.#options.blockGasLimit,
      creationGas: created > 0 ? creationGas / created : FIRST_CREATION_GAS,
      settlementGasPerMatch: matches > 0 ? settlementGas / matches : FIRST_SETTLEMENT_GAS,
      churnGasPerBlock: this.#churnBlocks > 0 ? Number(this.#churn.figures.gasUsed) / this.#churnBlocks : 0,
    };
  }

  #spanOf(first: number, last: number): LoadSpan {
    const span = this.#view.blocks.slice(first, last + 1);
    const [from, to] = [span[0]!, span.at(-1)!];
    const seconds = (to.seenAtMs - from.seenAtMs) / 1_000;
    const created = to.created - from.created;
    const leased = to.leased - from.leased;
    const gasUsed = span.slice(1).reduce((sum, block) => sum + block.gasUsed, 0);
    const blocks = span.length - 1;
    return {
      seconds,
      blocks,
      created,
      leased,
      createdPerSecond: created / seconds,
      leasedPerSecond: leased / seconds,
      gasPercentOfTarget: (100 * gasUsed) / (blocks * this.#options.blockGasLimit * GAS_TARGET_SHARE),
      blockMs: quantiles(span.slice(1).map((block, index) => block.seenAtMs - span[index]!.seenAtMs)),
    };
  }

  #backlogOf(first: number, last: number): Pick<LoadResult, 'backlog' | 'backlogMax'> {
    const span = this.#view.blocks.slice(first, last + 1);
    const backlogIn = ({ created, leased }: BacklogPoint): number => created - leased;
    const stride = Math.max(1, Math.ceil(span.length / SAMPLES));
    return {
      backlog: span
        .filter((_, index) => index % stride === 0)
        .map((block) => ({
          second: Math.round((block.seenAtMs - span[0]!.seenAtMs) / 1_000),
          backlog: backlogIn(block),
        })),
      backlogMax: Math.max(...span.map(backlogIn)),
    };
  }

  async #pids(): Promise<ReadonlyMap<string, number>> {
    const { chain, aggregator, redis } = this.#bench;
    const pids = new Map<string, number>([
      ['anvil', chain.anvil.pid],
      ['aggregator', aggregator.process.pid],
      ...this.#operators.running().map(({ name, process }) => [name, process.pid] as const),
      ['bench', process.pid],
    ]);
    const connection = new Redis(redis.url);
    try {
      const pid = /^process_id:(\d+)/m.exec(await connection.info('server'))?.[1];
      if (pid !== undefined) pids.set('redis', Number(pid));
    } finally {
      connection.disconnect();
    }
    return pids;
  }

  /** The newest block once the chain has stopped making them. */
  async #lastBlock(): Promise<{ number: number }> {
    const { rpc } = this.#bench.chain;
    return rpc.request({
      method: 'eth_blockNumber',
      params: [],
      decode: (raw) => ({ number: Number(raw) }),
    });
  }
}

function quantiles(values: readonly number[]): { p50: number | null; p99: number | null } {
  const rounded = values.map((value) => Math.round(value));
  return { p50: percentile(rounded, 50), p99: percentile(rounded, 99) };
}
