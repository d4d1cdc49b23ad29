import type { Hex } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { MatchmakerError } from '../../engine/error.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import { requireAccount, type MarketClient } from '../marketClient.js';
import { getRight } from './getRight.js';
import type { MarketCall } from './marketCall.js';

export interface ScheduleCallParameters {
  /** From `marketCall`. */
  readonly call: MarketCall;
  /** When it can be executed, seconds since 1970; left out as early as the role's delay allows. */
  readonly atSeconds?: number;
}

export interface ScheduleCallReturnType extends Written {
  /** Names the operation for `executeOperation` and `cancelOperation`. */
  readonly operationId: Hex;
  /** Seconds since 1970. */
  readonly executableAtSeconds: number;
}

/** The account's role has no delay for this call. */
export class NoDelayError extends MatchmakerError<'CALL_NEEDS_NO_DELAY'> {
  constructor(call: MarketCall) {
    super(
      'CALL_NEEDS_NO_DELAY',
      `${call.contract}.${call.functionName}: the account's role acts without delay, nothing is to be scheduled; call it`,
      { metadata: { contract: call.contract, functionName: call.functionName } },
    );
  }
}

/**
 * Schedules a call that the account's role may make only after a delay.
 * Throws NoDelayError where the role has none, and the errors of `writeMarket`.
 *
 * @example
 * const call = marketCall(client, { contract: 'orderRequest', functionName: 'setBidWindowBlocks', args: [40] });
 * const { operationId, executableAtSeconds } = await scheduleCall(client, { call });
 */
export async function scheduleCall(
  client: MarketClient,
  { call, atSeconds = 0 }: ScheduleCallParameters,
): Promise<ScheduleCallReturnType> {
  const account = requireAccount(client, 'scheduleCall');
  if ((await getRight(client, { account, call })).may === 'at-once') throw new NoDelayError(call);
  const authority = { address: client.contracts.accessManager, abi: marketAuthorityAbi } as const;
  const receipt = await writeMarket(client, {
    ...authority,
    functionName: 'schedule',
    args: [call.target, call.data, atSeconds],
  });
  const { operationId, schedule } = eventOf(receipt, { ...authority, eventName: 'OperationScheduled' });
  return { ...writtenBy(receipt), operationId, executableAtSeconds: schedule };
}
