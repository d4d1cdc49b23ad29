/** How many entries a column that must hold `needed` is given, so that it need not grow with each one more. */
export function withReserve(needed: number): number {
  return needed + (needed >>> 5) + 8;
}
