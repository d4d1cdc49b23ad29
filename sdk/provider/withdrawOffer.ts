import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface WithdrawOfferParameters {
  readonly machineId: number;
  /** Slot 0 to 3. */
  readonly offerIndex: number;
}

export interface WithdrawOfferReturnType extends Written {
  /** First round without it. */
  readonly fromRound: number;
}

/**
 * Takes a machine's offer away from a later round on. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await withdrawOffer(client, { machineId: 3, offerIndex: 0 });
 */
export async function withdrawOffer(
  client: MarketClient,
  { machineId, offerIndex }: WithdrawOfferParameters,
): Promise<WithdrawOfferReturnType> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'withdrawOffer',
    args: [machineId, offerIndex],
  });
  const { fromRound } = eventOf(receipt, { ...contract, eventName: 'OfferWithdrawn' });
  return { ...writtenBy(receipt), fromRound };
}
