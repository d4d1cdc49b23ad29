import { MatchmakerError } from '../../engine/error.js';

/** One thing that is wrong with an ICL document. */
export interface IclProblem {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
  /** Where in the document, as `profiles.placement.eu.pricing`; empty for the document itself. */
  readonly path: string;
  readonly problem: string;
  /** What to write instead. */
  readonly fix: string;
}

/** An ICL document that cannot become orders; `problems` lists everything that is wrong with it, in the order of its lines. */
export class IclInvalidError extends MatchmakerError<'ICL_INVALID'> {
  readonly problems: readonly IclProblem[];

  constructor(problems: readonly IclProblem[]) {
    super('ICL_INVALID', `the ICL document is not valid:\n${problems.map(describeProblem).join('\n')}`, {
      metadata: { problems },
    });
    this.problems = problems;
  }
}

function describeProblem({ line, column, path, problem, fix }: IclProblem): string {
  return `  line ${line}, column ${column}: ${path === '' ? '' : `${path}: `}${problem}; ${fix}`;
}
