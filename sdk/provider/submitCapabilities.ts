import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SubmitCapabilitiesParameters {
  readonly providerId: number;
  /** 54 bits; config/catalogue/capabilities.json names them. */
  readonly capabilities: bigint;
}

/**
 * Says which capabilities the provider has, bits that orders can require; they count once the verifier approves them. Only the owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await submitCapabilities(client, { providerId: 2, capabilities: 0b10n });
 */
export async function submitCapabilities(
  client: MarketClient,
  { providerId, capabilities }: SubmitCapabilitiesParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'submitCapabilities',
    args: [providerId, capabilities],
  });
  return writtenBy(receipt);
}
