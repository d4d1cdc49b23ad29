import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { MarketClient } from '../marketClient.js';
import { listOperations, type Operation } from './listOperations.js';

/** No such operation is pending. */
export class OperationUnknownError extends MatchmakerError<'OPERATION_UNKNOWN'> {
  constructor(operationId: Hex) {
    super(
      'OPERATION_UNKNOWN',
      `operation ${operationId} is not pending: it was executed, cancelled or never scheduled, or it has lapsed; list what is pending`,
      { metadata: { operationId } },
    );
  }
}

/**
 * A pending operation by its id.
 * Throws OperationUnknownError and the errors of `readMarket`.
 *
 * @example
 * const { executableAtSeconds } = await getOperation(client, { operationId });
 */
export async function getOperation(
  client: MarketClient,
  { operationId }: { readonly operationId: Hex },
): Promise<Operation> {
  const pending = await listOperations(client);
  const found = pending.find((operation) => operation.operationId.toLowerCase() === operationId.toLowerCase());
  if (found === undefined) throw new OperationUnknownError(operationId);
  return found;
}
