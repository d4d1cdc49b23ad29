/** Gives a number from 0 up to below the given one. */
export type Random = (below: number) => number;

/** Numbers that are the same for the same seed (xorshift). */
export function randomNumbers(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
