import type { Address } from 'viem';
import { BPS } from './eraInput.js';

/** Stake behind an operator, weighted over strategies as a submission says. */
export interface StakerWeight {
  readonly staker: Address;
  readonly weight: bigint;
}

/**
 * Splits an operator's reward as EigenLayer does: its split (basis points, rounded down) to the operator, the rest to its stakers in
 * proportion to their stake, each rounded down. What rounding left, and everything when nobody has stake, goes to the operator, so the
 * parts add up. An operator that is its own staker occurs twice.
 */
export function splitOperatorReward(
  amount: bigint,
  operator: { readonly operator: Address; readonly splitBps: number },
  stakers: readonly StakerWeight[],
): readonly { readonly earner: Address; readonly amount: bigint }[] {
  const total = stakers.reduce((sum, { weight }) => sum + weight, 0n);
  const forStakers = total === 0n ? 0n : amount - (amount * BigInt(operator.splitBps)) / BPS;
  const parts = stakers.map(({ staker, weight }) => ({
    earner: staker,
    amount: total === 0n ? 0n : (forStakers * weight) / total,
  }));
  const given = parts.reduce((sum, part) => sum + part.amount, 0n);
  return [{ earner: operator.operator, amount: amount - given }, ...parts].filter((part) => part.amount > 0n);
}
