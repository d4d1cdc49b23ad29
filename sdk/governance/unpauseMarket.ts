import { iMarketPauseAbi } from '../../chain/contracts/generated/IMarketPause.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

/**
 * Ends a running pause early. Only the guardian's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await unpauseMarket(client);
 */
export async function unpauseMarket(client: MarketClient): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.marketPause,
    abi: iMarketPauseAbi,
    functionName: 'unpause',
    args: [],
  });
  return writtenBy(receipt);
}
