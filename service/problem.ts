import { MatchmakerError } from '../engine/error.js';

/** One field of a request that is wrong. */
export interface FieldProblem {
  /** JSON pointer into the body, for example "/batch/round". */
  readonly field: string;
  readonly detail: string;
}

/** An RFC 9457 problem document; `code` is stable and meant for machines. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
}

/** A request refused on purpose: carries the HTTP status and the stable code of its problem document. */
export class HttpProblem extends MatchmakerError {
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldProblem[];

  constructor(options: {
    status: number;
    code: string;
    title: string;
    detail: string;
    errors?: readonly FieldProblem[];
    retryable?: boolean;
  }) {
    super(options.code, options.detail, { retryable: options.retryable ?? false });
    this.status = options.status;
    this.title = options.title;
    this.errors = options.errors ?? [];
  }

  /** The document sent to the client. */
  toDocument(): ProblemDocument {
    return {
      type: `urn:matchmaker:problem:${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors.length === 0 ? {} : { errors: this.errors }),
    };
  }
}
