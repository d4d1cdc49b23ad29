import { expect, test } from '@jest/globals';
import { OrderPacer, ordersPerBlock } from './gasBound.js';

const FIGURES = { blockGasLimit: 36_000_000, creationGas: 150_000, settlementGasPerMatch: 15_000, churnGasPerBlock: 0 };

test('orders fill half of a block, creation and settlement counted', () => {
  expect(ordersPerBlock(FIGURES)).toBeCloseTo(18_000_000 / 165_000, 9);
});

test("what machines use is not the orders'", () => {
  expect(ordersPerBlock({ ...FIGURES, churnGasPerBlock: 1_500_000 })).toBe(100);
  expect(ordersPerBlock({ ...FIGURES, churnGasPerBlock: 20_000_000 })).toBe(0);
});

test('whole orders come to the bound in the long run', () => {
  const pacer = new OrderPacer();
  let sent = 0;
  for (let block = 0; block < 1_000; block++) {
    const orders = pacer.take(FIGURES, 1);
    expect(Number.isInteger(orders)).toBe(true);
    sent += orders;
  }
  expect(sent).toBe(Math.floor((1_000 * 18_000_000) / 165_000));
});
