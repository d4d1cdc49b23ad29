import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ApproveCapabilitiesParameters {
  readonly providerId: number;
  /** What was looked at, from `getProvider`. */
  readonly capabilities: bigint;
}

/**
 * Makes pending capabilities count in matching, if they still are what was looked at. Only the verifier's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await approveCapabilities(client, { providerId: 2, capabilities: 0b10n });
 */
export async function approveCapabilities(
  client: MarketClient,
  { providerId, capabilities }: ApproveCapabilitiesParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'approveCapabilities',
    args: [providerId, capabilities],
  });
  return writtenBy(receipt);
}
