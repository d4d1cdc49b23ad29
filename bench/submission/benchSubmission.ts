import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRpc } from '../../chain/rpc/rpc.js';
import { DEVNET_MAX_FEE, DEVNET_PRIORITY_FEE } from '../../devnet/devnetChain.js';
import { generateMarket } from '../../devnet/generateMarket.js';
import { percentile } from '../../devnet/percentile.js';
import { SeededRandom } from '../../devnet/random.js';
import { untilReady } from '../../devnet/runProcesses.js';
import { SettlementWatch } from '../../devnet/settlementWatch.js';
import { openRoundAt, snapshotBlockOf } from '../../protocol/rounds.js';
import { loadCurves } from '../../service/signing/curves.js';
import { startBenchMarket, type BenchMarket } from '../benchMarket.js';
import { OrderSender } from '../orderSender.js';
import { ProcessWatch, type ProcessFigures } from '../processWatch.js';
import { RedisCommands } from '../redisCommands.js';
import { smallOrder } from '../smallOrders.js';
import { readRoundTimes } from './aggregatorLog.js';
import { startHostedOperators, type HostedOperators } from './hostedOperators.js';

export interface SubmissionOptions {
  /** The command line's entry file. */
  readonly cliFile: string;
  /** The operators' host process. */
  readonly hostFile: string;
  readonly operators: number;
  /** Processes that the operators share. */
  readonly processes: number;
  /** Rounds that are measured: half of them with `ordersPerRound` orders, half with ten times as many. */
  readonly rounds: number;
  readonly ordersPerRound: number;
  readonly blockTimeMs: number;
  readonly roundLengthBlocks: number;
  readonly providers: number;
  readonly seed: number;
}

/** A distribution of milliseconds. */
export interface Milliseconds {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** What half of the run had. */
export interface SubmissionSpan {
  readonly ordersPerRound: number;
  readonly rounds: number;
  readonly orders: number;
  readonly redisCommands: number;
}

export interface SubmissionResult {
  readonly operators: number;
  readonly processes: number;
  readonly blockTimeMs: number;
  readonly roundLengthBlocks: number;
  readonly machines: number;
  readonly rounds: number;
  readonly settled: number;
  /** Rounds that had orders and were not settled. */
  readonly lapsed: number;
  /** Blocks from the snapshot block to the settlement's; a lapsed round counts as a whole round. */
  readonly latencyBlocks: {
    readonly p50: number | null;
    readonly p99: number | null;
    readonly counts: Record<string, number>;
  };
  /** From the snapshot block's being seen: to the quorum, to the transaction's being handed over, to the receipt in the aggregator's hands. */
  readonly snapshotToQuorumMs: Milliseconds;
  readonly snapshotToSentMs: Milliseconds;
  readonly snapshotToReceiptMs: Milliseconds;
  readonly quorumToSentMs: Milliseconds;
  readonly spans: readonly SubmissionSpan[];
  /** Redis commands that one more order costs: the difference of the spans over the difference of their orders. */
  readonly redisCommandsPerOrder: number;
  /** Of the services and the node over the measured rounds. */
  readonly processorPercent: Record<string, number | null>;
}

/** Of every order's transaction; the dearest of the small ones needs less. */
const ORDER_GAS_LIMIT = 400_000n;
const TENANTS = 16;
const PROCESS_SAMPLE_MS = 5_000;
const WARM_UP_ROUNDS = 4;
const MORE_ORDERS = 10;
const ORDER_LIFETIME_SECONDS = 7 * 86_400;

/**
 * Blocks and milliseconds from a round's snapshot to the receipt of its settlement, and the Redis commands of few and of many orders, with
 * an aggregator process and operators that post to it over sockets. Throws the errors of its parts.
 */
export async function benchSubmission(
  options: SubmissionOptions,
  dependencies: { readonly say: (text: string) => void },
): Promise<SubmissionResult> {
  const { say } = dependencies;
  const runDir = mkdtempSync(path.join(tmpdir(), 'matchmaker-bench-'));
  say(`a chain with a block every ${options.blockTimeMs} ms, ${options.operators} operators`);
  const bench = await startBenchMarket({
    ...options,
    runDir,
    plan: generateMarket({ providers: options.providers, orders: 0, seed: options.seed }),
    tenants: TENANTS,
    blockGasLimit: 36_000_000,
  });
  let isFailed = true;
  try {
    const operators = await startHostedOperators(bench, options);
    try {
      await untilReady([bench.aggregator]);
      const result = await measure(options, { bench, operators, say });
      isFailed = false;
      return result;
    } finally {
      await operators.stop();
    }
  } finally {
    await bench.stop();
    if (isFailed) say(`logs are in ${runDir}`);
    else rmSync(runDir, { recursive: true, force: true });
  }
}

async function measure(
  options: SubmissionOptions,
  { bench, operators, say }: { bench: BenchMarket; operators: HostedOperators; say: (text: string) => void },
): Promise<SubmissionResult> {
  const { chain, market, schedule } = bench;
  const { blocks } = chain;
  const seenAtMs = new Map<number, number>();
  const off = blocks.onBlock((block) => seenAtMs.set(block.number, performance.timeOrigin + block.seenAtMs));
  const watch = new SettlementWatch(market.deployment, blocks, () => undefined);
  const redis = new RedisCommands(bench.redis.url);
  const random = new SeededRandom(options.seed);
  const { secp256k1: curve } = await loadCurves();
  const sender = new OrderSender(
    {
      chainId: chain.chainId,
      orderRequest: market.deployment.contracts.orderRequest,
      tenants: bench.tenants,
      gasLimit: ORDER_GAS_LIMIT,
      maxFeePerGas: DEVNET_MAX_FEE,
      priorityFeePerGas: DEVNET_PRIORITY_FEE,
      expiresAtSeconds: blocks.head().timestamp + ORDER_LIFETIME_SECONDS,
    },
    { rpc: createRpc({ url: chain.url, requestTimeoutMs: 10_000, chainId: chain.chainId }), curve },
  );
  await sender.start();

  const span = async (
    ordersPerRound: number,
    rounds: number,
  ): Promise<{ firstRound: number; span: SubmissionSpan }> => {
    const commandsBefore = await redis.total();
    const firstRound = openRoundAt(schedule, blocks.head().number) + 1;
    const end = snapshotBlockOf(schedule, firstRound + rounds);
    let orders = 0;
    for (let { number } = blocks.head(); number < end; { number } = await blocks.reached(number + 1)) {
      const share = shareOf(ordersPerRound, options.roundLengthBlocks, number);
      if (share === 0) continue;
      await sender.send(Array.from({ length: share }, () => smallOrder(random)));
      orders += share;
    }
    const redisCommands = (await redis.total()) - commandsBefore;
    return { firstRound, span: { ordersPerRound, rounds, orders, redisCommands } };
  };

  try {
    await span(options.ordersPerRound, WARM_UP_ROUNDS);
    const half = Math.ceil(options.rounds / 2);
    say(`${half} rounds of ${options.ordersPerRound} orders, then as many of ${MORE_ORDERS * options.ordersPerRound}`);
    const processes = new ProcessWatch(
      new Map([
        ['anvil', chain.anvil.pid],
        ['aggregator', bench.aggregator.process.pid],
        ...operators.processes.map(({ pid }, index) => [`operators-${index + 1}`, pid] as const),
      ]),
      PROCESS_SAMPLE_MS,
    );
    const few = await span(options.ordersPerRound, half);
    const many = await span(MORE_ORDERS * options.ordersPerRound, half);
    const spans = [few, many];
    const figures: Record<string, ProcessFigures> = processes.stop();
    // The aggregator writes what it has of the last round.
    await blocks.reached(blocks.head().number + options.roundLengthBlocks);
    const times = readRoundTimes(bench.aggregator.logFile);
    const settledBlock = new Map(watch.settlements.map(({ round, blockNumber }) => [round, blockNumber]));
    const rounds = spans.flatMap(({ firstRound, span: { rounds: count } }) =>
      Array.from({ length: count }, (_, index) => firstRound + index),
    );
    const latencies = rounds.map((round) => {
      const mined = settledBlock.get(round);
      return mined === undefined ? options.roundLengthBlocks : mined - snapshotBlockOf(schedule, round);
    });
    const since = (round: number, atMs: number | undefined): number[] => {
      const snapshotMs = seenAtMs.get(snapshotBlockOf(schedule, round));
      return snapshotMs === undefined || atMs === undefined ? [] : [atMs - snapshotMs];
    };
    const settled = rounds.filter((round) => settledBlock.has(round)).length;
    return {
      operators: options.operators,
      processes: options.processes,
      blockTimeMs: options.blockTimeMs,
      roundLengthBlocks: options.roundLengthBlocks,
      machines: bench.populated.machineIds.length,
      rounds: rounds.length,
      settled,
      lapsed: rounds.length - settled,
      latencyBlocks: { p50: percentile(latencies, 50), p99: percentile(latencies, 99), counts: countsOf(latencies) },
      snapshotToQuorumMs: distribution(rounds.flatMap((round) => since(round, times.get(round)?.quorumMs))),
      snapshotToSentMs: distribution(rounds.flatMap((round) => since(round, times.get(round)?.sentMs))),
      snapshotToReceiptMs: distribution(rounds.flatMap((round) => since(round, times.get(round)?.receiptMs))),
      quorumToSentMs: distribution(
        rounds.flatMap((round) => {
          const { quorumMs, sentMs } = times.get(round) ?? {};
          return quorumMs === undefined || sentMs === undefined ? [] : [sentMs - quorumMs];
        }),
      ),
      spans: [few.span, many.span],
      redisCommandsPerOrder: (many.span.redisCommands - few.span.redisCommands) / (many.span.orders - few.span.orders),
      processorPercent: Object.fromEntries(
        Object.entries(figures).map(([name, { cpuPercent }]) => [
          name,
          cpuPercent === null ? null : Math.round(cpuPercent),
        ]),
      ),
    };
  } finally {
    off();
    watch.stop();
    redis.stop();
  }
}

/** Of a round's orders those that go out after a block, so that every block of the round has its part. */
function shareOf(orders: number, roundLengthBlocks: number, block: number): number {
  const upTo = (blocks: number): number => Math.ceil((orders * blocks) / roundLengthBlocks);
  const position = block % roundLengthBlocks;
  return upTo(position + 1) - upTo(position);
}

function distribution(values: readonly number[]): Milliseconds {
  const rounded = values.map((value) => Math.round(value));
  return { p50: percentile(rounded, 50), p99: percentile(rounded, 99) };
}

function countsOf(values: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values.toSorted((a, b) => a - b)) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
