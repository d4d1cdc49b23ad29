import type { Hex } from 'viem';
import { openRoundAt } from '../../protocol/rounds.js';
import { decodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import { SCHEDULE_SLOT } from '../../protocol/words/slots.js';
import { decodeTableWord } from '../../protocol/words/tableWord.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock, storageAt } from '../rpc/rpcCall.js';
import { NoTableError, OperatorTableReader } from './operatorTable.js';
import { roundWordsAt } from './roundWords.js';

/** A recorded operator table, and a key's place in it. */
export interface TableEntryOf {
  /** Reference timestamp, seconds. */
  readonly timestampSeconds: number;
  /** Seconds after its timestamp for which the quorum verifier takes certificates of it; null for no limit. */
  readonly verifierMaxAgeSeconds: number | null;
  readonly fromRound: number;
  readonly operatorCount: number;
  readonly totalWeight: bigint;
  /** The key's weight; null when it is not in the table. */
  readonly weight: bigint | null;
}

/** Whether a key's signatures count on the market chain. */
export interface TableSeat {
  readonly block: { readonly number: number; readonly timestampSeconds: number };
  /** The round that is open, 0 for none. */
  readonly openRound: number;
  /** The table of the open round; null when settlement has recorded none for it. */
  readonly open: TableEntryOf | null;
  /** A table that counts from a later round on; null when there is none. */
  readonly coming: TableEntryOf | null;
}

/**
 * Reads which recorded tables count now and next, and what a signing key weighs in them. `key` is as tables name it: 20
 * bytes for ECDSA, 64 for BN254, in any case; null for an operator without one. Throws TableMismatchError and the errors of the RPC.
 */
export async function readTableSeat(
  { deployment, key }: { readonly deployment: Deployment; readonly key: Hex | null },
  { rpc }: { readonly rpc: Rpc },
): Promise<TableSeat> {
  const block = await rpc.request(latestBlock());
  const reading = roundWordsAt(deployment.contracts, block, 'storage');
  const [schedule, ...answers] = await rpc.batch([
    storageAt(deployment.contracts.matchPolicy, SCHEDULE_SLOT, block.hash),
    ...reading.calls,
  ]);
  const openRound = openRoundAt(decodeScheduleWord(schedule), block.number);
  const words = reading.read(answers);
  const tables = new OperatorTableReader(deployment, rpc);

  const entryOf = async (round: number): Promise<TableEntryOf | null> => {
    try {
      const { timestamp, totalWeight, entries, verifierMaxAgeSeconds } = await tables.tableOf(round, words, block.hash);
      const recorded = [words.newestTable, words.previousTable]
        .map(({ word }) => decodeTableWord(word))
        .find(({ fromRound }) => fromRound <= round);
      return {
        timestampSeconds: timestamp,
        verifierMaxAgeSeconds,
        fromRound: recorded?.fromRound ?? round,
        operatorCount: entries.length,
        totalWeight,
        weight: entries.find((entry) => entry.key === key?.toLowerCase())?.weight ?? null,
      };
    } catch (error) {
      if (error instanceof NoTableError) return null;
      throw error;
    }
  };
  const newest = decodeTableWord(words.newestTable.word);
  const isComing = newest.tableTimestamp !== 0 && newest.fromRound > openRound;
  return {
    block: { number: block.number, timestampSeconds: block.timestamp },
    openRound,
    open: await entryOf(openRound),
    coming: isComing ? await entryOf(newest.fromRound) : null,
  };
}
