/** Pause between looks at the head of a chain with the given block time: a quarter of it, 25 to 500 milliseconds. */
export function defaultPollIntervalMs(blockTimeMs: number): number {
  return Math.min(500, Math.max(25, Math.round(blockTimeMs / 4)));
}
