import { iMarketPauseAbi } from '../../chain/contracts/generated/IMarketPause.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface PauseMarketParameters {
  /** At most three days; a pause cannot be lengthened. */
  readonly durationSeconds: number;
}

export interface PauseMarketReturnType extends Written {
  /** When the market runs again by itself, seconds since 1970. */
  readonly untilSeconds: number;
}

/**
 * Stops what brings new money or duties into the market; ways out stay open. Only the guardian's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { untilSeconds } = await pauseMarket(client, { durationSeconds: 3600 });
 */
export async function pauseMarket(
  client: MarketClient,
  { durationSeconds }: PauseMarketParameters,
): Promise<PauseMarketReturnType> {
  const contract = { address: client.contracts.marketPause, abi: iMarketPauseAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'pause', args: [durationSeconds] });
  const { until } = eventOf(receipt, { ...contract, eventName: 'Paused' });
  return { ...writtenBy(receipt), untilSeconds: until };
}
