import { MatchmakerError } from '../engine/error.js';

/** The lock for this price and duration does not fit the 96 bits that escrow has for it. */
export class LockTooLargeError extends MatchmakerError<'LOCK_TOO_LARGE'> {
  constructor(amount: bigint) {
    super(
      'LOCK_TOO_LARGE',
      `the lock would be ${amount} token units, which does not fit 96 bits: lower price or duration`,
      {
        metadata: { amount: String(amount) },
      },
    );
  }
}

/** A token has fewer than 6 or more than 18 decimals. */
export class TokenDecimalsUnsupportedError extends MatchmakerError<'TOKEN_DECIMALS_UNSUPPORTED'> {
  constructor(decimals: number) {
    super('TOKEN_DECIMALS_UNSUPPORTED', `a token with ${decimals} decimals cannot be used: 6 to 18 are supported`, {
      metadata: { decimals },
    });
  }
}

const LOCK_LIMIT = 1n << 96n;

/**
 * Token units locked for an order: ceil(maxPrice x 10^(decimals-6) x minutes / 60), from micro-units per hour and whole minutes.
 * Throws LockTooLargeError from 2^96 on, TokenDecimalsUnsupportedError outside 6..18.
 */
export function lockAmount(maxPriceMicroPerHour: number, durationMinutes: number, decimals: number): bigint {
  const amount = (BigInt(maxPriceMicroPerHour) * unitsPerMicro(decimals) * BigInt(durationMinutes) + 59n) / 60n;
  if (amount >= LOCK_LIMIT) throw new LockTooLargeError(amount);
  return amount;
}

/**
 * Token units a lease has earned since its price began: floor(price x 10^(decimals-6) x seconds / 3600); cumulative, before what was paid.
 * Throws TokenDecimalsUnsupportedError outside 6..18.
 */
export function accruedAmount(priceMicroPerHour: number, seconds: number, decimals: number): bigint {
  return (BigInt(priceMicroPerHour) * unitsPerMicro(decimals) * BigInt(seconds)) / 3600n;
}

function unitsPerMicro(decimals: number): bigint {
  if (!Number.isInteger(decimals) || decimals < 6 || decimals > 18) throw new TokenDecimalsUnsupportedError(decimals);
  return 10n ** BigInt(decimals - 6);
}
