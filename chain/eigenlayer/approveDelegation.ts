import { isAddressEqual, type Address, type Hex, type PrivateKeyAccount } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import type { DelegationApproval } from './delegateTo.js';
import { readEigen } from './eigenCall.js';

/** A restaker's wish to stand behind an operator, and the terms of the consent. */
export interface ApprovalRequest {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'delegationManager'>;
  readonly restaker: Address;
  readonly operator: Address;
  /** Seconds since 1970. */
  readonly expirySeconds: number;
  /** Any 32 bytes that the approver has not used yet. */
  readonly salt: Hex;
}

/** The key is not the operator's approver's. */
export class NotApproverError extends MatchmakerError<'NOT_APPROVER'> {
  constructor(operator: Address, approver: Address, account: Address) {
    super(
      'NOT_APPROVER',
      `the approver of operator ${operator} is ${approver}, not ${account}: sign with its key` +
        (BigInt(approver) === 0n ? ' (zero means that anyone may delegate without consent)' : ''),
      { metadata: { operator, approver, account } },
    );
  }
}

/** Signs an approver's consent to one delegation. Throws NotApproverError, EigenCallRevertedError and the errors of the RPC. */
export async function approveDelegation(
  request: ApprovalRequest,
  { account, rpc }: { readonly account: Pick<PrivateKeyAccount, 'address' | 'sign'>; readonly rpc: Rpc },
): Promise<DelegationApproval> {
  const { restaker, operator, expirySeconds, salt } = request;
  const manager = { address: request.eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const approver = await readEigen(rpc, { ...manager, functionName: 'delegationApprover', args: [operator] });
  if (!isAddressEqual(approver, account.address)) throw new NotApproverError(operator, approver, account.address);
  const hash = await readEigen(rpc, {
    ...manager,
    functionName: 'calculateDelegationApprovalDigestHash',
    args: [restaker, operator, approver, salt, BigInt(expirySeconds)],
  });
  return { signature: await account.sign({ hash }), expirySeconds, salt };
}
