import type { Address, Hex } from 'viem';
import type { MatchRecord } from '../engine/record.js';
import { hashMatchBatch } from '../protocol/matchBatch.js';
import type { MatchBatch } from '../protocol/matchBatch.js';
import { encodeRecords, hashRecords } from '../protocol/records.js';
import type { RoundContext } from './sync/roundFollower.js';

/** What operators sign for a round, from its state at B(r) and the records the engine found; messageHash is the EIP-712 digest they certify. */
export function buildMatchBatch(
  context: Pick<RoundContext, 'round' | 'snapshotBlock' | 'snapshot' | 'policyHash' | 'operatorSetKey' | 'table'>,
  records: readonly MatchRecord[],
  domain: { readonly chainId: number; readonly settlement: Address },
): { batch: MatchBatch; recordsHex: Hex; messageHash: Hex } {
  const recordsHex = encodeRecords(records);
  const batch: MatchBatch = {
    round: context.round,
    snapshotBlock: context.snapshotBlock,
    snapshotHash: context.snapshot.snapshotHash,
    policyHash: context.policyHash,
    operatorSetKey: context.operatorSetKey,
    tableTimestamp: context.table.timestamp,
    tableHash: context.table.hash,
    recordsHash: hashRecords(recordsHex),
    matchCount: records.length,
  };
  return { batch, recordsHex, messageHash: hashMatchBatch(batch, domain) };
}
