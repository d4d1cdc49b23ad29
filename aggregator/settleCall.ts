import { encodeFunctionData, size, type Hex } from 'viem';

import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { TRANSACTION_GAS_CAP } from '../chain/rpc/gasLimit.js';
import { encodeCertificate, type QuorumKind } from '../protocol/certificate.js';
import { policyStructOf } from '../protocol/policyStruct.js';
import type { Certificate } from './roundPool.js';

/** Fixed part of a settlement: its own words, the quorum verifier's reads and pairing, the log. */
const FIXED_GAS = 700_000n;
/**
 * One operator of the table: recovering its signature or adding its key. EigenLayer's verifiers look every signer up in storage, or have
 * a BN254 operator that did not sign proven to them.
 */
const GAS_PER_OPERATOR = { table: 6_000n, eigenlayer: 140_000n } as const;
/** One record at its dearest: cold words, both offers read, the log. */
const GAS_PER_MATCH = 30_000n;
/** A calldata byte at the floor price of EIP-7623. */
const GAS_PER_BYTE = 40n;

/** Calldata of MatchSettlement.settle for a certificate, and a gas limit that holds for any outcome of its records. */
export function settleCall(certificate: Certificate, quorum: QuorumKind): { data: Hex; gasLimit: bigint } {
  const { terms, votes } = certificate;
  const submission = votes[0]?.submission;
  if (submission === undefined) throw new RangeError('a certificate without votes');
  const { batch, records } = submission;
  const signed = votes.map(({ signer, submission: { signer: key, signature } }) => ({
    // A BN254 key stands in the table, and in the submission, as the point it is.
    signer: key?.g1 ?? signer,
    g2: key?.g2,
    signature,
  }));
  const data = encodeFunctionData({
    abi: matchSettlementAbi,
    functionName: 'settle',
    args: [
      { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) },
      policyStructOf(terms.policy),
      records,
      encodeCertificate(quorum, terms.table.entries, signed),
    ],
  });
  const gas =
    FIXED_GAS +
    GAS_PER_OPERATOR[quorum.checkedBy] * BigInt(terms.table.entries.length) +
    GAS_PER_MATCH * BigInt(batch.matchCount) +
    GAS_PER_BYTE * BigInt(size(data));
  return { data, gasLimit: gas < TRANSACTION_GAS_CAP ? gas : TRANSACTION_GAS_CAP };
}
