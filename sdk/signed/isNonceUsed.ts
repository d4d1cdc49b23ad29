import { iSignedCallsAbi } from '../../chain/contracts/generated/ISignedCalls.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import type { AuthorizedCall } from './signedCalls.js';

/**
 * Whether the nonce of a signed call is used up: somebody has sent it, or another call with the same nonce.
 * Throws the errors of `readMarket`.
 *
 * @example
 * if (!(await isNonceUsed(client, signed))) await sendSignedCall(client, signed);
 */
export async function isNonceUsed(
  client: MarketClient,
  { authorization: { tenant, nonce } }: Pick<AuthorizedCall, 'authorization'>,
): Promise<boolean> {
  const next = await readMarket(client, {
    address: client.contracts.signedCalls,
    abi: iSignedCallsAbi,
    functionName: 'nonces',
    args: [tenant, nonce >> 64n],
  });
  return next > nonce;
}
