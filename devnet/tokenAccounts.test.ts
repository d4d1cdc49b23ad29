import { describe, expect, it } from '@jest/globals';
import type { Address } from 'viem';
import { tokenAccount, tokenDifference, tokenMismatches, type TokenHolding } from './tokenAccounts.js';

const ESCROW: Address = '0x00000000000000000000000000000000000000e5';
const TENANT: Address = '0x0000000000000000000000000000000000000001';
const PROVIDER: Address = '0x0000000000000000000000000000000000000002';

const holding: TokenHolding = {
  symbol: 'uSPON',
  decimals: 6,
  contractName: 'escrow',
  contract: ESCROW,
  transfers: [
    { from: TENANT, to: ESCROW, amount: 1_000_000n },
    { from: ESCROW, to: PROVIDER, amount: 300_000n },
    { from: ESCROW, to: TENANT, amount: 200_001n },
  ],
  balance: 499_999n,
  liabilities: 499_999n,
  entitlements: [
    { kind: 'balances', amount: 400_000n },
    { kind: 'locks', amount: 99_999n },
    { kind: 'bonds', amount: 0n },
  ],
  roleOf: (account) => (account === PROVIDER ? 'providers' : 'tenants'),
};

describe('tokenAccount', () => {
  it('adds up a market in which every unit is accounted for', () => {
    const account = tokenAccount(holding);
    expect(account).toMatchObject({ paidIn: 1_000_000n, paidOut: 500_001n, held: 499_999n });
    expect([...account.paidOutBy]).toEqual([
      ['providers', 300_000n],
      ['tenants', 200_001n],
    ]);
    expect([...account.owedBy]).toEqual([
      ['balances', 400_000n],
      ['locks', 99_999n],
    ]);
    expect(tokenDifference([account])).toBe(0n);
    expect(tokenMismatches([account])).toEqual([]);
  });

  it.each<[string, Partial<TokenHolding>, string[]]>([
    [
      'a unit that a transfer took and the balance does not lack',
      { transfers: [...holding.transfers.slice(0, 2), { from: ESCROW, to: TENANT, amount: 200_002n }] },
      ['flow'],
    ],
    ['a unit that is not there', { balance: 499_998n }, ['flow', 'liabilities']],
    ['a unit that nobody is owed', { liabilities: 499_998n }, ['liabilities', 'entitlements']],
    [
      "a unit missing in somebody's entitlement",
      { entitlements: [{ kind: 'balances', amount: 499_998n }] },
      ['entitlements'],
    ],
  ])('finds %s', (_, change, counted) => {
    const account = tokenAccount({ ...holding, ...change });
    expect(tokenMismatches([account]).map((line) => line.split(' by ')[1])).toEqual(counted);
    expect(tokenDifference([account])).toBe(BigInt(counted.length));
  });

  it('finds differences that would cancel out over two accounts', () => {
    const tooMany = tokenAccount({ ...holding, balance: 500_000n, liabilities: 500_000n });
    const tooFew = tokenAccount({ ...holding, balance: 499_998n, liabilities: 499_998n });
    expect(tokenDifference([tooMany, tooFew])).toBe(4n);
  });

  it('finds a token in a contract that must never hold any', () => {
    const account = tokenAccount({ ...holding, balance: 1n, liabilities: null, entitlements: [], transfers: [] });
    expect(tokenMismatches([account])).toHaveLength(2);
  });
});
