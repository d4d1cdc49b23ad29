import type { Address } from 'viem';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';
import { getToken } from '../tokens/listTokens.js';

export interface SponsorAccountsParameters {
  readonly tokenId: number;
  /** Token units for each account. */
  readonly amount: bigint;
  /** At most 16. */
  readonly accounts: readonly Address[];
}

/**
 * Deposits `amount` for each of some accounts: they can lock it for their orders once they chose this sponsor, and only the
 * sponsor can withdraw what is not locked. Approves the escrow for the sum first where needed.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await sponsorAccounts(client, { tokenId: 1, amount: 5_000_000n, accounts: ['0x…'] });
 */
export async function sponsorAccounts(
  client: MarketClient,
  { tokenId, amount, accounts }: SponsorAccountsParameters,
): Promise<Written> {
  const { address } = await getToken(client, { tokenId });
  const sum = amount * BigInt(accounts.length);
  await ensureAllowance(client, { token: address, spender: client.contracts.escrow, amount: sum });
  const receipt = await writeMarket(client, {
    address: client.contracts.escrow,
    abi: iEscrowAbi,
    functionName: 'depositFor',
    args: [tokenId, amount, accounts],
  });
  return writtenBy(receipt);
}
