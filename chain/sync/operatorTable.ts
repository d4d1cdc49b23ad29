import { decodeFunctionResult, encodeFunctionData, numberToHex, parseAbi } from 'viem';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { hashTable, totalWeight } from '../../protocol/operatorTable.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import { decodeTableWord } from '../../protocol/words/tableWord.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { callAt } from '../rpc/rpcCall.js';
import type { RoundWords } from './roundWords.js';

/** The operators of a round and their weights, as settlement will require them. */
export interface RoundTable {
  /** Reference timestamp, seconds. */
  readonly timestamp: number;
  readonly hash: Hex;
  readonly totalWeight: bigint;
  readonly entries: readonly TableEntry[];
}

/** Settlement has recorded no table that counts for the round. */
export class NoTableError extends MatchmakerError<'NO_TABLE'> {
  constructor(round: number) {
    super('NO_TABLE', `settlement has recorded no operator table for round ${round}: call recordTable`, {
      metadata: { round },
    });
  }
}

/** The verifier's table of the recorded timestamp does not hash to the recorded hash. */
export class TableMismatchError extends MatchmakerError<'TABLE_MISMATCH'> {
  constructor(timestamp: number, what: string) {
    super('TABLE_MISMATCH', `operator table of ${timestamp}: ${what}`, { metadata: { timestamp } });
  }
}

const verifierAbi = parseAbi([
  'struct OperatorSet { address avs; uint32 id; }',
  'struct ECDSAOperatorInfo { address pubkey; uint256[] weights; }',
  'function getOperatorInfos(OperatorSet operatorSet, uint32 referenceTimestamp) view returns (ECDSAOperatorInfo[])',
]);

/** Reads the operator table of a round: which one from settlement's words, its entries from the certificate verifier, once a table. */
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
    if (this.#last?.timestamp === timestamp && this.#last.hash === hash) return this.#last;

    const { operatorSet, eigenlayer } = this.#deployment;
    const call = { abi: verifierAbi, functionName: 'getOperatorInfos' } as const;
    const data = encodeFunctionData({ ...call, args: [{ avs: operatorSet.avs, id: operatorSet.id }, timestamp] });
    const answer = await this.#rpc.request(callAt({ to: eigenlayer.ecdsaCertificateVerifier, data }, blockHash));
    const { entries, entriesHash } = readAnswer(timestamp, () => {
      const listed = decodeFunctionResult({ ...call, data: answer }).map(({ pubkey, weights }): TableEntry => {
        const [weight] = weights;
        if (weight === undefined) throw new TableMismatchError(timestamp, `operator ${pubkey} has no weight`);
        return { key: lowerCase(pubkey), weight };
      });
      return { entries: listed, entriesHash: hashTable(listed) };
    });
    if (entriesHash !== hash)
      throw new TableMismatchError(timestamp, 'the verifier holds other entries than settlement recorded');
    if (totalWeight(entries) !== recorded.totalWeight)
      throw new TableMismatchError(timestamp, 'its total weight is not the recorded one');
    this.#last = { timestamp, hash, totalWeight: recorded.totalWeight, entries };
    return this.#last;
  }
}

/** What cannot be decoded or hashed is a wrong answer of the node, to be asked for again, and no fault of this process. */
function readAnswer<Result>(timestamp: number, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MatchmakerError) throw cause;
    throw new RpcAnswerError(`eth_call: the answer is not the operator table of ${timestamp}`, { cause });
  }
}

function lowerCase(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`;
}
