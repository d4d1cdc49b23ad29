import { Market } from '../market.js';
import type { MachineFields, OfferFields, ProviderFields } from '../market.js';
import type { Bid, Order } from '../order.js';
import type { MatchRecord } from '../record.js';
import type { Hex, Snapshot } from '../snapshot.js';
import { machineFieldsOf, settle } from './arbitraryChange.js';
import { BLOCK, NEVER, ROUND, TIMESTAMP, TODAY } from './arbitrarySnapshot.js';
import { plainMachine, plainOrder, plainProvider } from './plainRound.js';
import { randomNumbers } from './randomNumbers.js';
import type { Random } from './randomNumbers.js';

/** A round with hundreds of machines in few places, and what becomes of it from round to round. */
export interface CrowdedRound {
  readonly snapshot: Snapshot;
  readonly seed: Hex;
  /** Settles the records, changes terms and capacities of many machines, and goes on to the next round. */
  readonly churn: (snapshot: Snapshot, records: readonly MatchRecord[]) => Snapshot;
}

const ORDERS = 14;

/** The crowded round of a number: `isUniform` makes all machines and providers alike but for their ids. */
export function crowdedRound(number: number, isUniform: boolean): CrowdedRound {
  const random = randomNumbers(number);
  const market = new Market();
  const providers = 3 + random(40);
  const machines = 60 + random(340);
  for (let id = 1; id <= providers; id++) market.setProvider(id, isUniform ? plainProvider() : provider(random));
  const putMachine = (id: number): void => {
    const { fields, offers } = isUniform
      ? uniformMachine(1 + random(providers))
      : machine(random, 1 + random(providers));
    market.setMachine(id, fields);
    offers.forEach((offer, index) => market.setOffer(id, index, offer));
  };
  for (let id = 1; id <= machines; id++) putMachine(id);
  const ordersFrom = (first: number): Order[] =>
    Array.from({ length: ORDERS }, (_, index) => order(random, first + index, providers));
  const orders = ordersFrom(1);
  return {
    snapshot: {
      round: ROUND,
      blockNumber: BLOCK,
      snapshotHash: `0x${'5a'.repeat(32)}`,
      timestampSeconds: TIMESTAMP,
      orders,
      bids: bidsOn(random, orders, market),
      market,
    },
    seed: `0x${number.toString(16).padStart(64, '0')}`,
    churn: (snapshot, records) => {
      for (const record of records) settle(market, record);
      for (let change = 0; change < machines / 2; change++) {
        const id = 1 + random(market.machineCount);
        switch (random(5)) {
          case 0:
            market.setMachine(id, { ...machineFieldsOf(market, id), freeMilliGpu: devices(random) });
            break;
          case 1:
            market.setOffer(id, 0, isUniform ? uniformMachine(1).offers[0]! : offerIn(random, 1));
            break;
          case 2:
            market.setOffer(id, 1, offerIn(random, random(3)));
            break;
          case 3:
            putMachine(id);
            break;
          default:
            if (change % 4 === 0) putMachine(market.machineCount + 1);
            break;
        }
      }
      if (!isUniform) market.setProvider(1 + random(providers), provider(random));
      const orders = ordersFrom(1000 * (snapshot.round - ROUND + 1));
      return {
        ...snapshot,
        round: snapshot.round + 1,
        timestampSeconds: snapshot.timestampSeconds + 43_200,
        orders,
        bids: bidsOn(random, orders, market),
      };
    },
  };
}

function provider(random: Random): ProviderFields {
  const report = (): number => (random(3) === 0 ? 2 ** 26 + (TODAY + random(4) - 1) * 2 ** 10 + random(1001) : 0);
  return plainProvider({
    stakeWhole: random(150_000),
    status: random(12) === 0 ? 3 : 2,
    tier: random(8),
    uptimeBps: random(4) === 0 ? 0x3fff : 9000 + random(1001),
    reputationBps: random(4) === 0 ? 0x3fff : random(10_001),
    slashes: random(4) === 0 ? random(3) : 0,
    attributes: BigInt(random(1024) | random(1024)) | (BigInt(random(4)) << 26n),
    reports: [report(), report(), report(), report()],
  });
}

function offerIn(random: Random, tokenId: number): OfferFields {
  const level = 500 + random(1000);
  return {
    tokenId,
    gpuMicroPerHour: level * (900 + random(200)),
    coreMicroPerHour: level * (9 + random(3)),
    memoryGibMicroPerHour: level + random(300),
    storageTibMicroPerHour: level * (5 + random(5)),
  };
}

function devices(random: Random): number[] {
  return Array.from({ length: 8 }, () => [0, 0, 250, 500, 730, 1000, 1000, 1000][random(8)]!);
}

function machine(random: Random, providerId: number): { fields: MachineFields; offers: OfferFields[] } {
  const model = random(6) === 0 ? 0 : 1 + random(2);
  const untilRound = random(9) === 0 ? ROUND + random(4) : NEVER;
  return {
    fields: plainMachine({
      activeFromRound: random(9) === 0 ? ROUND + random(4) : 1,
      activeUntilRound: untilRound,
      providerId,
      model,
      region: [1, 2, 40][random(3)]!,
      freeMemoryMib: 4096 * (1 + random(32)),
      freeCpuMilli: random(20) === 0 ? random(20) : 1000 * (1 + random(64)),
      freeStorageGib: random(4000),
      freeMilliGpu: model === 0 ? [] : devices(random),
    }).machine,
    offers: [offerIn(random, random(12) === 0 ? 0 : 1), offerIn(random, random(2) * 2)],
  };
}

function uniformMachine(providerId: number): { fields: MachineFields; offers: OfferFields[] } {
  const { machine: fields, offers } = plainMachine({ providerId });
  return { fields, offers: [...offers] };
}

function order(random: Random, orderId: number, providers: number): Order {
  const milliGpu = [0, 200, 500, 800, 1000, 1000, 2000, 4000][random(8)]!;
  const listed = <T>(of: number, entry: () => T): T[] =>
    random(of) === 0 ? Array.from({ length: 1 + random(3) }, entry) : [];
  return plainOrder({
    orderId,
    milliGpu,
    cpuMilli: random(8) === 0 ? 1 + random(30) : 1000 * (1 + random(16)),
    memoryMib: 1024 * random(32),
    storageGib: random(600),
    models: milliGpu === 0 ? [] : listed(2, () => 1 + random(3)),
    regions: listed(2, () => [1, 2, 40, 41][random(4)]!),
    regionsExcluded: listed(8, () => [1, 2, 40][random(3)]!),
    regionRequired: random(3) === 0,
    providersWanted: listed(8, () => 1 + random(providers)),
    providersExcluded: listed(8, () => 1 + random(providers)),
    tiers: random(5) === 0 ? 1 + random(127) : 0,
    attributes: random(4) === 0 ? BigInt(random([16, 1024][random(2)]!)) : random(8) === 0 ? 1n << 26n : 0n,
    minUptimeBps: random(5) === 0 ? 9500 : 0,
    minReputationBps: random(5) === 0 ? 5000 : 0,
    maxSlashes: random(5) === 0 ? 0 : 255,
    maxPriceMicroPerHour: 300_000 + random(3_000_000) * Math.max(1, Math.floor(milliGpu / 1000)),
  });
}

function bidsOn(random: Random, orders: readonly Order[], market: Market): Map<number, Bid[]> {
  const bids = new Map<number, Bid[]>();
  for (const { orderId, maxPriceMicroPerHour } of orders) {
    if (random(4) !== 0) continue;
    bids.set(
      orderId,
      Array.from({ length: 1 + random(4) }, (_, bidIndex) => {
        const machineId = 1 + random(market.machineCount);
        return {
          orderId,
          bidIndex,
          machineId,
          providerId: market.providerId[machineId]!,
          priceMicroPerHour: random(maxPriceMicroPerHour),
          untilRound: NEVER,
        };
      }),
    );
  }
  return bids;
}
