import { decodeAbiParameters, encodeAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { DEVICES_PER_MACHINE, Market, OFFERS_PER_MACHINE } from '../../engine/market.js';
import type { MachineFields, OfferFields, ProviderFields } from '../../engine/market.js';
import type { Bid, Order } from '../../engine/order.js';
import { orderSpecAbiParameters } from '../orderSpec.js';
import { encodeMachineWord } from '../words/machineWord.js';
import { encodeOfferWord } from '../words/offerWord.js';
import { encodeProviderWord } from '../words/providerWord.js';

/** [provider id, stakeWhole, status, tier, uptimeBps, reputationBps, slashes, attributes in decimal, four reports]. */
export type ProviderRow = readonly [number, number, number, number, number, number, number, string, readonly number[]];

/**
 * [machine id, activeFromRound, activeUntilRound, provider id, model, region, offersWritten, free memory MiB, free cpu-milli, free
 * storage GiB, free milli-GPU of eight devices, offers]; an offer is [index, token id, per GPU, per core, per GiB, per 1024 GiB].
 */
export type MachineRow = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  readonly number[],
  readonly (readonly number[])[],
];

/** [order id, untilRound, eligibleFromBlock, expiresAt in seconds, abi.encode of the spec]. */
export type OrderRow = readonly [number, number, number, number, Hex];

/** [order id, bid index, machine id, provider id, price per hour, untilRound]. */
export type BidRow = readonly [number, number, number, number, number, number];

/** Every provider, ascending by id. */
export function providerRows(market: Market): ProviderRow[] {
  return Array.from({ length: market.providerCount }, (_, index): ProviderRow => {
    const id = index + 1;
    const attributes = (BigInt(market.attributesHigh[id]!) << 27n) | BigInt(market.attributesLow[id]!);
    return [
      id,
      market.stakeWhole[id]!,
      market.status[id]!,
      market.tier[id]!,
      market.uptimeBps[id]!,
      market.reputationBps[id]!,
      market.slashes[id]!,
      attributes.toString(),
      [...market.reports.subarray(id * 4, id * 4 + 4)],
    ];
  });
}

/** Every machine, ascending by id; withdrawn and never written offers are left out. */
export function machineRows(market: Market): MachineRow[] {
  return Array.from({ length: market.machineCount }, (_, index): MachineRow => {
    const id = index + 1;
    const devices = market.freeMilliGpu.subarray(id * DEVICES_PER_MACHINE, (id + 1) * DEVICES_PER_MACHINE);
    const offers = Array.from({ length: OFFERS_PER_MACHINE }, (__, offerIndex) => {
      const row = id * OFFERS_PER_MACHINE + offerIndex;
      return [
        offerIndex,
        market.offerTokenId[row]!,
        market.offerGpuMicroPerHour[row]!,
        market.offerCoreMicroPerHour[row]!,
        market.offerMemoryGibMicroPerHour[row]!,
        market.offerStorageTibMicroPerHour[row]!,
      ];
    });
    return [
      id,
      market.activeFromRound[id]!,
      market.activeUntilRound[id]!,
      market.providerId[id]!,
      market.model[id]!,
      market.region[id]!,
      market.offersWritten[id]!,
      market.freeMemoryMib[id]!,
      market.freeCpuMilli[id]!,
      market.freeStorageGib[id]!,
      [...devices],
      offers.filter(([, tokenId]) => tokenId !== 0),
    ];
  });
}

/** The open orders of a snapshot, in its order; the engine passes others over. */
export function orderRows(orders: readonly Order[]): OrderRow[] {
  return orders
    .filter(({ isOpen }) => isOpen)
    .map((order) => [
      order.orderId,
      order.untilRound,
      order.eligibleFromBlock,
      order.expiresAtSeconds,
      encodeAbiParameters(orderSpecAbiParameters, [order]),
    ]);
}

/** The bids of a snapshot, by order and index. */
export function bidRows(bids: ReadonlyMap<number, readonly Bid[]>): BidRow[] {
  return [...bids]
    .sort(([a], [b]) => a - b)
    .flatMap(([, ofOrder]) =>
      ofOrder.map((bid): BidRow => [
        bid.orderId,
        bid.bidIndex,
        bid.machineId,
        bid.providerId,
        bid.priceMicroPerHour,
        bid.untilRound,
      ]),
    );
}

/** The engine's columns from rows. Throws WordFieldInvalidError for a value that its word has no room for. */
export function marketFrom(providers: readonly ProviderRow[], machines: readonly MachineRow[]): Market {
  const market = new Market();
  for (const [id, stakeWhole, status, tier, uptimeBps, reputationBps, slashes, attributes, reports] of providers) {
    const [first = 0, second = 0, third = 0, fourth = 0] = reports;
    const provider: ProviderFields = {
      stakeWhole,
      status,
      tier,
      uptimeBps,
      reputationBps,
      slashes,
      attributes: BigInt(attributes),
      reports: [first, second, third, fourth],
    };
    encodeProviderWord(provider);
    market.setProvider(id, provider);
  }
  for (const row of machines) setMachine(market, row);
  return market;
}

function setMachine(market: Market, row: MachineRow): void {
  const [id, activeFromRound, activeUntilRound, providerId, model, region, offersWritten] = row;
  const [, , , , , , , freeMemoryMib, freeCpuMilli, freeStorageGib, freeMilliGpu, offers] = row;
  const machine: MachineFields = {
    activeFromRound,
    activeUntilRound,
    providerId,
    model,
    region,
    offersWritten,
    freeMemoryMib,
    freeCpuMilli,
    freeStorageGib,
    freeMilliGpu,
  };
  encodeMachineWord(machine);
  market.setMachine(id, machine);
  for (const [offerIndex = 0, tokenId = 0, gpu = 0, core = 0, memory = 0, storage = 0] of offers) {
    const offer: OfferFields = {
      tokenId,
      gpuMicroPerHour: gpu,
      coreMicroPerHour: core,
      memoryGibMicroPerHour: memory,
      storageTibMicroPerHour: storage,
    };
    encodeOfferWord({ fromRound: 0, ...offer });
    market.setOffer(id, offerIndex, offer);
  }
}

/** The engine's orders from rows. Throws viem's decoding errors for a spec that is none. */
export function ordersFrom(rows: readonly OrderRow[]): Order[] {
  return rows.map(([orderId, untilRound, eligibleFromBlock, expiresAtSeconds, spec]) => {
    const [fields] = decodeAbiParameters(orderSpecAbiParameters, spec);
    return { ...fields, orderId, isOpen: true, untilRound, eligibleFromBlock, expiresAtSeconds };
  });
}

/** The engine's bids from rows. */
export function bidsFrom(rows: readonly BidRow[]): ReadonlyMap<number, readonly Bid[]> {
  const bids = new Map<number, Bid[]>();
  for (const [orderId, bidIndex, machineId, providerId, priceMicroPerHour, untilRound] of rows) {
    const ofOrder = bids.get(orderId) ?? [];
    ofOrder.push({ orderId, bidIndex, machineId, providerId, priceMicroPerHour, untilRound });
    bids.set(orderId, ofOrder);
  }
  return bids;
}
