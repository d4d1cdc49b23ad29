import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawBidParameters {
  readonly orderId: number;
  readonly providerId: number;
}

export interface WithdrawBidReturnType extends Written {
  /** First round that no longer counts the bid. */
  readonly untilRound: number;
}

/**
 * Ends a bid from the next round on; the open round may still match it. Only the provider's owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await withdrawBid(client, { orderId: 7, providerId: 2 });
 */
export async function withdrawBid(
  client: MarketClient,
  { orderId, providerId }: WithdrawBidParameters,
): Promise<WithdrawBidReturnType> {
  const contract = { address: client.contracts.bid, abi: iBidAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'withdrawBid', args: [orderId, providerId] });
  const { untilRound } = eventOf(receipt, { ...contract, eventName: 'BidWithdrawn' });
  return { ...writtenBy(receipt), untilRound };
}
