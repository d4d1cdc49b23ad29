import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Order } from '../../engine/order.js';
import { encodeBidWord } from '../../protocol/words/bidWord.js';
import { encodeOpenOrderWord, OrderState } from '../../protocol/words/orderWord.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { OrderBook } from './orderBook.js';
import type { UndoSteps } from './orderBook.js';

type Change = (book: OrderBook) => void;
type Step =
  | { readonly kind: 'block'; readonly changes: readonly Change[] }
  | { readonly kind: 'reorg'; readonly blocks: number }
  | { readonly kind: 'look' };

function specOf(cpuMilli: number): OrderSpec {
  return {
    milliGpu: 1_000,
    cpuMilli,
    memoryMib: 8_192,
    storageGib: 50,
    models: [1],
    regions: [],
    regionsExcluded: [],
    providersWanted: [],
    providersExcluded: [],
    tiers: 0,
    attributes: 0n,
    regionRequired: false,
    minUptimeBps: 0,
    minReputationBps: 0,
    maxSlashes: 255,
    tokenId: 1,
    maxPriceMicroPerHour: 1_000_000,
    durationMinutes: 60,
  };
}

function wordOf(cpuMilli: number, state: OrderState, untilRound: number): bigint {
  const { milliGpu, memoryMib, storageGib, tokenId, maxPriceMicroPerHour } = specOf(cpuMilli);
  return encodeOpenOrderWord({
    milliGpu,
    cpuMilli,
    memoryMib,
    storageGib,
    tokenId,
    maxPriceMicroPerHour,
    untilRound,
    state,
    eligibleFromBlock: 1,
    bidCount: 0,
    expiresAtSeconds: 1,
  });
}

/** Few ids, so that the same orders come, go and come back. */
const orderId = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 - 1 }));
/** The spec's hash stands in for the spec: orders whose two parts do not belong together are among them. */
const cpuMilli = fc.integer({ min: 1, max: 2 });
const untilRound = fc.integer({ min: 1, max: 9 });

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(orderId, cpuMilli, untilRound).map(([id, cpu, until]): Change => (book) => {
      book.putWord(id, wordOf(cpu, OrderState.OPEN, until));
      book.putSpecWord(id, BigInt(cpu));
      book.putSpec(id, specOf(cpu), BigInt(cpu));
    }),
  },
  fc.tuple(orderId, cpuMilli, untilRound).map(
    ([id, cpu, until]): Change =>
      (book) =>
        book.putWord(id, wordOf(cpu, OrderState.OPEN, until)),
  ),
  fc.tuple(orderId, cpuMilli).map(
    ([id, cpu]): Change =>
      (book) =>
        book.putSpec(id, specOf(cpu), BigInt(cpu)),
  ),
  fc.tuple(orderId, fc.constantFrom(OrderState.CLOSED, OrderState.MATCHED)).map(
    ([id, state]): Change =>
      (book) =>
        book.putWord(id, wordOf(1, state, 1)),
  ),
  {
    weight: 2,
    arbitrary: orderId.map(
      (id): Change =>
        (book) =>
          book.lease(id),
    ),
  },
  fc.tuple(orderId, fc.nat(3), untilRound).map(([id, index, until]): Change => (book) => {
    const bid = { untilRound: until, machineId: 1, priceMicroPerHour: 1, bondAndTime: 0n, providerId: 1 };
    book.putBid(id, index, encodeBidWord(bid));
  }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(change, { minLength: 1, maxLength: 12 }).map((changes): Step => ({ kind: 'block', changes })),
  },
  fc.integer({ min: 1, max: 5 }).map((blocks): Step => ({ kind: 'reorg', blocks })),
  fc.constant<Step>({ kind: 'look' }),
);

/** Applies a block as the market's state does; returns how to take it back. */
function apply(book: OrderBook, changes: readonly Change[]): UndoSteps {
  const undo: UndoSteps = [];
  book.undo = undo;
  for (const one of changes) one(book);
  book.completeOrders();
  book.undo = null;
  return undo;
}

/** What the list has to be, from all that the book holds. */
function sortedOrders(book: OrderBook): Order[] {
  return [...book.content.orders.values()]
    .flatMap(({ order }) => order ?? [])
    .toSorted((a, b) => a.orderId - b.orderId);
}

test('open orders are the complete ones by id, after any blocks and reorganisations, and lists that were handed out stay', () => {
  let reorganised = 0;
  let longest = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const book = new OrderBook();
      const chain: { changes: readonly Change[]; undo: UndoSteps }[] = [];
      const handedOut: { list: readonly Order[]; copy: readonly Order[] }[] = [];
      for (const one of steps) {
        if (one.kind === 'block') {
          chain.push({ changes: one.changes, undo: apply(book, one.changes) });
        } else if (one.kind === 'reorg') {
          for (const { undo } of chain.splice(-one.blocks).toReversed()) {
            for (const takeBack of undo.toReversed()) takeBack();
            reorganised += 1;
          }
        } else {
          const list = book.openOrders();
          expect(list).toEqual(sortedOrders(book));
          handedOut.push({ list, copy: [...list] });
          longest = Math.max(longest, list.length);
        }
      }
      const anew = new OrderBook();
      for (const { changes } of chain) apply(anew, changes);
      expect(book.openOrders()).toEqual(sortedOrders(anew));
      for (const { list, copy } of handedOut) expect(list).toEqual(copy);
    }),
    { numRuns: 300 },
  );
  expect(reorganised).toBeGreaterThan(1_000);
  expect(longest).toBeGreaterThan(10);
}, 60_000);

test('nothing is listed anew while no order changes', () => {
  const book = new OrderBook();
  apply(book, [
    (changed) => {
      changed.putWord(7, wordOf(1, OrderState.OPEN, 1));
      changed.putSpecWord(7, 1n);
      changed.putSpec(7, specOf(1), 1n);
    },
  ]);
  const list = book.openOrders();
  expect(list.map((order) => order.orderId)).toEqual([7]);
  expect(book.openOrders()).toBe(list);
});
