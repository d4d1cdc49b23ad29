import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { MatchmakerError } from '../../engine/error.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { getMachine } from '../provider/getMachine.js';
import { getOpenPolicy } from '../rounds/getOpenPolicy.js';
import { getLease } from './getLease.js';
import { hashLeaseUpdate } from './leaseUpdate.js';
import { updatedDevices } from './updatedDevices.js';

export interface AcceptUpdateParameters {
  readonly orderId: number;
  /** Price from now on; default the tenant's ceiling. */
  readonly priceMicroPerHour?: number;
}

export interface AcceptUpdateReturnType extends Written {
  readonly priceMicroPerHour: number;
}

/** The tenant has asked for no change of the lease. */
export class UpdateMissingError extends MatchmakerError<'UPDATE_MISSING'> {
  constructor(orderId: number) {
    super('UPDATE_MISSING', `the tenant of order ${orderId} asks for no update`, { metadata: { orderId } });
  }
}

/** The machine has not the devices that an update asks for. */
export class DevicesMissingError extends MatchmakerError<'DEVICES_MISSING'> {
  constructor(orderId: number, milliGpu: number) {
    super('DEVICES_MISSING', `the machine of order ${orderId} has not the free devices for ${milliGpu} milli-GPU`, {
      metadata: { orderId, milliGpu },
      retryable: true,
    });
  }
}

/**
 * Accepts what the tenant asked for as it stands (LEASE_UPDATED): smaller resources are free at once, larger ones must be free on
 * the machine. Only the provider's owner.
 * Throws UpdateMissingError, DevicesMissingError and the errors of `writeMarket`.
 *
 * @example
 * await acceptUpdate(client, { orderId: 7, priceMicroPerHour: 2_400_000 });
 */
export async function acceptUpdate(
  client: MarketClient,
  { orderId, priceMicroPerHour }: AcceptUpdateParameters,
): Promise<AcceptUpdateReturnType> {
  const [lease, { policy }] = await Promise.all([getLease(client, { orderId }), getOpenPolicy(client)]);
  const { update } = lease;
  if (update === null) throw new UpdateMissingError(orderId);
  const machine = await getMachine(client, { machineId: lease.machineId });
  const deviceMask = updatedDevices({
    deviceMask: lease.deviceMask,
    milliGpu: lease.milliGpu,
    wantedMilliGpu: update.milliGpu,
    freeMilliGpu: machine.freeMilliGpu,
  });
  if (deviceMask === null) throw new DevicesMissingError(orderId, update.milliGpu);
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'acceptUpdate',
    args: [orderId, hashLeaseUpdate(update), priceMicroPerHour ?? update.maxPriceMicroPerHour, deviceMask, policy],
  });
  const updated = eventOf(receipt, { ...contract, eventName: 'LeaseUpdated' });
  return { ...writtenBy(receipt), priceMicroPerHour: updated.priceMicroPerHour };
}
