/** What every typed error of the project carries: a stable code, metadata for machines, and whether trying again makes sense. */
export abstract class MatchmakerError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** True when the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean;

  constructor(
    code: Code,
    message: string,
    options: { metadata?: Record<string, unknown>; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.metadata = options.metadata ?? {};
    this.retryable = options.retryable ?? false;
  }
}
