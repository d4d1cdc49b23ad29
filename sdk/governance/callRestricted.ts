import { MatchmakerError } from '../../engine/error.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import { requireAccount, type MarketClient } from '../marketClient.js';
import { getRight } from './getRight.js';
import { callsOf, type MarketCall } from './marketCall.js';

export interface CallRestrictedParameters {
  /** From `marketCall`. */
  readonly call: MarketCall;
}

/** The account's role may make this call only after a delay. */
export class DelayNeededError extends MatchmakerError<'CALL_NEEDS_DELAY'> {
  constructor(call: MarketCall, delaySeconds: number) {
    super(
      'CALL_NEEDS_DELAY',
      `${call.contract}.${call.functionName}: the account's role acts after a delay of ${delaySeconds} s; schedule the call, and execute it then`,
      { metadata: { contract: call.contract, functionName: call.functionName, delaySeconds } },
    );
  }
}

/**
 * Makes a call of a market contract that the account's role allows without delay.
 * Throws DelayNeededError where the role has a delay, and the errors of `writeMarket`.
 *
 * @example
 * const call = marketCall(client, { contract: 'tokenRegistry', functionName: 'revokeToken', args: [2] });
 * await callRestricted(client, { call });
 */
export async function callRestricted(client: MarketClient, { call }: CallRestrictedParameters): Promise<Written> {
  const right = await getRight(client, { account: requireAccount(client, 'callRestricted'), call });
  if (right.may === 'after-delay') throw new DelayNeededError(call, right.delaySeconds);
  const receipt = await writeMarket(client, {
    address: call.target,
    abi: callsOf(call.contract),
    functionName: call.functionName,
    args: call.args,
  });
  return writtenBy(receipt);
}
