import { decodeFunctionData, recoverAddress, type Address, type Hex } from 'viem';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import type { Deployment } from '../chain/deployment.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { certificateDigest } from '../protocol/certificate.js';
import { hashMatchBatch } from '../protocol/matchBatch.js';

const SIGNATURE_HEX = 130;

/**
 * Keys that signed the certificate of a settlement, recovered from the transaction's own data, lower case.
 * Throws when there is no such transaction or it is no settlement, and what the RPC throws.
 */
export async function settlementSigners(deployment: Deployment, rpc: Rpc, transactionHash: Hex): Promise<Address[]> {
  const data = await rpc.request({ method: 'eth_getTransactionByHash', params: [transactionHash], decode: inputOf });
  const { functionName, args } = decodeFunctionData({ abi: matchSettlementAbi, data });
  if (functionName !== 'settle') throw new Error(`transaction ${transactionHash} calls ${functionName}`);
  const [batch, , , signatures] = args;
  const messageHash = hashMatchBatch(
    { ...batch, round: Number(batch.round), snapshotBlock: Number(batch.snapshotBlock) },
    { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement },
  );
  const hash = certificateDigest({
    verifier: deployment.eigenlayer.ecdsaCertificateVerifier,
    referenceTimestamp: batch.tableTimestamp,
    messageHash,
  });
  const parts = signatures.slice(2).match(new RegExp(`.{${SIGNATURE_HEX}}`, 'g')) ?? [];
  const signers = await Promise.all(parts.map((part) => recoverAddress({ hash, signature: `0x${part}` })));
  return signers.map((signer) => signer.toLowerCase() as Address);
}

function inputOf(raw: unknown): Hex {
  const input = typeof raw === 'object' && raw !== null && 'input' in raw ? raw.input : undefined;
  if (typeof input !== 'string' || !input.startsWith('0x')) throw new Error('no transaction');
  return input as Hex;
}
