import type { Address } from 'viem';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface GetBalanceParameters {
  readonly account: Address;
  readonly tokenId: number;
}

/** What an account has in the escrow, in units of the token. */
export interface GetBalanceReturnType {
  /** Free: may be locked for orders and withdrawn. */
  readonly balance: bigint;
  /** Held as bonds of bids. */
  readonly bonds: bigint;
  /** The sponsor whose funds the account's next orders use first, null for none. */
  readonly sponsor: Address | null;
  /** What that sponsor has left for this account; only the sponsor can withdraw it. */
  readonly sponsored: bigint;
}

const NOBODY: Address = '0x0000000000000000000000000000000000000000';

/**
 * What an account has in the escrow in one token. What is locked for its orders is not part of it.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { balance } = await getBalance(client, { account: '0x…', tokenId: 1 });
 */
export async function getBalance(
  client: MarketClient,
  { account, tokenId }: GetBalanceParameters,
): Promise<GetBalanceReturnType> {
  const contract = { address: client.contracts.escrow, abi: iEscrowAbi } as const;
  const [balance, bonds, sponsor] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'balanceOf', args: [account, tokenId] }),
    readMarket(client, { ...contract, functionName: 'bondsOf', args: [account, tokenId] }),
    readMarket(client, { ...contract, functionName: 'sponsorOf', args: [account] }),
  ]);
  if (sponsor === NOBODY) return { balance, bonds, sponsor: null, sponsored: 0n };
  const sponsored = await readMarket(client, {
    ...contract,
    functionName: 'sponsoredBalanceOf',
    args: [account, sponsor, tokenId],
  });
  return { balance, bonds, sponsor, sponsored };
}
