import type { Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';

/** An operator's signatures over a period: in how many settled rounds, and the sum of the weights that they had in them. */
export interface SigningCredit {
  readonly operator: Address;
  readonly rounds: number;
  readonly weight: bigint;
}

/** One operator's signature under one settled round. */
export interface RoundSignature {
  readonly round: number;
  readonly operator: Address;
  /** In the operator table that the round's certificate names. */
  readonly weight: bigint;
}

/** What an operator gets, smallest units of the reward token; never 0. */
export interface OperatorAmount {
  readonly operator: Address;
  readonly amount: bigint;
}

/** Nobody's signature counts in the period, so there is nobody to pay. */
export class NoParticipationError extends MatchmakerError<'NO_PARTICIPATION'> {
  constructor() {
    super('NO_PARTICIPATION', 'no operator signed a settled round in this period: choose a period with settled rounds');
  }
}

/** The amount cannot be paid out. */
export class PayoutAmountError extends MatchmakerError<'PAYOUT_AMOUNT'> {
  constructor(amount: bigint) {
    super('PAYOUT_AMOUNT', `${amount} units cannot be paid out: name an amount from 1 to ${MOST_PAID_AT_ONCE} units`, {
      metadata: { amount: String(amount) },
    });
  }
}

/** RewardsCoordinator takes no more in one submission: 1e38 - 1 units. */
export const MOST_PAID_AT_ONCE = 10n ** 38n - 1n;

/** Adds up signatures by operator, ascending by address. The same operator counts once a round, with its largest weight in it. */
export function signingCredits(signatures: readonly RoundSignature[]): readonly SigningCredit[] {
  const weights = new Map<Address, Map<number, bigint>>();
  for (const { round, operator, weight } of signatures) {
    const ofOperator = weights.get(operator) ?? new Map<number, bigint>();
    weights.set(operator, ofOperator);
    const known = ofOperator.get(round) ?? -1n;
    if (weight > known) ofOperator.set(round, weight);
  }
  return [...weights]
    .map(([operator, byRound]) => ({
      operator,
      rounds: byRound.size,
      weight: [...byRound.values()].reduce((sum, weight) => sum + weight, 0n),
    }))
    .sort((a, b) => (BigInt(a.operator) < BigInt(b.operator) ? -1 : 1));
}

/**
 * Divides an amount in proportion to signing weight, ascending by operator. Each operator's share is rounded down; the units that are left,
 * fewer than operators, go one each to those whose share lost most by rounding, of equals to the lower address (largest remainder), so the
 * parts add up to the amount. Who gets nothing is left out, as EigenLayer refuses an amount of 0.
 * Throws NoParticipationError and PayoutAmountError.
 */
export function operatorPayout(amount: bigint, credits: readonly SigningCredit[]): readonly OperatorAmount[] {
  if (amount < 1n || amount > MOST_PAID_AT_ONCE) throw new PayoutAmountError(amount);
  const total = credits.reduce((sum, { weight }) => sum + weight, 0n);
  if (total === 0n) throw new NoParticipationError();
  const ascending = [...credits].sort((a, b) => (BigInt(a.operator) < BigInt(b.operator) ? -1 : 1));
  const shares = ascending.map(({ operator, weight }) => ({
    operator,
    floor: (amount * weight) / total,
    lost: (amount * weight) % total,
  }));
  const left = amount - shares.reduce((sum, { floor }) => sum + floor, 0n);
  const byLoss = [...shares].sort((a, b) => (a.lost === b.lost ? 0 : a.lost > b.lost ? -1 : 1));
  const rounded = new Set(byLoss.slice(0, Number(left)).map(({ operator }) => operator));
  return shares
    .map(({ operator, floor }) => ({ operator, amount: rounded.has(operator) ? floor + 1n : floor }))
    .filter((share) => share.amount > 0n);
}
