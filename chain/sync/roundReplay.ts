import { decodeEventLog, encodeEventTopics } from 'viem';
import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { operatorSetKey } from '../../protocol/operatorSet.js';
import { decodeRecords } from '../../protocol/records.js';
import { snapshotBlockOf } from '../../protocol/rounds.js';
import type { Period } from '../../protocol/rounds.js';
import { roundSeed } from '../../protocol/seed.js';
import { matchPolicyAbi } from '../contracts/generated/MatchPolicy.js';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError, RpcWrongChainError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber, chainId, latestBlock } from '../rpc/rpcCall.js';
import type { RpcLog } from '../rpc/rpcCall.js';
import { forLogs } from './historySync.js';
import { MarketState, marketLogFilter } from './marketState.js';
import { OperatorTableReader } from './operatorTable.js';
import type { RoundContext } from './roundFollower.js';
import { differenceBetween, roundWordsAt } from './roundWords.js';

/** The snapshot block of the round is not there yet, or the round never was. */
export class RoundNotClosedError extends MatchmakerError<'ROUND_NOT_CLOSED'> {
  constructor(round: number, lastClosed: number) {
    super('ROUND_NOT_CLOSED', `round ${round} has no snapshot: rounds 1 to ${lastClosed} have one`, {
      metadata: { round, lastClosed },
    });
  }
}

/** The logs that the node told of do not lead to what the contracts hold. */
export class ReplayDiffersError extends MatchmakerError<'REPLAY_DIFFERS'> {
  constructor(block: number, what: string) {
    super('REPLAY_DIFFERS', `block ${block}: ${what}; ask another node`, { metadata: { block, what } });
  }
}

const [POLICY_SCHEDULED] = encodeEventTopics({ abi: matchPolicyAbi, eventName: 'PolicyScheduled' });
const [BATCH_SETTLED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled' });
const [ORDER_SELF_MATCHED] = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'OrderSelfMatched' });

/** Which rounds have a snapshot. */
export interface ClosedRounds {
  /** Last round whose snapshot block is there, 0 for none. */
  readonly last: number;
  /** B(round); throws RoundNotClosedError for a round without a snapshot. */
  readonly snapshotBlockOf: (round: number) => number;
}

/** Reads the whole schedule of rounds from its logs. Throws RpcWrongChainError and what the RPC throws. */
export async function readClosedRounds(rpc: Rpc, deployment: Deployment): Promise<ClosedRounds> {
  const [servedChain, newest] = await rpc.batch([chainId(), latestBlock()]);
  if (servedChain !== deployment.chainId) throw new RpcWrongChainError(deployment.chainId, servedChain);
  const periods: Period[] = [];
  await forLogs(
    rpc,
    { addresses: [deployment.contracts.matchPolicy], topics: [POLICY_SCHEDULED] },
    { from: deployment.deploymentBlock, to: newest.number },
    (logs) => periods.push(...logs.map(periodOf)),
  );
  const blockOf = (round: number): number => {
    const index = periods.findLastIndex(({ fromRound }) => fromRound <= round);
    const period = periods[index];
    if (round < 1 || period === undefined) return Number.POSITIVE_INFINITY;
    return snapshotBlockOf({ newest: period, previous: null }, round);
  };
  let last = 0;
  const begun = periods.findLast(({ fromBlock }) => fromBlock <= newest.number);
  if (begun !== undefined) last = begun.fromRound + Math.floor((newest.number - begun.fromBlock) / begun.lengthBlocks);
  return {
    last,
    snapshotBlockOf: (round) => {
      const block = blockOf(round);
      if (block > newest.number) throw new RoundNotClosedError(round, last);
      return block;
    },
  };
}

/**
 * Everything a closed round's result depended on, read from the chain's logs and checked against the contracts' words at B(round).
 * The node must still have the state of that block. Throws ReplayDiffersError, RoundNotClosedError, NoTableError, TableMismatchError and what the RPC throws.
 */
export async function replayRound(
  rpc: Rpc,
  deployment: Deployment,
  rounds: ClosedRounds,
  round: number,
): Promise<RoundContext> {
  const snapshotBlock = rounds.snapshotBlockOf(round);
  const block = await rpc.request(blockByNumber(snapshotBlock));
  if (block === null) throw new RpcAnswerError(`the node has no block ${snapshotBlock} although it told of later ones`);
  const state = new MarketState(deployment.contracts, block, 1);
  const range = { from: deployment.deploymentBlock, to: snapshotBlock };
  await forLogs(rpc, marketLogFilter(deployment), range, (logs) => state.loadHistory(logs));
  const scheduled = state.policyOf(round);
  const { schedule } = state;
  if (scheduled === null || schedule === null)
    throw new ReplayDiffersError(snapshotBlock, 'no policy was told of by then');
  const reading = roundWordsAt(deployment.contracts, block, 'storage');
  const words = reading.read(await rpc.batch(reading.calls));
  const difference = state.damage ?? differenceBetween(state.commitments, words.commitments);
  if (difference !== null) throw new ReplayDiffersError(snapshotBlock, difference);
  return {
    round,
    snapshotBlock,
    nextSnapshotBlock: snapshotBlockOf(schedule, round + 1),
    snapshot: {
      round,
      blockNumber: snapshotBlock,
      snapshotHash: block.hash,
      timestampSeconds: block.timestamp,
      orders: state.openOrders(),
      bids: state.bids(),
      market: state.market,
    },
    policy: scheduled.policy,
    policyHash: scheduled.hash,
    seed: roundSeed(block.hash, round),
    table: await new OperatorTableReader(deployment, rpc).tableOf(round, words, block.hash),
    lastSettledRound: state.lastSettledRound,
    operatorSetKey: operatorSetKey(deployment.operatorSet),
    openOrderCount: state.openOrderCount,
  };
}

/** Where an order found its machine last. */
export interface OrderMatch {
  readonly round: number;
  /** By its tenant itself, outside a batch. */
  readonly bySelf: boolean;
}

/** The last match of an order, null while it has none. Throws what the RPC throws. */
export async function findOrderMatch(rpc: Rpc, deployment: Deployment, orderId: number): Promise<OrderMatch | null> {
  const newest = await rpc.request(latestBlock());
  let match: OrderMatch | null = null;
  await forLogs(
    rpc,
    { addresses: [deployment.contracts.matchSettlement], topics: [BATCH_SETTLED, ORDER_SELF_MATCHED] },
    { from: deployment.deploymentBlock, to: newest.number },
    (logs) => {
      for (const log of logs) match = matchIn(log, orderId) ?? match;
    },
  );
  return match;
}

function matchIn(log: RpcLog, orderId: number): OrderMatch | null {
  const event = decodeEventLog({ abi: matchSettlementAbi, ...encoded(log) });
  switch (event.eventName) {
    case 'OrderSelfMatched':
      return event.args.orderId === orderId ? { round: Number(event.args.round), bySelf: true } : null;
    case 'BatchSettled': {
      const { round, records, skipped } = event.args;
      const index = decodeRecords(records).findIndex((record) => record.orderId === orderId);
      if (index === -1) return null;
      const isSkipped = (((skipped[index >> 8] ?? 0n) >> BigInt(index & 255)) & 1n) === 1n;
      return isSkipped ? null : { round: Number(round), bySelf: false };
    }
    default:
      return null;
  }
}

function periodOf(log: RpcLog): Period {
  const { args } = decodeEventLog({ abi: matchPolicyAbi, eventName: 'PolicyScheduled', ...encoded(log) });
  return { fromRound: args.fromRound, fromBlock: args.fromBlock, lengthBlocks: args.lengthBlocks };
}

function encoded(log: RpcLog): { topics: [Hex, ...Hex[]]; data: Hex } {
  return { topics: log.topics as [Hex, ...Hex[]], data: log.data };
}
