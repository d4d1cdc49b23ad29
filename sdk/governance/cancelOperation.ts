import type { Hex } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { getOperation } from './getOperation.js';
import type { Operation } from './listOperations.js';

export interface CancelOperationParameters {
  readonly operationId: Hex;
}

export interface CancelOperationReturnType extends Written {
  readonly operation: Operation;
}

/**
 * Cancels a pending operation. The account that scheduled it, the guardian of its role, or an administrator.
 * Throws OperationUnknownError and the errors of `writeMarket`.
 *
 * @example
 * await cancelOperation(client, { operationId });
 */
export async function cancelOperation(
  client: MarketClient,
  { operationId }: CancelOperationParameters,
): Promise<CancelOperationReturnType> {
  const operation = await getOperation(client, { operationId });
  const receipt = await writeMarket(client, {
    address: client.contracts.accessManager,
    abi: marketAuthorityAbi,
    functionName: 'cancel',
    args: [operation.caller, operation.target, operation.data],
  });
  return { ...writtenBy(receipt), operation };
}
