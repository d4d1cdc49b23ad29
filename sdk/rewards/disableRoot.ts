import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface DisableRootParameters {
  readonly era: number;
}

/**
 * Disables a root before it is active. Only the reward guardian. Throws the errors of `writeMarket`.
 *
 * @example
 * await disableRoot(client, { era: 41 });
 */
export async function disableRoot(client: MarketClient, { era }: DisableRootParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.rewarder,
    abi: iRewarderAbi,
    functionName: 'disableRoot',
    args: [era],
  });
  return writtenBy(receipt);
}
