/**
 * A unit price in 16 bits, rounded down: 12 bits of mantissa below a hidden one, 4 bits of exponent. Exact up to 8191; what does not fit
 * becomes the highest value. A price below the true one can only raise a bound.
 */
export function compactPrice(price: number): number {
  if (price < 4096) return price;
  const shift = 19 - Math.clz32(price);
  if (shift > 14) return 0xffff;
  return ((shift + 1) << 12) | ((price >>> shift) & 0xfff);
}

/** The price that `compactPrice` kept. */
export function expandPrice(compact: number): number {
  return compact < 4096 ? compact : ((compact & 0xfff) | 0x1000) << ((compact >>> 12) - 1);
}
