import type { Hex } from 'viem';
import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ApproveAttributesParameters {
  readonly providerId: number;
  readonly category: 'cpu' | 'gpu';
  /** Of what was looked at, from `getAttributes`. */
  readonly pendingHash: Hex;
}

/**
 * Makes pending hardware count for rewards, if it still is what was looked at. Only the verifier's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { gpu } = await getAttributes(client, { providerId: 2 });
 * if (gpu.pending !== null) await approveAttributes(client, { providerId: 2, category: 'gpu', pendingHash: gpu.pending.hash });
 */
export async function approveAttributes(
  client: MarketClient,
  { providerId, category, pendingHash }: ApproveAttributesParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    functionName: 'approveAttributes',
    args: [providerId, category === 'cpu' ? 0 : 1, pendingHash],
  });
  return writtenBy(receipt);
}
