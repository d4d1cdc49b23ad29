import { iMatchSettlementAbi } from '../../chain/contracts/generated/IMatchSettlement.js';
import { MatchmakerError } from '../../engine/error.js';
import { priceAt } from '../../engine/price.js';
import { rejectionName } from '../../engine/rejectionReason.js';
import { tryMarket, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import { MarketCallRefusedError } from '../calls/marketCallRefused.js';
import type { MarketClient } from '../marketClient.js';
import { listMachines } from '../provider/listMachines.js';
import { getOpenPolicy } from '../rounds/getOpenPolicy.js';
import { getOrder } from './getOrder.js';

export interface SelfMatchParameters {
  readonly orderId: number;
  /** Leave it out for the cheapest machine that may take the order. */
  readonly machineId?: number;
}

export interface SelfMatchReturnType extends Written {
  readonly machineId: number;
  readonly priceMicroPerHour: number;
}

/** No machine may take the order now; `metadata.reasons` counts why. */
export class NoMachineEligibleError extends MatchmakerError<'NO_MACHINE_ELIGIBLE'> {
  constructor(orderId: number, reasons: Readonly<Record<string, number>>) {
    const listed = Object.entries(reasons).map(([reason, count]) => `${reason} (${count})`);
    super(
      'NO_MACHINE_ELIGIBLE',
      `no machine may take order ${orderId} now: ${listed.join(', ') || 'none has an offer in its token within its price'}; ask for less, pay more, or wait`,
      { metadata: { orderId, reasons }, retryable: true },
    );
  }
}

/**
 * Makes the account's own order a lease at a machine's offer price, without the operators: for orders that nobody matched for as
 * many rounds as the policy says, when the open round is settled or none has settled for that long. Only the tenant.
 * Throws NoMachineEligibleError and the errors of `writeMarket`.
 *
 * @example
 * const { machineId, priceMicroPerHour } = await selfMatch(client, { orderId: 7 });
 */
export async function selfMatch(
  client: MarketClient,
  { orderId, machineId }: SelfMatchParameters,
): Promise<SelfMatchReturnType> {
  const [{ spec }, { policy }, machines] = await Promise.all([
    getOrder(client, { orderId }),
    getOpenPolicy(client),
    listMachines(client, {}),
  ]);
  const candidates = machines
    .filter((machine) => machineId === undefined || machine.machineId === machineId)
    .flatMap((machine) =>
      machine.offers.map((offer) => ({ machineId: machine.machineId, ...offer, price: priceOf(spec, offer) })),
    )
    .filter(({ tokenId, price }) => tokenId === spec.tokenId && price <= spec.maxPriceMicroPerHour)
    .sort((a, b) => a.price - b.price || a.machineId - b.machineId);
  const reasons: Record<string, number> = {};
  for (const candidate of candidates) {
    const call = {
      address: client.contracts.matchSettlement,
      abi: iMatchSettlementAbi,
      functionName: 'selfMatch',
      args: [orderId, candidate.machineId, candidate.offerIndex, spec, policy],
    } as const;
    try {
      await tryMarket(client, call);
    } catch (error) {
      // Only what is wrong with this machine lets the next one be tried.
      const name = error instanceof MarketCallRefusedError ? error.errorName : null;
      if (name !== 'SelfMatchIneligible' && name !== 'CapacityRefused') throw error;
      const reason = error instanceof MarketCallRefusedError ? String(error.args['reason']) : '';
      const label = name === 'SelfMatchIneligible' ? rejectionLabel(Number(reason)) : 'CAPACITY';
      reasons[label] = (reasons[label] ?? 0) + 1;
      continue;
    }
    const receipt = await writeMarket(client, call);
    return { ...writtenBy(receipt), machineId: candidate.machineId, priceMicroPerHour: candidate.price };
  }
  throw new NoMachineEligibleError(orderId, reasons);
}

function priceOf(
  spec: Parameters<typeof priceAt>[0],
  offer: {
    readonly gpuMicroPerHour: number;
    readonly coreMicroPerHour: number;
    readonly memoryGibMicroPerHour: number;
    readonly storageTibMicroPerHour: number;
  },
): number {
  return priceAt(
    spec,
    offer.gpuMicroPerHour,
    offer.coreMicroPerHour,
    offer.memoryGibMicroPerHour,
    offer.storageTibMicroPerHour,
  );
}

function rejectionLabel(reason: number): string {
  return reason >= 1 && reason <= 19 ? rejectionName(reason) : `REASON_${reason}`;
}
