import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { tryEventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ClaimLeaseParameters {
  readonly orderId: number;
}

export interface ClaimLeaseReturnType extends Written {
  /** Credited to the provider's owner in the escrow, token units after fees. */
  readonly amount: bigint;
}

/**
 * Credits the provider with what a confirmed lease has accrued so far, for anyone; `withdraw` pays it out.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await claimLease(client, { orderId: 7 });
 */
export async function claimLease(
  client: MarketClient,
  { orderId }: ClaimLeaseParameters,
): Promise<ClaimLeaseReturnType> {
  const receipt = await writeMarket(client, {
    address: client.contracts.computeLease,
    abi: iComputeLeaseAbi,
    functionName: 'claim',
    args: [orderId],
  });
  const paid = tryEventOf(receipt, { address: client.contracts.escrow, abi: iEscrowAbi, eventName: 'LeasePaid' });
  return { ...writtenBy(receipt), amount: paid?.amount ?? 0n };
}
