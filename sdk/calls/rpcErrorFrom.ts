import { BaseError, HttpRequestError, InsufficientFundsError, RpcRequestError, TimeoutError } from 'viem';
import { RpcAnswerError, RpcUnavailableError } from '../../chain/rpc/rpc.js';
import { MatchmakerError } from '../../engine/error.js';

/** The account cannot pay for the gas of its transaction. */
export class GasFundsMissingError extends MatchmakerError<'GAS_FUNDS_MISSING'> {
  constructor(action: string, cause: unknown) {
    super(
      'GAS_FUNDS_MISSING',
      `${action}: the account has not enough of the chain's own coin to pay for gas; fund it`,
      {
        metadata: { action },
        cause,
      },
    );
  }
}

/**
 * What went wrong between the client and its node, as a typed error; errors that are typed already stay as they are.
 * The node's URL is never part of the message, because hosted nodes carry keys in theirs.
 */
export function rpcErrorFrom(error: unknown, action: string): MatchmakerError {
  if (error instanceof MatchmakerError) return error;
  if (!(error instanceof BaseError)) {
    return new RpcAnswerError(`${action}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (find(error, InsufficientFundsError) !== null) return new GasFundsMissingError(action, error);
  const http = find(error, HttpRequestError);
  if (http !== null) {
    const reason =
      http.status === undefined ? 'the RPC cannot be reached; check its URL' : `the RPC answered HTTP ${http.status}`;
    return new RpcUnavailableError(`${action}: ${reason}`, { metadata: { action }, cause: error });
  }
  if (find(error, TimeoutError) !== null) {
    return new RpcUnavailableError(`${action}: the RPC gave no answer in time`, { metadata: { action }, cause: error });
  }
  const answer = find(error, RpcRequestError);
  return new RpcAnswerError(`${action}: ${answer?.details ?? error.shortMessage}`, {
    rpcCode: answer?.code ?? 0,
    metadata: { action },
    cause: error,
  });
}

function find<Kind extends BaseError>(error: BaseError, kind: abstract new (...args: never[]) => Kind): Kind | null {
  const found = error.walk((cause) => cause instanceof kind);
  return found instanceof kind ? found : null;
}
