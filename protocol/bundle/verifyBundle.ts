import type { Hex } from 'viem';
import { matchRound } from '../../engine/matchRound.js';
import type { MatchRecord } from '../../engine/record.js';
import { hashMatchBatch } from '../matchBatch.js';
import { hashPolicy } from '../policyHash.js';
import { encodeRecords, hashRecords } from '../records.js';
import { roundSeed } from '../seed.js';
import type { BundleContents } from './decodeBundle.js';
import type { BundleResult } from './matchBundle.js';

/** What the rules make of a bundle, and whether that is what it claims. */
export interface VerifiedBundle extends BundleResult {
  readonly holds: boolean;
  readonly policyHash: Hex;
  readonly records: readonly MatchRecord[];
}

/**
 * Matches a bundle's round anew, from the bundle alone.
 * Throws what `matchRound` throws for a policy or a snapshot that no round can have.
 */
export function verifyBundle({ bundle, snapshot, policy }: BundleContents): VerifiedBundle {
  const records = matchRound(snapshot, policy, roundSeed(snapshot.snapshotHash, snapshot.round));
  const recordsHash = hashRecords(encodeRecords(records));
  const policyHash = hashPolicy(policy);
  const matchCount = records.length;
  const messageHash =
    matchCount === 0
      ? null
      : hashMatchBatch(
          {
            round: bundle.round,
            snapshotBlock: bundle.snapshotBlock,
            snapshotHash: bundle.snapshotHash,
            policyHash,
            operatorSetKey: bundle.operatorSetKey,
            tableTimestamp: bundle.tableTimestamp,
            tableHash: bundle.tableHash,
            recordsHash,
            matchCount,
          },
          { chainId: bundle.chainId, settlement: bundle.settlement },
        );
  const holds =
    matchCount === bundle.matchCount && recordsHash === bundle.recordsHash && messageHash === bundle.messageHash;
  return { holds, policyHash, records, matchCount, recordsHash, messageHash };
}
