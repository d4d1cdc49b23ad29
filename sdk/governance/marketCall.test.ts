import { expect, test } from '@jest/globals';
import { zeroAddress } from 'viem';
import { MARKET_CONTRACTS, testDeployment } from '../../test/support/testDeployment.js';
import { decodeMarketCall, functionsOf, marketCall, selectorOf } from './marketCall.js';

const contracts = testDeployment().contracts;

test('the example of the help is a call, and reads back from its data', () => {
  const terms = { maxBidsPerOrder: 32, maxBidsPerProvider: 256, bondMicro: 1_000_000 };
  const call = marketCall({ contracts }, { contract: 'bid', functionName: 'setBidTerms', args: [terms] });
  expect(call).toMatchObject({ target: contracts.bid, args: [terms] });
  expect(decodeMarketCall({ contracts }, call)).toEqual(call);
  expect(selectorOf(call)).toBe(call.data.slice(0, 10));
});

test('data of no function, and targets outside the market, are no calls', () => {
  expect(decodeMarketCall({ contracts }, { target: contracts.bid, data: '0xdeadbeef' })).toBeNull();
  expect(decodeMarketCall({ contracts }, { target: zeroAddress, data: '0xdeadbeef' })).toBeNull();
});

test('what does not change anything cannot be scheduled, and every proxy can be upgraded', () => {
  expect(() => marketCall({ contracts }, { contract: 'escrow', functionName: 'feeTerms', args: [] })).toThrow(
    'escrow has no feeTerms that changes anything; it has chooseSponsor, ',
  );
  expect(() => marketCall({ contracts }, { contract: 'escrow', functionName: 'setFeeTerm', args: [] })).toThrow(
    'did you mean setFeeTerms?',
  );
  const fixed = MARKET_CONTRACTS.filter((name) => !functionsOf(name).some((of) => of.name === 'upgradeToAndCall'));
  expect(fixed).toEqual(['accessManager', 'providerRegistry', 'orderRequest', 'matchSettlement']);
});
