import type { Address } from 'viem';

/** Units of a token that moved from one account to another. */
export interface TokenTransfer {
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
}

/** What somebody can still take out of a contract, and under what name the report adds it up. */
export interface Entitlement {
  readonly kind: string;
  readonly amount: bigint;
}

/** What the chain says of one token in one contract of the market. */
export interface TokenHolding {
  readonly symbol: string;
  readonly decimals: number;
  readonly contractName: string;
  readonly contract: Address;
  /** Every transfer of the token to or from the contract. */
  readonly transfers: readonly TokenTransfer[];
  /** The token's own `balanceOf` the contract, units. */
  readonly balance: bigint;
  /** The contract's own sum of what it owes, units; null for a contract that must never hold any. */
  readonly liabilities: bigint | null;
  readonly entitlements: readonly Entitlement[];
  /** What an account is in the market; the report adds up payments by it. */
  readonly roleOf: (account: Address) => string;
}

/** A token's way through a contract, in units. */
export interface TokenAccount {
  readonly symbol: string;
  readonly decimals: number;
  readonly contractName: string;
  readonly paidIn: bigint;
  readonly paidOut: bigint;
  readonly held: bigint;
  readonly paidOutBy: ReadonlyMap<string, bigint>;
  readonly owedBy: ReadonlyMap<string, bigint>;
  /** Units that are missing or too many, each way of counting against the next; all 0 when every unit is accounted for. */
  readonly differences: {
    /** In minus out minus balance. */
    readonly flow: bigint;
    /** Balance minus the contract's liabilities. */
    readonly liabilities: bigint;
    /** Liabilities minus the sum of all entitlements. */
    readonly entitlements: bigint;
  };
}

/** Adds up a token's way through a contract: by transfers, by balance, by the contract's own books, and by every single account's. */
export function tokenAccount(holding: TokenHolding): TokenAccount {
  const { symbol, decimals, contractName, contract, transfers, balance, entitlements, roleOf } = holding;
  const incoming = transfers.filter(({ to }) => to === contract);
  const outgoing = transfers.filter(({ from }) => from === contract);
  const paidIn = sum(incoming);
  const paidOut = sum(outgoing);
  const liabilities = holding.liabilities ?? 0n;
  return {
    symbol,
    decimals,
    contractName,
    paidIn,
    paidOut,
    held: balance,
    paidOutBy: totals(outgoing.map(({ to, amount }) => ({ kind: roleOf(to), amount }))),
    owedBy: totals(entitlements),
    differences: {
      flow: paidIn - paidOut - balance,
      liabilities: balance - liabilities,
      entitlements: liabilities - sum(entitlements),
    },
  };
}

/** Sum of all differences' sizes in units, over all accounts: 0 or something is wrong. */
export function tokenDifference(accounts: readonly TokenAccount[]): bigint {
  return accounts
    .flatMap(({ differences }) => Object.values(differences))
    .reduce((total, difference) => total + (difference < 0n ? -difference : difference), 0n);
}

/** One sentence for each difference that is not 0. */
export function tokenMismatches(accounts: readonly TokenAccount[]): string[] {
  return accounts.flatMap(({ symbol, contractName, differences }) =>
    Object.entries(differences)
      .filter(([, difference]) => difference !== 0n)
      .map(([name, difference]) => `${symbol} in ${contractName}: ${difference} units, counted by ${name}`),
  );
}

function sum(parts: readonly { readonly amount: bigint }[]): bigint {
  return parts.reduce((total, { amount }) => total + amount, 0n);
}

function totals(parts: readonly Entitlement[]): Map<string, bigint> {
  const byKind = new Map<string, bigint>();
  for (const { kind, amount } of parts) {
    if (amount > 0n) byKind.set(kind, (byKind.get(kind) ?? 0n) + amount);
  }
  return byKind;
}
