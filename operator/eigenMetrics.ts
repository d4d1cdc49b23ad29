import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Address } from 'viem';

import { LATENCY_BUCKETS_SECONDS } from '../service/metrics.js';

/** Rounds whose outcome makes the performance score. */
const SCORED_ROUNDS = 100;
/** Characters of a node's name for itself that become a label. */
const MOST_VERSION_CHARACTERS = 64;

/** Where rewards come from: the market's own for a signing key, or EigenLayer's for its operator. */
export type RewardSource = 'market' | 'operator';

/**
 * The metrics that EigenLayer's AVS Node Specification names; nothing else may begin with `eigen_`.
 * Slashing and fees have no value until the chain has told one.
 */
export class EigenMetrics {
  readonly #score: Gauge;
  readonly #rpcSeconds: Histogram<'method' | 'client_version'>;
  readonly #rpcRequests: Counter<'method' | 'client_version'>;
  readonly #stakes: Gauge<'quorum_number' | 'quorum_name'>;
  readonly #fees: Counter<'token'>;
  readonly #slashing: Gauge;
  readonly #quorum: { readonly quorum_number: string; readonly quorum_name: string };
  readonly #outcomes = new Map<number, boolean>();
  readonly #feesSeen = new Map<string, bigint>();
  readonly #registry: Registry;
  #clientVersion = 'unknown';

  constructor(
    options: { readonly operatorSetId: number; readonly quorumName: string },
    dependencies: { readonly registry: Registry },
  ) {
    const registers = [dependencies.registry];
    this.#quorum = { quorum_number: String(options.operatorSetId), quorum_name: options.quorumName };
    this.#score = new Gauge({
      name: 'eigen_performance_score',
      help: `Percentage signed of the last ${SCORED_ROUNDS} rounds that were to be signed`,
      registers,
    });
    this.#score.set(100);
    const labelNames = ['method', 'client_version'] as const;
    this.#rpcSeconds = new Histogram({
      name: 'eigen_rpc_request_duration_seconds',
      help: 'Time that JSON-RPC requests took, by method and node',
      labelNames,
      buckets: LATENCY_BUCKETS_SECONDS,
      registers,
    });
    this.#rpcRequests = new Counter({
      name: 'eigen_rpc_request_total',
      help: 'JSON-RPC requests, by method and node',
      labelNames,
      registers,
    });
    this.#stakes = new Gauge({
      name: 'eigen_registered_stakes',
      help: "The operator's weight in the operator table of the last round, 0 when it is not in it",
      labelNames: ['quorum_number', 'quorum_name'],
      registers,
    });
    this.#fees = new Counter({
      name: 'eigen_fees_earned_total',
      help: 'Rewards claimed by the operator, in smallest units, by token address',
      labelNames: ['token'],
      registers,
    });
    this.#slashing = new Gauge({
      name: 'eigen_slashing_status',
      help: '1 when the operator set has slashed the operator, else 0',
      registers: [],
    });
    this.#registry = dependencies.registry;
  }

  /** A round's batch was signed. */
  signed(round: number): void {
    this.#outcome(round, true);
  }

  /** A round was not signed although the node was there. */
  missed(round: number): void {
    this.#outcome(round, false);
  }

  /** A JSON-RPC request was answered, or failed, after so many seconds. */
  rpcAnswered(method: string, seconds: number): void {
    const labels = { method, client_version: this.#clientVersion };
    this.#rpcRequests.inc(labels);
    this.#rpcSeconds.observe(labels, seconds);
  }

  /** What the node calls itself, from now on a label. */
  nodeIs(clientVersion: string): void {
    this.#clientVersion = clientVersion.slice(0, MOST_VERSION_CHARACTERS);
  }

  /** The operator's weight in the table of a round, in the table's units. */
  seated(weight: bigint): void {
    this.#stakes.set(this.#quorum, Number(weight));
  }

  /** All that was claimed of a token from a source so far, in smallest units; both sources of one token are one count. */
  earned(source: RewardSource, token: Address, cumulative: bigint): void {
    const label = token.toLowerCase();
    const stream = `${source}/${label}`;
    const grown = cumulative - (this.#feesSeen.get(stream) ?? 0n);
    if (grown < 0n) return;
    this.#feesSeen.set(stream, cumulative);
    this.#fees.inc({ token: label }, Number(grown));
  }

  /** Whether the operator set has ever slashed the operator. */
  slashingIs(isSlashed: boolean): void {
    if (this.#registry.getSingleMetric('eigen_slashing_status') === undefined)
      this.#registry.registerMetric(this.#slashing);
    this.#slashing.set(isSlashed ? 1 : 0);
  }

  #outcome(round: number, isSigned: boolean): void {
    // A round that was missed first and signed after a reorganisation counts once, by its last outcome.
    this.#outcomes.delete(round);
    this.#outcomes.set(round, isSigned);
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= SCORED_ROUNDS) break;
      this.#outcomes.delete(oldest);
    }
    const signed = [...this.#outcomes.values()].filter(Boolean).length;
    this.#score.set((100 * signed) / this.#outcomes.size);
  }
}
