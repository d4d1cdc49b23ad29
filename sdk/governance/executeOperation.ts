import { isAddressEqual, type Hex } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { MatchmakerError } from '../../engine/error.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import { requireAccount, type MarketClient } from '../marketClient.js';
import { getOperation } from './getOperation.js';
import type { Operation } from './listOperations.js';

export interface ExecuteOperationParameters {
  readonly operationId: Hex;
}

export interface ExecuteOperationReturnType extends Written {
  readonly operation: Operation;
}

/** Only who scheduled an operation may execute it. */
export class NotOperationCallerError extends MatchmakerError<'NOT_OPERATION_CALLER'> {
  constructor({ operationId, caller }: Operation) {
    super('NOT_OPERATION_CALLER', `operation ${operationId} was scheduled by ${caller}; sign with that account`, {
      metadata: { operationId, caller },
    });
  }
}

/**
 * Executes an operation whose delay is over. Only the account that scheduled it.
 * Throws OperationUnknownError, NotOperationCallerError and the errors of `writeMarket`, those of the executed call included.
 *
 * @example
 * await executeOperation(client, { operationId });
 */
export async function executeOperation(
  client: MarketClient,
  { operationId }: ExecuteOperationParameters,
): Promise<ExecuteOperationReturnType> {
  const account = requireAccount(client, 'executeOperation');
  const operation = await getOperation(client, { operationId });
  if (!isAddressEqual(account, operation.caller)) throw new NotOperationCallerError(operation);
  const receipt = await writeMarket(client, {
    address: client.contracts.accessManager,
    abi: marketAuthorityAbi,
    functionName: 'execute',
    args: [operation.target, operation.data],
  });
  return { ...writtenBy(receipt), operation };
}
