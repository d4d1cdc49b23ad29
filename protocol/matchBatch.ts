import { hashTypedData } from 'viem';
import type { Address, Hex } from 'viem';

/** What operators sign for one round. */
export interface MatchBatch {
  readonly round: number;
  readonly snapshotBlock: number;
  readonly snapshotHash: Hex;
  readonly policyHash: Hex;
  readonly operatorSetKey: Hex;
  /** Reference timestamp of the operator table, seconds. */
  readonly tableTimestamp: number;
  readonly tableHash: Hex;
  readonly recordsHash: Hex;
  readonly matchCount: number;
}

/** The settlement contract that a batch is for. */
export interface MatchBatchDomain {
  readonly chainId: number;
  readonly settlement: Address;
}

/** EIP-712 fields of a batch, in order. */
export const matchBatchTypes = {
  MatchBatch: [
    { name: 'round', type: 'uint64' },
    { name: 'snapshotBlock', type: 'uint64' },
    { name: 'snapshotHash', type: 'bytes32' },
    { name: 'policyHash', type: 'bytes32' },
    { name: 'operatorSetKey', type: 'bytes32' },
    { name: 'tableTimestamp', type: 'uint32' },
    { name: 'tableHash', type: 'bytes32' },
    { name: 'recordsHash', type: 'bytes32' },
    { name: 'matchCount', type: 'uint32' },
  ],
} as const;

/** messageHash: the EIP-712 digest of a batch in the settlement contract's domain ('Matchmaker', '1'). */
export function hashMatchBatch(batch: MatchBatch, domain: MatchBatchDomain): Hex {
  return hashTypedData({
    domain: { name: 'Matchmaker', version: '1', chainId: domain.chainId, verifyingContract: domain.settlement },
    types: matchBatchTypes,
    primaryType: 'MatchBatch',
    message: { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) },
  });
}
