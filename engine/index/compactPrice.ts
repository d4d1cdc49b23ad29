/**
 * A unit price below 2^27 in 16 bits, rounded down: 12 bits of mantissa below a hidden one, 4 bits of exponent. Exact up to 8191; what
 * does not fit becomes the highest value. A price below the true one can only raise a bound.
 */
export function compactPrice(price: number): number {
  if (price < 4096) return price;
  if (price >= 0x0800_0000) return 0xffff;
  const shift = 19 - Math.clz32(price);
  return ((shift + 1) << 12) | ((price >>> shift) & 0xfff);
}

/** The price that `compactPrice` kept. */
export function expandPrice(compact: number): number {
  return compact < 4096 ? compact : ((compact & 0xfff) | 0x1000) << ((compact >>> 12) - 1);
}
