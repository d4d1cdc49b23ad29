import { expect, test } from '@jest/globals';
import type { Address } from 'viem';
import { EigenClaimTree } from '../../protocol/rewards/eigenClaimTree.js';
import { ClaimFileError, formatEarnings, parseClaim, parseEarnings } from './claimFile.js';

const account = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`;
const EARNINGS = [
  { earner: account(1), token: account(9), cumulative: 10n ** 30n },
  { earner: account(2), token: account(9), cumulative: 7n },
];

test('earnings are read back as they were written', () => {
  const { root } = new EigenClaimTree(EARNINGS);
  const file = { chainId: 31_337, rewardsCoordinator: account(5), root, earnings: EARNINGS };
  expect(parseEarnings(JSON.parse(formatEarnings(file)))).toEqual(file);
});

test('a claim is read with its amounts as integers', () => {
  const claim = new EigenClaimTree(EARNINGS).claimOf(3, account(1));
  const json: unknown = JSON.parse(
    JSON.stringify(claim, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  );
  expect(parseClaim(json)).toEqual(claim);
});

test('what is wrong is named all at once', () => {
  const bad = { format: 'matchmaker-earnings-1', chainId: 0, rewardsCoordinator: '0x1', root: 'x', earnings: [] };
  expect(() => parseEarnings(bad)).toThrow(ClaimFileError);
  expect(() => parseEarnings(bad)).toThrow(/chainId: [^]*rewardsCoordinator: must be an address[^]*root: must be hex/);
  expect(() => parseEarnings({ ...bad, format: 'another' })).toThrow('format');
  expect(() => parseClaim({ rootIndex: -1 })).toThrow('rootIndex');
});
