import { describe, expect, test } from '@jest/globals';
import { Market } from '../market.js';
import { matchRound } from '../matchRound.js';
import type { Order } from '../order.js';
import { BLOCK, ROUND, TIMESTAMP } from '../reference/arbitrarySnapshot.js';
import { PLAIN_POLICY, plainMachine, plainOrder, plainProvider } from '../reference/plainRound.js';
import { randomNumbers } from '../reference/randomNumbers.js';
import { referenceMatchRound } from '../reference/referenceMatcher.js';
import type { Snapshot } from '../snapshot.js';

const ATTRIBUTE_BITS = 16;
const SEED = `0x${'17'.repeat(32)}` as const;

/** Prints with a failing test, so that it can be run again. */
const seed = Number(process.env['TEST_SEED'] ?? 20_261_123);

/** All machines in one bucket, each of one GPU and a provider of its own with these attributes, at different prices. */
function marketOf(attributes: readonly bigint[]): Market {
  const random = randomNumbers(seed + attributes.length);
  const market = new Market();
  attributes.forEach((bits, index) => {
    const id = index + 1;
    market.setProvider(id, plainProvider({ attributes: bits }));
    const { machine, offers } = plainMachine({ providerId: id, freeMilliGpu: [1000] });
    market.setMachine(id, machine);
    const { tokenId, gpuMicroPerHour, coreMicroPerHour, memoryGibMicroPerHour, storageTibMicroPerHour } = offers[0]!;
    market.setOffer(id, 0, {
      tokenId,
      gpuMicroPerHour: Math.floor((gpuMicroPerHour * (60 + random(60))) / 100),
      coreMicroPerHour,
      memoryGibMicroPerHour,
      storageTibMicroPerHour,
    });
  });
  return market;
}

function snapshotOf(market: Market, orders: readonly Order[]): Snapshot {
  return {
    round: ROUND,
    blockNumber: BLOCK,
    snapshotHash: `0x${'5a'.repeat(32)}`,
    timestampSeconds: TIMESTAMP,
    orders,
    bids: new Map(),
    market,
  };
}

/** The attribute sets with `size` bits, ascending. */
function setsOf(size: number): bigint[] {
  return Array.from({ length: 2 ** ATTRIBUTE_BITS }, (_, bits) => bits)
    .filter((bits) => bits.toString(2).replaceAll('0', '').length === size)
    .map(BigInt);
}

// One ward of leaves, one that is not filled, and several.
describe.each([40, 700, 6000])(`orders for many attributes in one bucket of %d (seed ${seed})`, (machines) => {
  test('find the one machine that has them all, wherever it is', () => {
    const random = randomNumbers(seed);
    const sets = setsOf(8);
    const attributes = Array.from({ length: machines }, () => sets.splice(random(sets.length), 1)[0]!);
    const orders = attributes.map((asked, index) => plainOrder({ orderId: index + 1, attributes: asked }));
    const policy = { ...PLAIN_POLICY, maxMatches: machines };
    const records = matchRound(snapshotOf(marketOf(attributes), orders), policy, SEED);
    expect(records.map(({ machineId }) => machineId)).toEqual(attributes.map((_, index) => index + 1));
  });

  test('find every machine that has them where most leaves have one', () => {
    const random = randomNumbers(seed + 1);
    // What else they have keeps rows from being clustered by their sets.
    const attributes = Array.from({ length: machines }, () =>
      BigInt((random(9) === 0 ? 0b111 : 0b101) + 8 * random(2 ** 13)),
    );
    const orders = attributes.map((_, index) => plainOrder({ orderId: index + 1, attributes: 0b111n }));
    const policy = { ...PLAIN_POLICY, maxMatches: machines };
    const records = matchRound(snapshotOf(marketOf(attributes), orders), policy, SEED);
    const having = attributes.flatMap((bits, index) => ((bits & 0b111n) === 0b111n ? [index + 1] : []));
    expect(having.length).toBeGreaterThan(1);
    expect(records.map(({ machineId }) => machineId).sort((a, b) => a - b)).toEqual(having);
  });
});

test(`orders for any number of attributes go where the reference sends them (seed ${seed})`, () => {
  const random = randomNumbers(seed + 2);
  const someOf = (percent: number): bigint => {
    let bits = 0n;
    for (let bit = 0; bit < ATTRIBUTE_BITS; bit++) if (random(100) < percent) bits |= 1n << BigInt(bit);
    return bits;
  };
  const market = marketOf(Array.from({ length: 4500 }, () => someOf(random(2) === 0 ? 55 : 90)));
  const orders = Array.from({ length: 24 }, (_, index) =>
    plainOrder({ orderId: index + 1, attributes: someOf(10 + 5 * (index % 12)) }),
  );
  const records = matchRound(snapshotOf(market, orders), PLAIN_POLICY, SEED);
  expect(records).toEqual(referenceMatchRound(snapshotOf(market, orders), PLAIN_POLICY, SEED));
  expect(records.length).toBeGreaterThan(orders.length / 2);
});
