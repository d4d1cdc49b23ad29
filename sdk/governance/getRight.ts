import type { Address } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { selectorOf, type MarketCall } from './marketCall.js';

/** Whether an account may make a call. */
export type Right =
  | { readonly may: 'at-once' }
  | { readonly may: 'after-delay'; readonly delaySeconds: number }
  | { readonly may: 'not' };

/** The administrator's role, which also rules the authority itself. */
const ADMIN = 0n;

/**
 * Whether an account may make a call of a market contract: at once, after it was scheduled and a delay, or not at all.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const right = await getRight(client, { account, call });
 */
export async function getRight(
  client: MarketClient,
  { account, call }: { readonly account: Address; readonly call: MarketCall },
): Promise<Right> {
  const authority = { address: client.contracts.accessManager, abi: marketAuthorityAbi } as const;
  if (call.contract !== 'accessManager') {
    const [atOnce, delaySeconds] = await readMarket(client, {
      ...authority,
      functionName: 'canCall',
      args: [account, call.target, selectorOf(call)],
    });
    if (atOnce) return { may: 'at-once' };
    return delaySeconds === 0 ? { may: 'not' } : { may: 'after-delay', delaySeconds };
  }
  // The authority does not say this about its own functions.
  const [first] = call.args;
  const isOfRole = call.functionName === 'grantRole' || call.functionName === 'revokeRole';
  const role =
    isOfRole && typeof first === 'bigint'
      ? await readMarket(client, { ...authority, functionName: 'getRoleAdmin', args: [first] })
      : ADMIN;
  const [isMember, delaySeconds] = await readMarket(client, {
    ...authority,
    functionName: 'hasRole',
    args: [role, account],
  });
  if (!isMember) return { may: 'not' };
  return delaySeconds === 0 ? { may: 'at-once' } : { may: 'after-delay', delaySeconds };
}
