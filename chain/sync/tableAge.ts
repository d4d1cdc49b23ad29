import type { Policy } from '../../engine/policy.js';
import type { RoundTable } from './operatorTable.js';

/** What decides until when certificates under an operator table settle. */
export interface TableTerms {
  /** Reference timestamp, seconds. */
  readonly tableTimestamp: number;
  /** Of the round's policy. */
  readonly maxTableAgeSeconds: number;
  /** Of the quorum verifier; null for no limit. */
  readonly verifierMaxAgeSeconds: number | null;
}

/** `ageing`: little of the time is left, so that a newer table should have come; `stale`: settlement reverts under this one. */
export type TableStatus = 'fresh' | 'ageing' | 'stale';

/** How old an operator table is at some second, and what that means. */
export interface TableAge {
  readonly status: TableStatus;
  readonly tableTimestamp: number;
  readonly ageSeconds: number;
  /** The shorter of the two limits. */
  readonly maxAgeSeconds: number;
  /** Until the last second in which it counts; negative once that has passed. */
  readonly secondsLeft: number;
}

const BPS = 10_000;

/** What the table of a round may become, by the round's policy and the verifier. */
export function tableTermsOf({
  table,
  policy,
}: {
  readonly table: Pick<RoundTable, 'timestamp' | 'verifierMaxAgeSeconds'>;
  readonly policy: Pick<Policy, 'maxTableAgeSeconds'>;
}): TableTerms {
  return {
    tableTimestamp: table.timestamp,
    maxTableAgeSeconds: policy.maxTableAgeSeconds,
    verifierMaxAgeSeconds: table.verifierMaxAgeSeconds,
  };
}

/**
 * The age of a table in a block of `timestampSeconds`, as settlement and the quorum verifier count it: a table counts up to and including
 * the second in which it reaches the limit. It is ageing while less than `alarmBps` (basis points) of the shorter limit is left.
 */
export function tableAge(terms: TableTerms, timestampSeconds: number, alarmBps: number): TableAge {
  const { tableTimestamp, maxTableAgeSeconds, verifierMaxAgeSeconds } = terms;
  const maxAgeSeconds = Math.min(maxTableAgeSeconds, verifierMaxAgeSeconds ?? maxTableAgeSeconds);
  const ageSeconds = timestampSeconds - tableTimestamp;
  const secondsLeft = maxAgeSeconds - ageSeconds;
  const isAgeing = secondsLeft * BPS < maxAgeSeconds * alarmBps;
  const status = secondsLeft < 0 ? 'stale' : isAgeing ? 'ageing' : 'fresh';
  return { status, tableTimestamp, ageSeconds, maxAgeSeconds, secondsLeft };
}

/**
 * The age that a table has, at the least, in the first block that can settle after one of `timestampSeconds`: a block time later, rounded
 * down, because blocks faster than a second share their timestamps.
 */
export function tableAgeAtSettlement(
  terms: TableTerms,
  { timestampSeconds, blockTimeMs }: { readonly timestampSeconds: number; readonly blockTimeMs: number },
  alarmBps: number,
): TableAge {
  return tableAge(terms, timestampSeconds + Math.floor(blockTimeMs / 1_000), alarmBps);
}

/** A table's age as a sentence for logs and health checks. */
export function describeTableAge({ status, tableTimestamp, ageSeconds, maxAgeSeconds, secondsLeft }: TableAge): string {
  const table = `the operator table of ${tableTimestamp} is ${ageSeconds} s old, of at most ${maxAgeSeconds} s`;
  if (status === 'stale') return `${table}: nothing settles until a newer one is carried here and recorded`;
  return `${table}: ${secondsLeft} s left`;
}
