import type { MatchRecord } from '../../engine/record.js';

/** Whether two records, or their absence, are the same in every field. */
export function isSameRecord(a: MatchRecord | undefined, b: MatchRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const keys = Object.keys(a) as (keyof MatchRecord)[];
  return keys.every((key) => a[key] === b[key]);
}
