import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import type { Address } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawSponsoredParameters {
  readonly tokenId: number;
  /** The sponsored account. */
  readonly account: Address;
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Takes what the account gave to another one, and what is not locked, back to the account.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await withdrawSponsored(client, { tokenId: 1, account: '0x…', amount: 1_000_000n });
 */
export async function withdrawSponsored(
  client: MarketClient,
  { tokenId, account, amount }: WithdrawSponsoredParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.escrow,
    abi: iEscrowAbi,
    functionName: 'withdrawSponsored',
    args: [tokenId, account, amount],
  });
  return writtenBy(receipt);
}
