import { iMarketPauseAbi } from '../../chain/contracts/generated/IMarketPause.js';
import { readMarket } from '../calls/callMarket.js';
import { readBlock } from '../calls/readBlock.js';
import type { MarketClient } from '../marketClient.js';

/**
 * Until when the market is paused, seconds since 1970; null while it runs.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { pausedUntilSeconds } = await getPause(client);
 */
export async function getPause(client: MarketClient): Promise<{ readonly pausedUntilSeconds: number | null }> {
  const [until, { timestamp }] = await Promise.all([
    readMarket(client, {
      address: client.contracts.marketPause,
      abi: iMarketPauseAbi,
      functionName: 'pausedUntil',
      args: [],
    }),
    readBlock(client),
  ]);
  return { pausedUntilSeconds: timestamp < BigInt(until) ? until : null };
}
