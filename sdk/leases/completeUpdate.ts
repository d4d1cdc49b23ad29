import type { MarketClient } from '../marketClient.js';
import { getLease } from './getLease.js';
import type { LeaseUpdate } from './leaseUpdate.js';

export interface CompleteUpdateParameters extends Partial<LeaseUpdate> {
  readonly orderId: number;
}

/**
 * The whole of an update of a lease of which only the changes are named: what is left out is as the lease has it now.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const update = await completeUpdate(client, { orderId: 7, memoryMib: 65_536 });
 */
export async function completeUpdate(
  client: MarketClient,
  { orderId, ...wanted }: CompleteUpdateParameters,
): Promise<LeaseUpdate> {
  const lease = await getLease(client, { orderId });
  return {
    milliGpu: wanted.milliGpu ?? lease.milliGpu,
    cpuMilli: wanted.cpuMilli ?? lease.cpuMilli,
    memoryMib: wanted.memoryMib ?? lease.memoryMib,
    storageGib: wanted.storageGib ?? lease.storageGib,
    maxPriceMicroPerHour: wanted.maxPriceMicroPerHour ?? lease.priceMicroPerHour,
    manifestHash: wanted.manifestHash ?? lease.manifestHash ?? ZERO_HASH,
  };
}

const ZERO_HASH = `0x${'00'.repeat(32)}` as const;
