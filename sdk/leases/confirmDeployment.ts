import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import type { Hex } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ConfirmDeploymentParameters {
  readonly orderId: number;
  /** The hash of what runs; must be the announced one. */
  readonly manifestHash: Hex;
}

/**
 * Says that the announced manifest runs (DEPLOYMENT_CONFIRMED); from here on the provider can claim. Only the provider's owner.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await confirmDeployment(client, { orderId: 7, manifestHash: hashManifest(manifest) });
 */
export async function confirmDeployment(
  client: MarketClient,
  { orderId, manifestHash }: ConfirmDeploymentParameters,
): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.computeLease,
    abi: iComputeLeaseAbi,
    functionName: 'confirmDeployment',
    args: [orderId, manifestHash],
  });
  return writtenBy(receipt);
}
