import { expect, test } from '@jest/globals';
import { encodeErrorResult, parseAbi } from 'viem';
import { marketErrorsAbi } from './marketErrorsAbi.js';
import { MarketCallRefusedError } from './marketCallRefused.js';
import { REFUSAL_ADVICE } from './refusalAdvice.js';

function refused(errorName: string, args: readonly unknown[]): MarketCallRefusedError {
  return new MarketCallRefusedError('call', encodeErrorResult({ abi: marketErrorsAbi, errorName, args }), undefined);
}

test('every error of the market has advice, and no advice is for an error that does not exist', () => {
  const names = new Set(marketErrorsAbi.flatMap((item) => (item.type === 'error' ? [item.name] : [])));
  expect(Object.keys(REFUSAL_ADVICE).toSorted()).toEqual([...names].toSorted());
});

test('advice speaks only of arguments that its error has', () => {
  for (const item of marketErrorsAbi) {
    if (item.type !== 'error') continue;
    const known = item.inputs.map(({ name }) => name);
    const advice = REFUSAL_ADVICE[item.name];
    const named = [advice?.problem, advice?.fix, advice?.field].join(' ').matchAll(/\{(\w+)\}/g);
    for (const [, name] of named) expect([item.name, known]).toEqual([item.name, expect.arrayContaining([name])]);
  }
});

test('a refusal names the field and the fix', () => {
  const error = refused('OrderFieldInvalid', ['cpuMilli']);
  expect(error).toMatchObject({
    code: 'MARKET_CALL_REFUSED',
    errorName: 'OrderFieldInvalid',
    field: 'cpuMilli',
    retryable: false,
  });
  expect(error.message).toBe(
    'call was refused: field cpuMilli of the order is out of its bounds or contradicts another; correct cpuMilli; validateOrderSpec names the bounds',
  );
});

test('numbers become names and dates', () => {
  expect(refused('StatusNotAllowed', [4]).message).toContain('with status Suspended');
  expect(refused('ProposalStateInvalid', [7, 1]).message).toContain('proposal 7 is pending');
  expect(refused('CapacityRefused', [3, 5]).message).toContain(
    'machine 3 cannot give the capacity: not enough capacity is free',
  );
  expect(refused('SelfMatchIneligible', [1, 2, 19n]).message).toContain('PRICE');
  expect(refused('BondLocked', [86_400]).message).toContain('1970-01-02T00:00:00.000Z');
  expect(refused('FromRoundTooEarly', [3, 9]).message).toContain('name round 9 or later');
});

test('what only time changes is worth another try', () => {
  expect(refused('RefundTooEarly', [1, 20n]).retryable).toBe(true);
  expect(refused('NotTenant', [1, '0x0000000000000000000000000000000000000001']).retryable).toBe(false);
});

test('metadata can be printed as JSON', () => {
  expect(JSON.parse(JSON.stringify(refused('InsufficientBalance', [1n, 2n]).metadata))).toMatchObject({
    args: { available: '1', required: '2' },
    field: 'amount',
  });
});

test('reverts that are none of the market are told as they are', () => {
  const plain = new MarketCallRefusedError(
    'call',
    encodeErrorResult({ abi: parseAbi(['error Error(string message)']), args: ['no'] }),
    undefined,
  );
  expect(plain.message).toBe('call was refused: Error message no');
  expect(new MarketCallRefusedError('call', '0x', undefined).message).toBe(
    'call was refused: it reverted without a reason',
  );
  expect(new MarketCallRefusedError('call', '0xdeadbeef', undefined)).toMatchObject({ errorName: null, fix: null });
});
