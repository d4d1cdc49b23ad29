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
const BPS = 10_000n;
const SECONDS_PER_HOUR = 3600n;
const MOST_SECONDS = 2 ** 32 - 1;

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
 * Token units that an order locks on top of its cost for the user fee: ceil(cost x feeBps / 10000), rounded up so that the fee of
 * everything that accrues, rounded down, never exceeds it.
 */
export function userFeeAmount(cost: bigint, userFeeBps: number): bigint {
  return (cost * BigInt(userFeeBps) + BPS - 1n) / BPS;
}

/**
 * Token units to lock for an order or lease of `cost` (G), user fee included: what Escrow.lockAmount answers.
 * Throws LockTooLargeError from 2^96 on.
 */
export function lockAmountWithFee(cost: bigint, userFeeBps: number): bigint {
  const amount = cost + userFeeAmount(cost, userFeeBps);
  if (amount >= LOCK_LIMIT) throw new LockTooLargeError(amount);
  return amount;
}

/**
 * Token units a lease has earned since its price began: floor(price x 10^(decimals-6) x seconds / 3600); cumulative, before what was paid.
 * Throws TokenDecimalsUnsupportedError outside 6..18.
 */
export function accruedAmount(priceMicroPerHour: number, seconds: number, decimals: number): bigint {
  return (BigInt(priceMicroPerHour) * unitsPerMicro(decimals) * BigInt(seconds)) / SECONDS_PER_HOUR;
}

/**
 * Token units to be locked so that a price can be paid for a time: ceil(price x 10^(decimals-6) x seconds / 3600), so that the accrual,
 * rounded down, never exceeds it. Throws TokenDecimalsUnsupportedError outside 6..18.
 */
export function costAmount(priceMicroPerHour: number, seconds: number, decimals: number): bigint {
  const scaled = BigInt(priceMicroPerHour) * unitsPerMicro(decimals) * BigInt(seconds);
  return (scaled + SECONDS_PER_HOUR - 1n) / SECONDS_PER_HOUR;
}

/** End of the paid time of a lease, in seconds: ready plus its whole minutes, at most what 32 bits hold. */
export function paidThroughSeconds(readyAtSeconds: number, durationMinutes: number): number {
  return Math.min(readyAtSeconds + durationMinutes * 60, MOST_SECONDS);
}

/** What decides a lease's accrual; times in seconds since the epoch, amounts in token units. */
export interface LeaseMeter {
  readonly readyAtSeconds: number;
  /** Start of the current price: ready, or the newest accepted update. */
  readonly pricedAtSeconds: number;
  readonly paidThroughSeconds: number;
  readonly priceMicroPerHour: number;
  readonly decimals: number;
  /** Earned under earlier prices. */
  readonly earnedBefore: bigint;
}

/**
 * What a lease has earned in all by `atSeconds` (G), at most by its paid-through time. Needs `atSeconds` from the start of the price on.
 * Throws TokenDecimalsUnsupportedError outside 6..18.
 */
export function leaseAccrued(meter: LeaseMeter, atSeconds: number): bigint {
  const untilSeconds = Math.min(atSeconds, meter.paidThroughSeconds);
  return (
    meter.earnedBefore + accruedAmount(meter.priceMicroPerHour, untilSeconds - meter.pricedAtSeconds, meter.decimals)
  );
}

/**
 * What a tenant owes in all that closes after ready (G): what accrued, at least the minimum charge, never more than the whole. A minimum of 0
 * seconds is that of a provider which is suspended or deactivated. Throws TokenDecimalsUnsupportedError outside 6..18.
 */
export function chargeOnTenantClose(meter: LeaseMeter, atSeconds: number, minimumChargeSeconds: number): bigint {
  return leaseAccrued(meter, Math.max(atSeconds, meter.readyAtSeconds + minimumChargeSeconds));
}

/**
 * Cost (G) that the lock of a running lease must hold from the start of the order to its paid-through time.
 * Throws TokenDecimalsUnsupportedError outside 6..18.
 */
export function leaseCost(meter: LeaseMeter): bigint {
  const seconds = meter.paidThroughSeconds - meter.pricedAtSeconds;
  return meter.earnedBefore + costAmount(meter.priceMicroPerHour, seconds, meter.decimals);
}

/** Fees that an order locked under, in basis points. */
export interface OrderFees {
  readonly userFeeBps: number;
  readonly providerFeeBps: number;
  readonly foundationFeeBps: number;
}

/** Who gets what of an accrual, in token units; the tenant pays the sum of all. */
export interface AccrualShares {
  readonly toProvider: bigint;
  /** Provider fee and user fee. */
  readonly toTreasury: bigint;
  readonly toFoundation: bigint;
}

/**
 * Shares of a cumulative accrual (G) as LeaseFees computes them: each fee floor(G x bps / 10000), the user fee on top of G, the other two
 * out of it.
 */
export function splitAccrued(accrued: bigint, fees: OrderFees): AccrualShares {
  const feeOf = (bps: number): bigint => (accrued * BigInt(bps)) / BPS;
  const providerFee = feeOf(fees.providerFeeBps);
  const toFoundation = feeOf(fees.foundationFeeBps);
  return {
    toProvider: accrued - providerFee - toFoundation,
    toTreasury: providerFee + feeOf(fees.userFeeBps),
    toFoundation,
  };
}

/**
 * What Escrow.pay credits when `paid` (G) was paid and `accrued` (G) has accrued. A single unit at which both of the provider's fees step would
 * be taken from the provider: it waits, and `paid` stays as it was. The caller has `accrued` within the lock.
 */
export function paymentOf(paid: bigint, accrued: bigint, fees: OrderFees): AccrualShares & { readonly paid: bigint } {
  const before = splitAccrued(paid, fees);
  const after = splitAccrued(accrued, fees);
  if (accrued <= paid || after.toProvider < before.toProvider) {
    return { toProvider: 0n, toTreasury: 0n, toFoundation: 0n, paid };
  }
  return {
    toProvider: after.toProvider - before.toProvider,
    toTreasury: after.toTreasury - before.toTreasury,
    toFoundation: after.toFoundation - before.toFoundation,
    paid: accrued,
  };
}

function unitsPerMicro(decimals: number): bigint {
  if (!Number.isInteger(decimals) || decimals < 6 || decimals > 18) throw new TokenDecimalsUnsupportedError(decimals);
  return 10n ** BigInt(decimals - 6);
}
