import { erc20Abi, type Address } from 'viem';
import { iTokenRegistryAbi } from '../../chain/contracts/generated/ITokenRegistry.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

/** A payment token of the market. */
export interface MarketToken {
  readonly tokenId: number;
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  /** Least deposit, token units. */
  readonly minimumDeposit: bigint;
  /** False for a revoked one: nothing new in it, withdrawals go on. */
  readonly approved: boolean;
}

/**
 * The payment tokens of the market, by ascending id.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const [token] = await listTokens(client);
 */
export async function listTokens(client: MarketClient): Promise<readonly MarketToken[]> {
  const count = await readMarket(client, {
    address: client.contracts.tokenRegistry,
    abi: iTokenRegistryAbi,
    functionName: 'tokenCount',
    args: [],
  });
  return Promise.all(Array.from({ length: count }, (_, index) => getToken(client, { tokenId: index + 1 })));
}

/**
 * One payment token by its id.
 * Throws MarketCallRefusedError `TokenNotFound`, and the errors of `readMarket`.
 *
 * @example
 * const { symbol, decimals } = await getToken(client, { tokenId: 1 });
 */
export async function getToken(client: MarketClient, { tokenId }: { readonly tokenId: number }): Promise<MarketToken> {
  const [address, decimals, minimumDeposit, approved] = await readMarket(client, {
    address: client.contracts.tokenRegistry,
    abi: iTokenRegistryAbi,
    functionName: 'tokenOf',
    args: [tokenId],
  });
  const symbol = await readMarket(client, { address, abi: erc20Abi, functionName: 'symbol', args: [] });
  return { tokenId, address, symbol, decimals, minimumDeposit, approved };
}
