import type { Hex } from 'viem';
import { unpackTable } from '../../protocol/operatorTable.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import { iQuorumVerifierAbi } from '../contracts/generated/IQuorumVerifier.js';
import type { Deployment } from '../deployment.js';
import { viewCall } from '../rewards/viewCall.js';
import type { RpcCall } from '../rpc/rpcCall.js';

/**
 * The entries of the table that the quorum verifier keeps for `timestamp` (seconds), as of the block `at`; none for a table it does not
 * have. Decoding throws TableMalformedError for bytes that are no table.
 */
export function tableEntriesCall(
  { quorum }: Pick<Deployment, 'quorum'>,
  timestamp: number,
  at: Hex,
): RpcCall<TableEntry[]> {
  const call = viewCall(
    { address: quorum.verifier, abi: iQuorumVerifierAbi, functionName: 'tableEntries', args: [timestamp] },
    at,
  );
  return { ...call, decode: (raw) => unpackTable(quorum.curve, call.decode(raw)) };
}
