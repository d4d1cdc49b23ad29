import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { OFFERS_PER_MACHINE } from '../../engine/market.js';
import { decodeMachineTotalsWord, decodeMachineWord } from '../../protocol/words/machineWord.js';
import { decodeOfferWord } from '../../protocol/words/offerWord.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import type { OfferTerms } from './offerTerms.js';

export interface GetMachineParameters {
  readonly machineId: number;
}

/** A machine with what it has, what is free, and what it costs. */
export interface Machine {
  readonly machineId: number;
  readonly providerId: number;
  /** 0 for a machine without GPU. */
  readonly model: number;
  readonly region: number;
  readonly deviceCount: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly freeCpuMilli: number;
  readonly freeMemoryMib: number;
  readonly freeStorageGib: number;
  /** Of the eight device places, 0..1000 each. */
  readonly freeMilliGpu: readonly number[];
  /** Matched in rounds from the first on and before the second. */
  readonly activeFromRound: number;
  readonly activeUntilRound: number;
  readonly requiredStakeWhole: number;
  readonly offers: readonly Offer[];
}

/** An offer that stands. */
export interface Offer extends OfferTerms {
  /** Slot 0 to 3. */
  readonly offerIndex: number;
  readonly fromRound: number;
}

/**
 * A machine by its id.
 * Throws MarketCallRefusedError `MachineNotFound`, and the errors of `readMarket`.
 *
 * @example
 * const { offers } = await getMachine(client, { machineId: 3 });
 */
export async function getMachine(client: MarketClient, { machineId }: GetMachineParameters): Promise<Machine> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const [[m0, m1], ...offerWords] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'machineWords', args: [machineId] }),
    ...Array.from({ length: OFFERS_PER_MACHINE }, (_, index) =>
      readMarket(client, { ...contract, functionName: 'offerWords', args: [machineId, index] }),
    ),
  ]);
  const machine = decodeMachineWord(BigInt(m0));
  const totals = decodeMachineTotalsWord(BigInt(m1));
  return {
    machineId,
    providerId: machine.providerId,
    model: machine.model,
    region: machine.region,
    deviceCount: totals.deviceCount,
    cpuMilli: totals.totalCpuMilli,
    memoryMib: totals.totalMemoryMib,
    storageGib: totals.totalStorageGib,
    freeCpuMilli: machine.freeCpuMilli,
    freeMemoryMib: machine.freeMemoryMib,
    freeStorageGib: machine.freeStorageGib,
    freeMilliGpu: machine.freeMilliGpu,
    activeFromRound: machine.activeFromRound,
    activeUntilRound: machine.activeUntilRound,
    requiredStakeWhole: totals.requiredStakeWhole,
    offers: offerWords.flatMap(([newest], offerIndex) => {
      const offer = decodeOfferWord(BigInt(newest));
      return offer.tokenId === 0 ? [] : [{ ...offer, offerIndex }];
    }),
  };
}
