import {
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  parseAbi,
  type Abi,
  type Address,
  type Hex,
} from 'viem';

import { iQuorumVerifierAbi } from '../chain/contracts/generated/IQuorumVerifier.js';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import type { Deployment } from '../chain/deployment.js';
import { TRANSACTION_GAS_CAP } from '../chain/rpc/gasLimit.js';
import { RpcAnswerError, type Rpc } from '../chain/rpc/rpc.js';
import { balanceOf, callAt, latestBlock, storageAt } from '../chain/rpc/rpcCall.js';
import { TransactionRevertedError } from '../chain/submission/submission.js';
import type { Order } from '../engine/order.js';
import type { Snapshot } from '../engine/snapshot.js';
import { ORDERS_FACTS_SLOT, TABLE_SLOT } from '../protocol/words/slots.js';
import { decodeTableWord } from '../protocol/words/tableWord.js';
import type { Clock } from '../service/clock.js';
import { messageOf } from '../service/thrown.js';
import type { AggregatorEvents } from './aggregatorEvents.js';
import type { TransactionSubmitter } from './settler.js';

const sourceAbi = parseAbi([
  'struct OperatorSet { address avs; uint32 id; }',
  'function latestReferenceTimestamp(OperatorSet operatorSet) view returns (uint32)',
]);

/** What recording a table may be refused with. */
const recordTableErrors: Abi = [...matchSettlementAbi, ...iQuorumVerifierAbi];

/** Gas of `tick`, which does nothing. */
const TICK_GAS = 60_000n;

/** JSON-RPC code of a call that reverted. */
const EXECUTION_REVERTED = 3;

export interface UpkeepOptions {
  readonly deployment: Deployment;
  /** Address that pays for transactions. */
  readonly submitter: Address;
  /** Priority fee of a first attempt, wei per gas. */
  readonly priorityFeePerGas: bigint;
  /** Silence of the chain after which a waiting order gets a tick, milliseconds. */
  readonly tickAfterMs: number;
  /** Pause between looks at the chain, milliseconds. */
  readonly intervalMs: number;
}

/** What upkeep must know of a round's snapshot. */
export interface UpkeepSnapshot extends Pick<Snapshot, 'round' | 'blockNumber' | 'timestampSeconds'> {
  readonly orders: readonly Pick<Order, 'expiresAtSeconds' | 'untilRound'>[];
}

export interface UpkeepDependencies {
  readonly rpc: Rpc;
  readonly submitter: TransactionSubmitter;
  readonly clock: Clock;
  readonly events: AggregatorEvents;
  /** Whether nothing could settle under a table of that timestamp at that time, both in seconds. */
  readonly wouldBeStale: (tableTimestamp: number, atSeconds: number) => boolean;
  /** Packed entries of the source's table of a timestamp (seconds), as recordTable takes them. */
  readonly entriesOf: (timestamp: number) => Promise<Hex>;
}

/**
 * Keeps rounds closing: makes the chain produce blocks while an order waits on a chain that makes them on demand only, and
 * records the operator table when a newer one has arrived. Both are open to anyone, so failing costs nothing but time.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #dependencies: UpkeepDependencies;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #lastBlock = -1;
  #lastBlockAtMs: number;
  #ordersFacts = 0n;
  /** Block in which the orders' facts were first seen as they are. */
  #ordersChangedAtBlock = -1;
  #snapshotBlock = -1;
  #hasWaitingOrder = false;
  #refusedTimestamp = 0;
  #balanceWei: bigint | undefined;
  #neededWei = 0n;

  constructor(options: UpkeepOptions, dependencies: UpkeepDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#lastBlockAtMs = dependencies.clock.monotonicMs();
  }

  /** Begins to look after the market. */
  start(): void {
    this.#running = this.#run();
  }

  /** Stops looking; resolves when the last look has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Whether the key can pay for the largest settlement at the chain's present fee, as of the last look. */
  get funds(): { readonly ok: boolean; readonly detail: string } {
    const { submitter } = this.#options;
    if (this.#balanceWei === undefined) return { ok: false, detail: `the balance of ${submitter} is not known yet` };
    const detail = `${submitter} holds ${this.#balanceWei} wei, the largest settlement costs ${this.#neededWei}`;
    return { ok: this.#balanceWei >= this.#neededWei, detail };
  }

  /** A round's snapshot was taken. */
  onSnapshot(snapshot: UpkeepSnapshot): void {
    const { round, blockNumber, timestampSeconds, orders } = snapshot;
    this.#snapshotBlock = blockNumber;
    // An order that expired or ends with this round waits for nothing, although it is open until somebody clears it away.
    this.#hasWaitingOrder = orders.some(
      ({ expiresAtSeconds, untilRound }) => expiresAtSeconds > timestampSeconds && untilRound > round + 1,
    );
  }

  async #run(): Promise<void> {
    const { clock, events } = this.#dependencies;
    while (!this.#stopped.signal.aborted) {
      try {
        await this.look();
      } catch (error) {
        // The chain's absence is reported by whoever follows it.
        if (!isUnreachable(error)) events.upkeep('tick', 'failed', messageOf(error));
      }
      await clock.sleep(this.#options.intervalMs, this.#stopped.signal);
    }
  }

  /** One look: records a newer table, else ticks if the chain is silent while an order waits. Throws what the RPC throws. */
  async look(): Promise<void> {
    const { rpc, clock, events, wouldBeStale } = this.#dependencies;
    const { contracts, operatorSet, quorum } = this.#options.deployment;
    const { submitter, priorityFeePerGas } = this.#options;
    const [head, ordersFacts, tableWord, latest, balance] = await rpc.batch([
      latestBlock(),
      storageAt(contracts.orderRequest, ORDERS_FACTS_SLOT, 'latest'),
      storageAt(contracts.matchSettlement, TABLE_SLOT, 'latest'),
      callAt(
        {
          to: quorum.certificateVerifier,
          data: encodeFunctionData({ abi: sourceAbi, functionName: 'latestReferenceTimestamp', args: [operatorSet] }),
        },
        'latest',
      ),
      balanceOf(submitter),
    ]);
    this.#balanceWei = balance;
    this.#neededWei = TRANSACTION_GAS_CAP * (head.baseFeePerGas + priorityFeePerGas);
    events.funds(this.funds.ok, this.funds.detail);
    if (head.number !== this.#lastBlock) {
      this.#lastBlock = head.number;
      this.#lastBlockAtMs = clock.monotonicMs();
    }
    if (ordersFacts !== this.#ordersFacts) {
      this.#ordersFacts = ordersFacts;
      this.#ordersChangedAtBlock = head.number;
    }
    const timestamp = decodeFunctionResult({
      abi: sourceAbi,
      functionName: 'latestReferenceTimestamp',
      data: latest,
    });
    const recorded = decodeTableWord(tableWord).tableTimestamp;
    if (timestamp > recorded && timestamp !== this.#refusedTimestamp) {
      await this.#recordTable(timestamp);
    }
    // A round that nothing can settle is not worth its blocks.
    if (wouldBeStale(recorded, head.timestamp)) return;
    const isWaiting = this.#hasWaitingOrder || this.#ordersChangedAtBlock > this.#snapshotBlock;
    if (isWaiting && clock.monotonicMs() - this.#lastBlockAtMs >= this.#options.tickAfterMs) await this.#tick();
  }

  async #recordTable(timestamp: number): Promise<void> {
    const { submitter, events, entriesOf } = this.#dependencies;
    try {
      const entries = await entriesOf(timestamp);
      await submitter.submit({
        to: this.#options.deployment.contracts.matchSettlement,
        data: encodeFunctionData({ abi: matchSettlementAbi, functionName: 'recordTable', args: [entries] }),
        label: `record table ${timestamp}`,
        errorsAbi: recordTableErrors,
        isUnique: true,
      });
      events.upkeep('recordTable', 'mined', `table ${timestamp}`);
    } catch (error) {
      const isRefused =
        error instanceof TransactionRevertedError || (error instanceof RpcAnswerError && isRevert(error));
      // A table the contract refuses is refused until there is another; trying again would only burn gas.
      if (isRefused) this.#refusedTimestamp = timestamp;
      if (isRefused && revertNameOf(error) === 'TableNotNewer') {
        events.upkeep('recordTable', 'done-by-other', `table ${timestamp}`);
      } else {
        events.upkeep('recordTable', 'failed', messageOf(error));
      }
    }
  }

  async #tick(): Promise<void> {
    const { submitter, events, clock } = this.#dependencies;
    const block = this.#lastBlock;
    try {
      await submitter.submit({
        to: this.#options.deployment.contracts.matchSettlement,
        data: encodeFunctionData({ abi: matchSettlementAbi, functionName: 'tick' }),
        gasLimit: TICK_GAS,
        label: `tick after block ${block}`,
      });
      events.upkeep('tick', 'mined', `after block ${block}`);
    } catch (error) {
      events.upkeep('tick', 'failed', messageOf(error));
    }
    this.#lastBlockAtMs = clock.monotonicMs();
  }
}

/** Whether a node's error tells of a revert, and not of its own troubles. */
function isRevert({ data, rpcCode }: RpcAnswerError): boolean {
  return data !== null || rpcCode === EXECUTION_REVERTED;
}

/** The contract's error that a transaction ran into, mined or only estimated; null when it is not known. */
function revertNameOf(error: TransactionRevertedError | RpcAnswerError): string | null {
  if (error instanceof TransactionRevertedError) return error.errorName;
  if (error.data === null) return null;
  try {
    return decodeErrorResult({ abi: recordTableErrors, data: error.data }).errorName;
  } catch {
    return null;
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'RPC_UNAVAILABLE';
}
