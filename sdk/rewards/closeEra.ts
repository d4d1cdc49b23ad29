import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface CloseEraParameters {
  readonly era: number;
}

export interface CloseEraReturnType extends Written {
  /** Micro-USD per whole token, as the feeds had them. */
  readonly rewardTokenMicroUsd: bigint;
  readonly nativeMicroUsd: bigint;
}

/**
 * Closes an era that is over: the state after this transaction's block is what its rewards are computed from.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await closeEra(client, { era: 41 });
 */
export async function closeEra(client: MarketClient, { era }: CloseEraParameters): Promise<CloseEraReturnType> {
  const contract = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'closeEra', args: [era] });
  const { rewardTokenMicroUsd, nativeMicroUsd } = eventOf(receipt, { ...contract, eventName: 'EraClosed' });
  return { ...writtenBy(receipt), rewardTokenMicroUsd, nativeMicroUsd };
}
