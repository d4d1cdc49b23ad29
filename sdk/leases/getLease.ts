import { zeroHash, type Address, type Hex } from 'viem';
import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { decodeLeaseWord } from '../../protocol/words/orderWord.js';
import { readMarket } from '../calls/callMarket.js';
import { readBlock } from '../calls/readBlock.js';
import type { MarketClient } from '../marketClient.js';
import { leaseEndOf, type LeaseEnd } from './leaseEnd.js';
import type { LeaseUpdate } from './leaseUpdate.js';

export interface GetLeaseParameters {
  readonly orderId: number;
  /** Block of which the lease is read; the newest one when absent. */
  readonly blockNumber?: bigint;
}

/** A lease, running or ended. Times are seconds since 1970, null where it has not come to them. */
export interface Lease {
  readonly orderId: number;
  readonly providerId: number;
  readonly machineId: number;
  readonly tenant: Address;
  readonly tokenId: number;
  readonly priceMicroPerHour: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  /** Bit i is device i of the machine. */
  readonly deviceMask: number;
  readonly fromBid: boolean;
  /** Of the whole lease, from its ready on. */
  readonly durationMinutes: number;
  readonly matchedAtSeconds: number;
  readonly readyAtSeconds: number | null;
  readonly confirmedAtSeconds: number | null;
  /** Paid-through time; of an ended lease when accrual stopped. */
  readonly endTimeSeconds: number | null;
  readonly manifestHash: Hex | null;
  /** Token units before fees. */
  readonly accrued: bigint;
  readonly end: LeaseEnd;
  /** What the tenant asked for and the provider has not accepted yet. */
  readonly update: LeaseUpdate | null;
  /** When `endLease` begins to work, and what the lease then ends as; null of an ended lease. */
  readonly nextDeadline: { readonly end: LeaseEnd; readonly atSeconds: number } | null;
}

/**
 * A lease with its times, what it has earned, and its next deadline, all of one block.
 * Throws MarketCallRefusedError `LeaseNotActive` for an order that was never matched, and the errors of `readMarket`.
 *
 * @example
 * const { endTimeSeconds, accrued } = await getLease(client, { orderId: 7 });
 */
export async function getLease(client: MarketClient, parameters: GetLeaseParameters): Promise<Lease> {
  const { orderId } = parameters;
  // A lease may end between two reads.
  const blockNumber = parameters.blockNumber ?? (await readBlock(client)).number;
  const contract = { address: client.contracts.computeLease, abi: iComputeLeaseAbi, blockNumber } as const;
  const [lease, accrued, update, word] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'getLease', args: [orderId] }),
    readMarket(client, { ...contract, functionName: 'accrued', args: [orderId] }),
    readMarket(client, { ...contract, functionName: 'pendingUpdate', args: [orderId] }),
    readMarket(client, {
      address: client.contracts.orderRequest,
      abi: iOrderRequestAbi,
      functionName: 'orderWord',
      args: [orderId],
      blockNumber,
    }),
  ]);
  const end = leaseEndOf(lease.end);
  const fields = decodeLeaseWord(BigInt(word));
  let nextDeadline: Lease['nextDeadline'] = null;
  if (end === 'None') {
    const [reason, atSeconds] = await readMarket(client, {
      ...contract,
      functionName: 'nextDeadline',
      args: [orderId],
    });
    nextDeadline = { end: leaseEndOf(reason), atSeconds };
  }
  return {
    orderId,
    providerId: lease.providerId,
    machineId: lease.machineId,
    tenant: lease.tenant,
    tokenId: lease.tokenId,
    priceMicroPerHour: lease.priceMicroPerHour,
    milliGpu: fields.milliGpu,
    cpuMilli: fields.cpuMilli,
    memoryMib: fields.memoryMib,
    storageGib: fields.storageGib,
    deviceMask: fields.deviceMask,
    fromBid: fields.fromBid,
    durationMinutes: lease.durationMinutes,
    matchedAtSeconds: lease.matchedAt,
    readyAtSeconds: lease.readyAt === 0 ? null : lease.readyAt,
    confirmedAtSeconds: lease.confirmedAt === 0 ? null : lease.confirmedAt,
    endTimeSeconds: lease.endTime === 0 ? null : lease.endTime,
    manifestHash: lease.manifestHash === zeroHash ? null : lease.manifestHash,
    accrued,
    end,
    update: update.cpuMilli === 0 ? null : update,
    nextDeadline,
  };
}
