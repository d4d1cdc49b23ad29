/** A span in which a provider was disconnected or paused, seconds since 1970. */
export interface Outage {
  readonly fromSeconds: number;
  /** When it was back; null while it is not. */
  readonly toSeconds: number | null;
}

/**
 * Seconds of an era that earn nothing: every outage and the cooldown after its end, each second once. Outages of the era before count with
 * the part, or the cooldown, that reaches into this one. Throws RangeError for an outage that ends before it begins.
 * Formula: Spheron's cooldown without availability rewards after a node reconnects.
 */
export function idleSecondsOf(
  outages: readonly Outage[],
  era: { readonly fromSeconds: number; readonly toSeconds: number },
  cooldownSeconds: number,
): number {
  const spans = outages
    .map(({ fromSeconds, toSeconds }) => {
      if (toSeconds !== null && toSeconds < fromSeconds) {
        throw new RangeError(`an outage from ${fromSeconds} ends at ${toSeconds}, before it begins`);
      }
      return {
        from: Math.max(fromSeconds, era.fromSeconds),
        to: Math.min(toSeconds === null ? era.toSeconds : toSeconds + cooldownSeconds, era.toSeconds),
      };
    })
    .sort((a, b) => a.from - b.from);
  let idle = 0;
  let countedTo = era.fromSeconds;
  for (const { from, to } of spans) {
    const begin = Math.max(from, countedTo);
    if (to <= begin) continue;
    idle += to - begin;
    countedTo = to;
  }
  return idle;
}
