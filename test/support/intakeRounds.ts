import { numberToHex, type Hex } from 'viem';

import type { RoundContext } from '../../chain/sync/roundFollower.js';
import { Market } from '../../engine/market.js';
import { PLAIN_POLICY } from '../../engine/reference/plainRound.js';
import type { MatchBatch } from '../../protocol/matchBatch.js';
import { hashTable, totalWeight, type TableEntry } from '../../protocol/operatorTable.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { encodeRecords, hashRecords } from '../../protocol/records.js';

/** The market whose signatures an intake takes. */
export const INTAKE_DOMAIN = {
  chainId: 31_337,
  settlement: '0x00000000000000000000000000000000000000aa',
  verifier: '0x00000000000000000000000000000000000000ee',
} as const;

const operatorSetKey: Hex = `0x${'0b'.repeat(32)}`;
const policy = { ...PLAIN_POLICY, maxTableAgeSeconds: 86_400 };

/** 32 bytes made of a number. */
export function hashOf(seed: number): Hex {
  return numberToHex(seed, { size: 32 });
}

/** Records of one machine for each order. */
export function recordsOf(orderIds: readonly number[]): Hex {
  return encodeRecords(
    orderIds.map((orderId) => ({
      orderId,
      machineId: 1,
      priceMicroPerHour: 5,
      deviceMask: 0,
      milliGpu: 0,
      cpuMilli: 100,
      memoryMib: 10,
      storageGib: 0,
      offerIndex: 0,
      fromBid: false,
      tokenId: 1,
      providerId: 1,
      bidIndex: 0,
    })),
  );
}

/** Rounds that a table of operators signs, each with its own snapshot, and batches that fit them. */
export class IntakeRounds {
  readonly #table: RoundContext['table'];

  constructor(entries: readonly TableEntry[]) {
    this.#table = {
      timestamp: 1_000,
      hash: hashTable(entries),
      totalWeight: totalWeight(entries),
      entries,
      verifierMaxAgeSeconds: null,
    };
  }

  /** A round as the chain delivers it; its snapshot is block 100 + 8 x round. */
  context(round: number, snapshotHash: Hex = hashOf(round)): RoundContext {
    const snapshotBlock = 100 + round * 8;
    return {
      round,
      snapshotBlock,
      nextSnapshotBlock: snapshotBlock + 8,
      snapshot: {
        round,
        blockNumber: snapshotBlock,
        snapshotHash,
        timestampSeconds: 1,
        orders: [],
        bids: new Map(),
        market: new Market(),
      },
      policy,
      policyHash: hashPolicy(policy),
      seed: hashOf(1),
      table: this.#table,
      lastSettledRound: 0,
      operatorSetKey,
      openOrderCount: 1,
    };
  }

  /** A batch that fits the round but for `changes`. */
  batch(
    round: number,
    orderIds: readonly number[] = [1, 2],
    changes: Partial<MatchBatch> = {},
  ): { batch: MatchBatch; records: Hex } {
    const records = recordsOf(orderIds);
    const context = this.context(round);
    return {
      records,
      batch: {
        round,
        snapshotBlock: context.snapshotBlock,
        snapshotHash: context.snapshot.snapshotHash,
        policyHash: context.policyHash,
        operatorSetKey,
        tableTimestamp: this.#table.timestamp,
        tableHash: this.#table.hash,
        recordsHash: hashRecords(records),
        matchCount: orderIds.length,
        ...changes,
      },
    };
  }
}
