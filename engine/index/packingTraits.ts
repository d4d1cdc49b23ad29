import { WHOLE_DEVICE } from '../devices.js';
import { LACKS_CPU, LACKS_MEMORY } from '../packing.js';

/**
 * What decides how little a machine with GPUs can lose by an order, in three bits: LACKS_CPU, LACKS_MEMORY and PARTLY_FREE. A node has the
 * bits of all rows below it; what a bit says can only make the least loss smaller.
 */
export const PARTLY_FREE = 4;
/** How many combinations of traits there are. */
export const TRAITS = 8;

/** A row's `devices`: most that one device has free in bits 0..9, wholly free devices from bit 10 on, what the machine lacks from bit 14 on. */
export const WHOLE_SHIFT = 10;
export const WHOLE_MASK = 15;
export const LACK_SHIFT = 14;

/** Traits of a row of a machine with GPUs, by its columns. */
export function traitsOf(total: number, devices: number): number {
  const whole = (devices >>> WHOLE_SHIFT) & WHOLE_MASK;
  return (devices >>> LACK_SHIFT) | (whole * WHOLE_DEVICE === total ? 0 : PARTLY_FREE);
}

/** What of a machine's traits it lacks, as `Packing.lackOf` tells. */
export function lackIn(traits: number): number {
  return traits & (LACKS_CPU | LACKS_MEMORY);
}
