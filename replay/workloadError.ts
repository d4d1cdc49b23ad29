import { MatchmakerError } from '../engine/error.js';

/** A file of machines or tasks that cannot be read as one: names the file, the line, and the column where there is one. */
export class WorkloadInvalidError extends MatchmakerError<'WORKLOAD_INVALID'> {
  constructor(file: string, line: number, column: string | null, problem: string) {
    const place = column === null ? `line ${line}` : `line ${line}, column ${column}`;
    super('WORKLOAD_INVALID', `${file}: ${place}: ${problem}`, { metadata: { file, line, column, problem } });
  }
}
