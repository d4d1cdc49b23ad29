import { encodeFunctionData, hexToBigInt, type Abi, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import type { Deployment } from '../chain/deployment.js';
import { TRANSACTION_GAS_CAP } from '../chain/rpc/gasLimit.js';
import type { RoundContext } from '../chain/sync/roundFollower.js';
import type { MatchRecord } from '../engine/record.js';
import { bn254PublicKey, bn254Sign } from '../protocol/bn254Key.js';
import { encodeG1, encodeG2 } from '../protocol/bn254Points.js';
import { encodeCertificate, quorumDigest, type CertificateVote } from '../protocol/certificate.js';
import type { Curve } from '../protocol/operatorTable.js';
import { policyStructOf } from '../protocol/policyStruct.js';

/** A settlement of a round that is ready to be sent. */
export interface SignedSettlement {
  readonly messageHash: Hex;
  readonly transaction: {
    readonly to: Address;
    readonly data: Hex;
    readonly gasLimit: bigint;
    readonly label: string;
    readonly errorsAbi: Abi;
  };
}

/**
 * The settlement of a round with these records, whatever the rules say of them, certified by these keys of operators.
 * Throws the errors of `encodeCertificate`.
 */
export async function signedSettlement(
  deployment: Deployment,
  context: RoundContext,
  records: readonly MatchRecord[],
  signingKeys: readonly Hex[],
): Promise<SignedSettlement> {
  const { chainId, contracts, quorum } = deployment;
  const domain = { chainId, settlement: contracts.matchSettlement };
  const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, domain);
  const digest = quorumDigest(quorum, { referenceTimestamp: context.table.timestamp, messageHash });
  const votes = await Promise.all(signingKeys.map((key) => vote(quorum.curve, key, digest)));
  return {
    messageHash,
    transaction: {
      to: contracts.matchSettlement,
      data: encodeFunctionData({
        abi: matchSettlementAbi,
        functionName: 'settle',
        args: [
          { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) },
          policyStructOf(context.policy),
          recordsHex,
          encodeCertificate(quorum, context.table.entries, votes),
        ],
      }),
      gasLimit: TRANSACTION_GAS_CAP,
      label: `settle round ${context.round}`,
      errorsAbi: matchSettlementAbi,
    },
  };
}

async function vote(curve: Curve, privateKey: Hex, digest: Hex): Promise<CertificateVote> {
  if (curve === 'ecdsa') {
    const account = privateKeyToAccount(privateKey);
    return { signer: account.address, signature: await account.sign({ hash: digest }) };
  }
  const scalar = hexToBigInt(privateKey);
  const { g1, g2 } = bn254PublicKey(scalar);
  return { signer: encodeG1(g1), g2: encodeG2(g2), signature: encodeG1(bn254Sign(scalar, digest)) };
}
