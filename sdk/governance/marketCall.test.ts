import { expect, test } from '@jest/globals';
import type { Address } from 'viem';
import type { MarketContracts } from '../marketClient.js';
import { decodeMarketCall, functionsOf, marketCall, selectorOf, type ContractName } from './marketCall.js';

const NAMES = [
  'accessManager',
  'marketPause',
  'tokenRegistry',
  'matchPolicy',
  'stakingManager',
  'complianceRegistry',
  'providerRegistry',
  'providerAdmission',
  'providerAttributes',
  'certificateRegistry',
  'escrow',
  'orderRequest',
  'bid',
  'computeLease',
  'matchSettlement',
  'signedCalls',
  'rewardOracle',
  'rewarder',
] as const satisfies readonly ContractName[];
const addressAt = (index: number): Address => `0x${(index + 1).toString(16).padStart(40, '0')}`;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `satisfies` and the type of the market name the same contracts
const contracts = Object.fromEntries(NAMES.map((name, index) => [name, addressAt(index)])) as MarketContracts;

test('the example of the help is a call, and reads back from its data', () => {
  const terms = { maxBidsPerOrder: 32, maxBidsPerProvider: 256, bondMicro: 1_000_000 };
  const call = marketCall({ contracts }, { contract: 'bid', functionName: 'setBidTerms', args: [terms] });
  expect(call).toMatchObject({ target: contracts.bid, args: [terms] });
  expect(decodeMarketCall({ contracts }, call)).toEqual(call);
  expect(selectorOf(call)).toBe(call.data.slice(0, 10));
});

test('data of no function, and targets outside the market, are no calls', () => {
  expect(decodeMarketCall({ contracts }, { target: contracts.bid, data: '0xdeadbeef' })).toBeNull();
  expect(decodeMarketCall({ contracts }, { target: addressAt(99), data: '0xdeadbeef' })).toBeNull();
});

test('what does not change anything cannot be scheduled, and every proxy can be upgraded', () => {
  expect(() => marketCall({ contracts }, { contract: 'escrow', functionName: 'feeTerms', args: [] })).toThrow(
    'escrow has no feeTerms that changes anything; it has chooseSponsor, ',
  );
  expect(() => marketCall({ contracts }, { contract: 'escrow', functionName: 'setFeeTerm', args: [] })).toThrow(
    'did you mean setFeeTerms?',
  );
  const fixed = NAMES.filter((name) => !functionsOf(name).some((of) => of.name === 'upgradeToAndCall'));
  expect(fixed).toEqual(['accessManager', 'providerRegistry', 'orderRequest', 'matchSettlement']);
});
