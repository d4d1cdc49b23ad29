import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import type { Hex } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface AnnounceManifestParameters {
  readonly orderId: number;
  /** From `hashManifest`. */
  readonly manifestHash: Hex;
}

/**
 * Names the manifest that the tenant sends to the provider; from the match on, and again until it is confirmed. Only the tenant.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const [order] = parseIcl(text, { tables }).orders;
 * await announceManifest(client, { orderId: 7, manifestHash: order.manifestHash });
 */
export async function announceManifest(
  client: MarketClient,
  { orderId, manifestHash }: AnnounceManifestParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.computeLease,
    abi: iComputeLeaseAbi,
    functionName: 'announceManifest',
    args: [orderId, manifestHash],
  });
  return writtenBy(receipt);
}
