import type { Address } from 'viem';
import { matchmakerRegistrarAbi } from '../contracts/generated/MatchmakerRegistrar.js';
import type { Rpc } from '../rpc/rpc.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** The socket that our registrar publishes for an operator; empty when it never joined. Throws the errors of the RPC. */
export function readSocket(
  { registrar, operator }: { readonly registrar: Address; readonly operator: Address },
  { rpc }: { readonly rpc: Rpc },
): Promise<string> {
  return readEigen(rpc, {
    address: registrar,
    abi: matchmakerRegistrarAbi,
    functionName: 'getOperatorSocket',
    args: [operator],
  });
}

/**
 * Publishes another socket for an operator, unless it is that already. Returns whether it was done now.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function updateSocket(
  change: { readonly registrar: Address; readonly operator: Address; readonly socket: string },
  { lane, rpc }: EigenDependencies,
): Promise<boolean> {
  if ((await readSocket(change, { rpc })) === change.socket) return false;
  await writeEigen(lane, {
    address: change.registrar,
    abi: matchmakerRegistrarAbi,
    functionName: 'updateSocket',
    args: [change.operator, change.socket],
  });
  return true;
}
