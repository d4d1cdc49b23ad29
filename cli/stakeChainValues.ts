import { getAddress, isAddress, type Address } from 'viem';

import { WHOLE_MAGNITUDE } from '../chain/eigenlayer/allocateStake.js';
import { parseDecimal } from '../protocol/icl/quantities.js';
import { InvalidFlagError } from './usage.js';

/** An address that a flag names. Throws InvalidFlagError. */
export function addressFlag(flag: string, text: string): Address {
  if (isAddress(text, { strict: false })) return getAddress(text);
  throw new InvalidFlagError(flag, `\`${text}\` is no address`, 'write 20 bytes of hex, beginning with 0x');
}

/** A magnitude out of 1e18 from a percentage like 100 or 12.5, or `free`. Throws InvalidFlagError. */
export function magnitudeFlag(flag: string, text: string): bigint | 'free' {
  if (text === 'free') return text;
  const millionths = parseDecimal(text, 6);
  if (millionths === null || millionths > 100_000_000n) {
    throw new InvalidFlagError(
      flag,
      `\`${text}\` is no percentage`,
      'write 0 to 100 with at most six decimals, or `free` for everything that no other operator set holds',
    );
  }
  return (millionths * WHOLE_MAGNITUDE) / 100_000_000n;
}

/** A block of a chain for people, with how far it is, as `block 120 (in about 14 d)`. */
export function blockText(block: number, headBlock: number, blockTimeMs: number): string {
  if (block <= headBlock) return `block ${block}`;
  return `block ${block} (in about ${spanText(((block - headBlock) * blockTimeMs) / 1000)})`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** A span of time for people, in its largest fitting unit, as `14 d`, `3.5 h` or `20 s`. */
export function spanText(seconds: number): string {
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return `${Number((seconds / size).toFixed(1))} ${unit}`;
  }
  return `${Math.ceil(seconds)} s`;
}
