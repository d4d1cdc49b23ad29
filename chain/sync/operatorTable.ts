import { numberToHex } from 'viem';
import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { hashTable, totalWeight } from '../../protocol/operatorTable.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import { decodeTableWord } from '../../protocol/words/tableWord.js';
import type { Deployment } from '../deployment.js';
import { tableEntriesCall } from '../quorum/tableEntries.js';
import { tableStalenessCall } from '../quorum/tableStaleness.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import type { RpcCall } from '../rpc/rpcCall.js';
import type { RoundWords } from './roundWords.js';

/** The operators of a round and their weights, as settlement will require them. */
export interface RoundTable {
  /** Reference timestamp, seconds. */
  readonly timestamp: number;
  readonly hash: Hex;
  readonly totalWeight: bigint;
  readonly entries: readonly TableEntry[];
  /** Seconds after `timestamp` for which the quorum verifier takes certificates of it, on top of what the policy allows; null for no limit. */
  readonly verifierMaxAgeSeconds: number | null;
}

/** Settlement has recorded no table that counts for the round. */
export class NoTableError extends MatchmakerError<'NO_TABLE'> {
  constructor(round: number) {
    super('NO_TABLE', `settlement has recorded no operator table for round ${round}: call recordTable`, {
      metadata: { round },
    });
  }
}

/** The quorum verifier's table of the recorded timestamp does not hash to the recorded hash. */
export class TableMismatchError extends MatchmakerError<'TABLE_MISMATCH'> {
  constructor(timestamp: number, what: string) {
    super('TABLE_MISMATCH', `operator table of ${timestamp}: ${what}`, { metadata: { timestamp } });
  }
}

/** Reads the operator table of a round: which one from settlement's words, its entries from the quorum verifier, once a table. */
export class OperatorTableReader {
  readonly #deployment: Deployment;
  readonly #rpc: Rpc;
  #last: RoundTable | null = null;

  constructor(deployment: Deployment, rpc: Rpc) {
    this.#deployment = deployment;
    this.#rpc = rpc;
  }

  /** The table of `round` as of the block `blockHash`. Throws NoTableError, TableMismatchError and what the RPC throws. */
  async tableOf(round: number, words: RoundWords, blockHash: Hex): Promise<RoundTable> {
    const recorded = [words.newestTable, words.previousTable]
      .map(({ word, hash }) => ({ ...decodeTableWord(word), hash: numberToHex(hash, { size: 32 }) }))
      .find(({ tableTimestamp, fromRound }) => tableTimestamp !== 0 && fromRound <= round);
    if (recorded === undefined) throw new NoTableError(round);
    const { tableTimestamp: timestamp, hash } = recorded;
    const staleness = tableStalenessCall(this.#deployment, blockHash);
    if (this.#last?.timestamp === timestamp && this.#last.hash === hash) {
      // A verifier with tables of its own keeps the limit that each came with; EigenLayer's has one for all, which may change.
      if (this.#deployment.quorum.checkedBy === 'eigenlayer')
        this.#last = { ...this.#last, verifierMaxAgeSeconds: await this.#rpc.request(staleness) };
      return this.#last;
    }

    const [entries, verifierMaxAgeSeconds] = await this.#rpc.batch([
      asTable(timestamp, tableEntriesCall(this.#deployment, timestamp, blockHash)),
      staleness,
    ]);
    const entriesHash = hashTable(entries);
    if (entriesHash !== hash)
      throw new TableMismatchError(timestamp, 'the verifier holds other entries than settlement recorded');
    if (totalWeight(entries) !== recorded.totalWeight)
      throw new TableMismatchError(timestamp, 'its total weight is not the recorded one');
    this.#last = { timestamp, hash, totalWeight: recorded.totalWeight, entries, verifierMaxAgeSeconds };
    return this.#last;
  }
}

/** What cannot be decoded is a wrong answer of the node, to be asked for again, and no fault of this process. */
function asTable(timestamp: number, call: RpcCall<TableEntry[]>): RpcCall<TableEntry[]> {
  return {
    ...call,
    decode: (raw) => {
      try {
        return call.decode(raw);
      } catch (cause) {
        throw new RpcAnswerError(`eth_call: the answer is not the operator table of ${timestamp}`, { cause });
      }
    },
  };
}
