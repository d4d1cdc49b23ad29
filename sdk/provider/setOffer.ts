import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import type { OfferTerms } from './offerTerms.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SetOfferParameters {
  readonly machineId: number;
  /** Slot 0 to 3. */
  readonly offerIndex: number;
  readonly terms: OfferTerms;
}

export interface SetOfferReturnType extends Written {
  /** First round that matches at these prices. */
  readonly fromRound: number;
}

/**
 * Publishes or changes a machine's prices in one token; they hold from a later round on. At most four offers a machine. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setOffer(client, {
 *   machineId: 3,
 *   offerIndex: 0,
 *   terms: {
 *     tokenId: 1,
 *     gpuMicroPerHour: 2_000_000,
 *     coreMicroPerHour: 10_000,
 *     memoryGibMicroPerHour: 2_000,
 *     storageTibMicroPerHour: 50_000,
 *   },
 * });
 */
export async function setOffer(
  client: MarketClient,
  { machineId, offerIndex, terms }: SetOfferParameters,
): Promise<SetOfferReturnType> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'setOffer',
    args: [machineId, offerIndex, terms],
  });
  const { fromRound } = eventOf(receipt, { ...contract, eventName: 'OfferUpdated' });
  return { ...writtenBy(receipt), fromRound };
}
