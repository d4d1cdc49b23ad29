import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawParameters {
  readonly tokenId: number;
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Pays free balance out to the account. Never paused, also for revoked tokens; a provider's earnings and released locks are free balance too.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await withdraw(client, { tokenId: 1, amount: 1_000_000n });
 */
export async function withdraw(client: MarketClient, { tokenId, amount }: WithdrawParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.escrow,
    abi: iEscrowAbi,
    functionName: 'withdraw',
    args: [tokenId, amount],
  });
  return writtenBy(receipt);
}
