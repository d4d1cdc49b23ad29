import { isAddressEqual, zeroAddress, zeroHash, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import type { Deployment } from '../deployment.js';
import type { Receipt } from '../rpc/rpcCall.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** Consent to one delegation by an operator's approver. */
export interface DelegationApproval {
  readonly signature: Hex;
  /** Seconds since 1970; refused afterwards. */
  readonly expirySeconds: number;
  /** Good for one delegation of this approver. */
  readonly salt: Hex;
}

/** Who stands behind whom. */
export interface DelegationTarget {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'delegationManager'>;
  readonly operator: Address;
  /** For an operator that has an approver, unless the account is it. */
  readonly approval?: DelegationApproval;
}

/** The restaker already stands behind another operator. */
export class DelegatedElsewhereError extends MatchmakerError<'DELEGATED_ELSEWHERE'> {
  constructor(restaker: Address, operator: Address, wanted: Address) {
    super(
      'DELEGATED_ELSEWHERE',
      `${restaker} delegates to ${operator}, not to ${wanted}: undelegate first or use another account`,
      { metadata: { restaker, operator, wanted } },
    );
  }
}

/** Nobody registered this account as an operator. */
export class NotAnOperatorError extends MatchmakerError<'NOT_AN_OPERATOR'> {
  constructor(account: Address) {
    super(
      'NOT_AN_OPERATOR',
      `${account} is no operator of this EigenLayer: \`matchmaker restake risk\` lists those of the set`,
      { metadata: { account } },
    );
  }
}

/** The operator takes stake only with its approver's consent. */
export class ApprovalNeededError extends MatchmakerError<'APPROVAL_NEEDED'> {
  constructor(operator: Address, approver: Address, restaker: Address) {
    super(
      'APPROVAL_NEEDED',
      `operator ${operator} takes stake only with the consent of ${approver}: ask for the file that ` +
        `\`matchmaker restake approve ${restaker} --operator ${operator}\` prints there, and name it with --approval`,
      { metadata: { operator, approver, restaker } },
    );
  }
}

/**
 * Delegates all stake of the lane's account, present and future, to an operator. Returns the receipt, null when it did already.
 * Throws DelegatedElsewhereError, NotAnOperatorError, ApprovalNeededError, EigenCallRevertedError, TransactionRevertedError
 * and the errors of the RPC.
 */
export async function delegateTo(target: DelegationTarget, dependencies: EigenDependencies): Promise<Receipt | null> {
  const { lane, rpc } = dependencies;
  const { operator, approval } = target;
  const manager = { address: target.eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const current = await readEigen(rpc, { ...manager, functionName: 'delegatedTo', args: [lane.address] });
  if (isAddressEqual(current, operator)) return null;
  if (current !== zeroAddress) throw new DelegatedElsewhereError(lane.address, current, operator);
  if (!(await readEigen(rpc, { ...manager, functionName: 'isOperator', args: [operator] }))) {
    throw new NotAnOperatorError(operator);
  }
  const approver = await readEigen(rpc, { ...manager, functionName: 'delegationApprover', args: [operator] });
  if (approval === undefined && approver !== zeroAddress && !isAddressEqual(approver, lane.address)) {
    throw new ApprovalNeededError(operator, approver, lane.address);
  }
  const signature = { signature: approval?.signature ?? '0x', expiry: BigInt(approval?.expirySeconds ?? 0) } as const;
  return writeEigen(lane, {
    ...manager,
    functionName: 'delegateTo',
    args: [operator, signature, approval?.salt ?? zeroHash],
  });
}
