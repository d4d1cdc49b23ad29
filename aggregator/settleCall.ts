import { encodeFunctionData, size, type Hex } from 'viem';

import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { joinSignatures } from '../protocol/certificate.js';
import type { Certificate } from './roundPool.js';

/** Most gas one transaction may name (EIP-7825). */
export const TRANSACTION_GAS_CAP = 16_777_216n;
/** Fixed part of a settlement: its own words, the verifier's reads, the log. */
const FIXED_GAS = 400_000n;
/** One key of the operator table: reading it from the verifier, and recovering its signature. */
const GAS_PER_OPERATOR = 60_000n;
/** One record at its dearest: cold words, both offers read, the log. */
const GAS_PER_MATCH = 30_000n;
/** A calldata byte at the floor price of EIP-7623. */
const GAS_PER_BYTE = 40n;

/** Calldata of MatchSettlement.settle for a certificate, and a gas limit that holds for any outcome of its records. */
export function settleCall(certificate: Certificate): { data: Hex; gasLimit: bigint } {
  const { terms, votes } = certificate;
  const submission = votes[0]?.submission;
  if (submission === undefined) throw new RangeError('a certificate without votes');
  const { batch, records } = submission;
  const signatures = joinSignatures(
    votes.map((vote) => ({ signer: vote.signer, signature: vote.submission.signature })),
  );
  const data = encodeFunctionData({
    abi: matchSettlementAbi,
    functionName: 'settle',
    args: [
      { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) },
      { ...terms.policy, jitterRange: BigInt(terms.policy.jitterRange) },
      records,
      signatures,
    ],
  });
  const gas =
    FIXED_GAS +
    GAS_PER_OPERATOR * BigInt(terms.table.entries.length) +
    GAS_PER_MATCH * BigInt(batch.matchCount) +
    GAS_PER_BYTE * BigInt(size(data));
  return { data, gasLimit: gas < TRANSACTION_GAS_CAP ? gas : TRANSACTION_GAS_CAP };
}
