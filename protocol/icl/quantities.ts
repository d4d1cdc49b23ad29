const SIZE_FACTORS: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1000n,
  Ki: 1n << 10n,
  M: 1000n ** 2n,
  Mi: 1n << 20n,
  G: 1000n ** 3n,
  Gi: 1n << 30n,
  T: 1000n ** 4n,
  Ti: 1n << 40n,
  P: 1000n ** 5n,
  Pi: 1n << 50n,
  E: 1000n ** 6n,
  Ei: 1n << 60n,
};

const SECONDS: Readonly<Record<string, bigint>> = {
  s: 1n,
  min: 60n,
  h: 3_600n,
  d: 86_400n,
  mon: 30n * 86_400n,
  y: 365n * 86_400n,
};

/** Longest number that is read; more digits than any quantity of the market needs. */
const MOST_DIGITS = 40;

/**
 * A plain decimal number times 10^decimals as an integer, exactly; null when the text is none or has more decimals.
 * Signs, exponents, hex and empty parts are refused.
 */
export function parseDecimal(text: string, decimals: number): bigint | null {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null || text.length > MOST_DIGITS) return null;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return null;
  return BigInt((match[1] ?? '') + fraction.padEnd(decimals, '0'));
}

/** Thousandths of a core from `1`, `0.5` or `100m`; null when the text is none of them. */
export function parseCpuMilli(text: string): bigint | null {
  return text.endsWith('m') ? parseDecimal(text.slice(0, -1), 0) : parseDecimal(text, 3);
}

/** Bytes from a number with k, Ki, M, Mi, G, Gi, T, Ti, P, Pi, E, Ei or nothing behind it; rounded up; null when it is none. */
export function parseBytes(text: string): bigint | null {
  const match = /^([\d.]+)([A-Za-z]*)$/.exec(text);
  const factor = match === null ? undefined : SIZE_FACTORS[match[2] ?? ''];
  const value = match === null ? null : parseDecimal(match[1] ?? '', FRACTION_DIGITS);
  if (factor === undefined || value === null) return null;
  return divideUp(value * factor, 10n ** BigInt(FRACTION_DIGITS));
}

const FRACTION_DIGITS = 9;

/** Whole minutes from a number with s, min, h, d, mon (30 days) or y (365 days) behind it; rounded up; null when it is none. */
export function parseDurationMinutes(text: string): bigint | null {
  const match = /^([\d.]+)([a-z]+)$/.exec(text);
  const seconds = match === null ? undefined : SECONDS[match[2] ?? ''];
  const value = match === null ? null : parseDecimal(match[1] ?? '', FRACTION_DIGITS);
  if (seconds === undefined || value === null) return null;
  return divideUp(value * seconds, 60n * 10n ** BigInt(FRACTION_DIGITS));
}

/** Quotient of two positive integers, rounded up. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
