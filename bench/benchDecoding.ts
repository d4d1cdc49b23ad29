import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keccakP } from '@noble/hashes/sha3.js';
import { decodeEventLog, numberToHex } from 'viem';
import type { Abi, Hex } from 'viem';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../chain/contracts/generated/OrderRequest.js';
import { providerRegistryAbi } from '../chain/contracts/generated/ProviderRegistry.js';
import { decodeBatchSettled, decodeFact, decodeOrderCreated } from '../chain/sync/logDecoding.js';
import { LocalSnapshot } from '../chain/sync/localSnapshot.js';
import { MarketState, marketLogFilter } from '../chain/sync/marketState.js';
import type { Deployment } from '../chain/deployment.js';
import { logsInRange } from '../chain/rpc/rpcCall.js';
import type { RpcLog } from '../chain/rpc/rpcCall.js';
import { generateMarket } from '../devnet/generateMarket.js';
import { percentile } from '../devnet/percentile.js';
import { keccakState, permuteKeccak } from '../engine/keccak.js';
import type { MatchRecord } from '../engine/record.js';
import { hexOfLimbs, LIMBS } from '../protocol/words/wordLimbs.js';
import type { Figure } from './figure.js';
import { BENCH_CONTRACTS, LogWriter } from './marketLogs.js';
import { marketSnapshot } from './marketSnapshot.js';

const RUNS = 9;
/** So many that the compiler is done with both sides. */
const WARM_UP_RUNS = 20;
const SEED = 5;
const FACTS = 20_000;
const ORDERS = 1_000;
const RECORDS = 256;
const BATCHES = 200;
const PERMUTATIONS = 20_000;
const HISTORY_PROVIDERS = 16_667;
const START_RUNS = 3;
const LOGS_PER_ANSWER = 20_000;

/** One event, decoded by both sides. */
interface Contest {
  readonly name: string;
  readonly logs: readonly RpcLog[];
  readonly abi: Abi;
  /** Decodes a log at fixed offsets. */
  readonly decode: (log: RpcLog) => unknown;
  /** What was decoded, in the words of viem's arguments. */
  readonly asViem: (decoded: unknown, log: RpcLog) => unknown;
  /** The same part of viem's arguments. */
  readonly ofViem: (args: Record<string, unknown>) => unknown;
}

/**
 * Logs a second of the fixed-offset decoders beside viem's decodeEventLog on the same logs, in turn, medians; the permutation of keccak256
 * beside that of @noble/hashes; a start from history beside one from the local snapshot. Throws when the two sides do not agree on every log.
 */
export async function benchDecoding(): Promise<Figure[]> {
  return [...contests().flatMap(decoding), ...keccak(), ...(await starts())];
}

function contests(): Contest[] {
  const snapshot = marketSnapshot(generateMarket({ providers: 1_667, orders: ORDERS, seed: SEED }));
  const writer = new LogWriter();
  const slot = new Uint32Array(LIMBS);
  const value = new Uint32Array(LIMBS);
  const facts = [...writer.marketFacts(snapshot.market)].slice(0, FACTS);
  const created = snapshot.orders.flatMap((order) => [...writer.orderCreated(order)].slice(-1));
  const batches = Array.from({ length: BATCHES }, (_, round) => writer.batchSettled(round + 1, records(round)));
  return [
    {
      name: 'Fact',
      logs: facts,
      abi: providerRegistryAbi,
      decode: (log) => decodeFact(log, slot, value),
      asViem: (_, log) => {
        decodeFact(log, slot, value);
        return { slot: BigInt(`0x${hexOfLimbs(slot)}`), value: `0x${hexOfLimbs(value)}` };
      },
      ofViem: (args) => args,
    },
    {
      name: 'OrderCreated',
      logs: created,
      abi: orderRequestAbi,
      decode: decodeOrderCreated,
      asViem: (decoded) => decoded,
      ofViem: ({ orderId, eligibleFromBlock, expiresAt, spec }) => ({
        orderId,
        eligibleFromBlock,
        expiresAtSeconds: expiresAt,
        spec,
      }),
    },
    {
      name: `BatchSettled of ${RECORDS} records`,
      logs: batches,
      abi: matchSettlementAbi,
      decode: decodeBatchSettled,
      asViem: (decoded) => decoded,
      ofViem: ({ round, ...rest }) => ({ round: Number(round), ...rest }),
    },
  ];
}

function decoding({ name, logs: written, abi, decode, asViem, ofViem }: Contest): Figure[] {
  // Strings as a node's answer leaves them in memory.
  const logs = JSON.parse(JSON.stringify(written)) as RpcLog[];
  const viem = (log: RpcLog) => decodeEventLog({ abi, topics: log.topics as [Hex, ...Hex[]], data: log.data });
  for (const log of logs) {
    const args = viem(log).args as unknown as Record<string, unknown>;
    if (shown(asViem(decode(log), log)) !== shown(ofViem(args)))
      throw new Error(`${name}: a log is not decoded as viem decodes it: ${JSON.stringify(log)}`);
  }
  const [own, theirs] = inTurn(
    () => logs.forEach(decode),
    () => logs.forEach(viem),
  );
  const setting = `${logs.length} logs, median of ${RUNS}`;
  return [
    { name: `${name}, fixed offsets`, value: (logs.length * 1_000) / own, unit: 'logs/s', setting },
    {
      name: `${name}, viem`,
      value: (logs.length * 1_000) / theirs,
      unit: 'logs/s',
      setting: 'decodeEventLog, same logs, same run, equal output',
    },
    { name: `${name}, fixed offsets over viem`, value: theirs / own, unit: 'x', setting: 'same run' },
  ];
}

function keccak(): Figure[] {
  const state = new Uint32Array(50).map((_, index) => index);
  keccakState.set(state);
  const [own, theirs] = inTurn(
    () => {
      for (let index = 0; index < PERMUTATIONS; index++) permuteKeccak();
    },
    () => {
      for (let index = 0; index < PERMUTATIONS; index++) keccakP(state);
    },
  );
  if (state.some((word, index) => word !== keccakState[index])) throw new Error('the permutations do not agree');
  const setting = `${PERMUTATIONS} permutations, median of ${RUNS}`;
  return [
    { name: 'keccak-f, WebAssembly', value: (PERMUTATIONS * 1_000) / own, unit: '/s', setting },
    { name: 'keccak-f, @noble/hashes', value: (PERMUTATIONS * 1_000) / theirs, unit: '/s', setting: 'same run' },
    { name: 'WebAssembly over @noble/hashes', value: theirs / own, unit: 'x', setting: 'same run' },
  ];
}

/** Taking in a history, and starting from a file that holds what it led to. */
async function starts(): Promise<Figure[]> {
  const { market } = marketSnapshot(generateMarket({ providers: HISTORY_PROVIDERS, orders: 0, seed: SEED }));
  const facts = [...new LogWriter().marketFacts(market)];
  const answers = Array.from({ length: Math.ceil(facts.length / LOGS_PER_ANSWER) }, (_, part) =>
    JSON.stringify(facts.slice(part * LOGS_PER_ANSWER, (part + 1) * LOGS_PER_ANSWER).map(onTheWire)),
  );
  const deployment = { chainId: 1, deploymentBlock: 1, contracts: BENCH_CONTRACTS } as Deployment;
  const base = { number: facts.at(-1)?.blockNumber ?? 0, hash: numberToHex(1, { size: 32 }), timestamp: 1 };
  const folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-bench-'));
  const snapshot = new LocalSnapshot(path.join(folder, 'market.snapshot'), deployment);
  const [takenMs, wholeMs, fileMs, savedMs]: [number[], number[], number[], number[]] = [[], [], [], []];
  let bytes = 0;
  try {
    for (let run = 0; run < START_RUNS; run++) {
      const call = logsInRange(0, base.number, marketLogFilter(deployment));
      const state = new MarketState(BENCH_CONTRACTS, base, 256);
      let start = performance.now();
      let taken = 0;
      for (const answer of answers) {
        const logs = call.decode(JSON.parse(answer));
        const before = performance.now();
        state.loadHistory(logs);
        taken += performance.now() - before;
      }
      wholeMs.push(performance.now() - start);
      takenMs.push(taken);
      start = performance.now();
      bytes = await snapshot.save(state.content);
      savedMs.push(performance.now() - start);
      start = performance.now();
      const content = await snapshot.load();
      if (content === null) throw new Error('the snapshot is gone');
      const started = new MarketState(BENCH_CONTRACTS, content.block, 256, content);
      fileMs.push(performance.now() - start);
      if (state.damage !== null || shown(started.commitments) !== shown(state.commitments))
        throw new Error('the start from the snapshot is not the start from the history');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const machines = `${market.machineCount} machines of ${HISTORY_PROVIDERS} providers`;
  const whole = percentile(wholeMs, 50) as number;
  const file = percentile(fileMs, 50) as number;
  return [
    {
      name: 'history taken in',
      value: (facts.length * 1_000) / (percentile(takenMs, 50) as number),
      unit: 'facts/s',
      setting: `${facts.length} facts of ${machines}: decoded, folded, written into the columns; median of ${START_RUNS}`,
    },
    {
      name: 'start from the history',
      value: whole,
      unit: 'ms',
      setting: 'same run, answers of eth_getLogs parsed too; the time of node and network is not in it',
    },
    { name: 'start from the local snapshot', value: file, unit: 'ms', setting: 'same run, checksum and words checked' },
    { name: 'history over local snapshot', value: whole / file, unit: 'x', setting: 'same run' },
    {
      name: 'writing the local snapshot',
      value: percentile(savedMs, 50) as number,
      unit: 'ms',
      setting: 'same run, flushed',
    },
    {
      name: 'bytes of the local snapshot',
      value: bytes / market.machineCount,
      unit: 'B a machine',
      setting: 'same run',
    },
  ];
}

function onTheWire({ blockNumber, logIndex, ...log }: RpcLog): unknown {
  return { ...log, blockNumber: numberToHex(blockNumber), logIndex: numberToHex(logIndex), removed: false };
}

function records(round: number): MatchRecord[] {
  return Array.from({ length: RECORDS }, (_, index) => ({
    orderId: 1 + round * RECORDS + index,
    machineId: 1 + ((index * 7_919) % 100_000),
    priceMicroPerHour: 1_000_000 + index,
    deviceMask: 1,
    milliGpu: 1_000,
    cpuMilli: 4_000,
    memoryMib: 8_192,
    storageGib: 50,
    offerIndex: index % 4,
    fromBid: false,
    tokenId: 1,
    providerId: 1 + (index % 1_000),
    bidIndex: 0,
  }));
}

/** Median times of both once they are warm, milliseconds. */
function inTurn(first: () => void, second: () => void): [number, number] {
  const times: [number[], number[]] = [[], []];
  for (let run = 0; run < WARM_UP_RUNS; run++) {
    first();
    second();
  }
  for (let run = 0; run < RUNS; run++) {
    for (const [index, task] of [first, second].entries()) {
      const start = performance.now();
      task();
      times[index]!.push(performance.now() - start);
    }
  }
  return [percentile(times[0], 50) as number, percentile(times[1], 50) as number];
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint'
      ? `${inner}n`
      : typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
  );
}
