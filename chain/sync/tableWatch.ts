import type { RoundContext } from './roundFollower.js';
import { tableAge, tableAgeAtSettlement, tableTermsOf } from './tableAge.js';
import type { TableAge, TableTerms } from './tableAge.js';

export interface TableWatchOptions {
  readonly blockTimeMs: number;
  /** Below this share of its time, basis points, a table is ageing. */
  readonly alarmBps: number;
}

/** Follows the age of the operator table of the newest round by the chain's own clock. */
export class TableWatch {
  readonly #options: TableWatchOptions;
  #terms: TableTerms | null = null;
  #timestampSeconds = 0;

  constructor(options: TableWatchOptions) {
    this.#options = options;
  }

  /** Takes the table of a round, in the second of the round's snapshot block. */
  onRound({ table, policy, snapshot }: Pick<RoundContext, 'table' | 'policy' | 'snapshot'>): void {
    this.#terms = tableTermsOf({ table, policy });
    this.onBlock(snapshot.timestampSeconds);
  }

  /** Takes the timestamp (seconds) of the newest block followed. */
  onBlock(timestampSeconds: number): void {
    this.#timestampSeconds = timestampSeconds;
  }

  /** The age of the newest round's table in the newest block; null before the first round. */
  get age(): TableAge | null {
    return this.#terms === null ? null : tableAge(this.#terms, this.#timestampSeconds, this.#options.alarmBps);
  }

  /** The least age that a round's table has when a certificate settles next. */
  ageAtSettlement(round: Pick<RoundContext, 'table' | 'policy'>): TableAge {
    const { blockTimeMs, alarmBps } = this.#options;
    const head = { timestampSeconds: this.#timestampSeconds, blockTimeMs };
    return tableAgeAtSettlement(tableTermsOf(round), head, alarmBps);
  }

  /** Whether a table of `tableTimestamp` (seconds) would be of no use in a block of `timestampSeconds` under the limits of the newest round's. */
  wouldBeStale(tableTimestamp: number, timestampSeconds: number): boolean {
    if (this.#terms === null) return false;
    const { alarmBps } = this.#options;
    return tableAge({ ...this.#terms, tableTimestamp }, timestampSeconds, alarmBps).status === 'stale';
  }
}
