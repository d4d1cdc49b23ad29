import type { Clock } from '../service/clock.js';
import { SIGNATURES_PATH, type SignatureSubmission } from '../service/signatureApi.js';
import { messageOf } from '../service/thrown.js';

/** How a post to one aggregator went: an accepted status, the code of a problem document, or `unreachable`. */
export interface PostResult {
  readonly aggregator: string;
  readonly outcome: string;
  readonly accepted: boolean;
  /** Whether it will be tried again. */
  readonly retrying: boolean;
  readonly detail: string;
  /** From the first byte sent to the answer, seconds. */
  readonly seconds: number;
}

export interface SignaturePosterOptions {
  readonly aggregators: readonly string[];
  /** Deadline of one request, milliseconds. */
  readonly requestTimeoutMs: number;
  /** First pause before a retry, milliseconds; doubles up to `maxBackoffMs`, less up to half of it by chance. */
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
}

export interface SignaturePosterDependencies {
  readonly clock: Clock;
  /** 0 <= random() < 1, for the jitter of the backoff. */
  readonly random: () => number;
  readonly fetch?: typeof fetch;
  readonly onResult: (round: number, result: PostResult) => void;
}

/** Bytes of an aggregator's answer that are read. */
const ANSWER_BYTES = 10_000;

/** Problems that another try may cure while the round is open. */
const RETRYABLE_STATUS = new Set([408, 425, 429]);

/** Delivers signatures to every aggregator at once, each with its own retries until it answers or the round closes. */
export class SignaturePoster {
  readonly #options: SignaturePosterOptions;
  readonly #dependencies: SignaturePosterDependencies;

  constructor(options: SignaturePosterOptions, dependencies: SignaturePosterDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Resolves when every aggregator has accepted or refused, or `closed` aborted. Never rejects. */
  async post(submission: SignatureSubmission, closed: AbortSignal): Promise<void> {
    const body = JSON.stringify(submission);
    await Promise.all(
      this.#options.aggregators.map((aggregator) => this.#deliver(aggregator, submission.batch.round, body, closed)),
    );
  }

  async #deliver(aggregator: string, round: number, body: string, closed: AbortSignal): Promise<void> {
    const { clock, random, onResult } = this.#dependencies;
    for (let attempt = 0; !closed.aborted; attempt++) {
      const result = await this.#attempt(aggregator, body, closed);
      if (closed.aborted && !result.accepted) return;
      onResult(round, result);
      if (!result.retrying) return;
      const backoffMs = Math.min(this.#options.firstBackoffMs * 2 ** Math.min(attempt, 20), this.#options.maxBackoffMs);
      await clock.sleep(backoffMs * (1 - random() / 2), closed);
    }
  }

  async #attempt(aggregator: string, body: string, closed: AbortSignal): Promise<PostResult> {
    const { clock } = this.#dependencies;
    const send = this.#dependencies.fetch ?? fetch;
    const start = clock.monotonicMs();
    const seconds = (): number => (clock.monotonicMs() - start) / 1000;
    try {
      const response = await send(new URL(SIGNATURES_PATH, aggregator), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([closed, AbortSignal.timeout(this.#options.requestTimeoutMs)]),
      });
      const answer = fieldsOf(await beginningOf(response));
      if (response.status === 202) {
        return {
          aggregator,
          outcome: answer.status ?? 'accepted',
          accepted: true,
          retrying: false,
          detail: '',
          seconds: seconds(),
        };
      }
      return {
        aggregator,
        outcome: answer.code ?? `http-${response.status}`,
        accepted: false,
        retrying: response.status >= 500 || RETRYABLE_STATUS.has(response.status),
        detail: answer.detail ?? `HTTP ${response.status}`,
        seconds: seconds(),
      };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return {
        aggregator,
        outcome: 'unreachable',
        accepted: false,
        retrying: true,
        detail: messageOf(cause),
        seconds: seconds(),
      };
    }
  }
}

/** The first bytes of an answer; whoever sends more than a problem document needs is not listened to. */
async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body) {
    parts.push(part);
    size += part.byteLength;
    // Leaving the loop cancels the rest.
    if (size >= ANSWER_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, ANSWER_BYTES).toString('utf8');
}

/** The text fields of an aggregator's answer that a log line may show, cut short: an aggregator is not trusted. */
function fieldsOf(text: string): { status?: string; code?: string; detail?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    const result: { status?: string; code?: string; detail?: string } = {};
    if ('status' in value && isName(value.status)) result.status = value.status;
    if ('code' in value && isName(value.code)) result.code = value.code;
    if ('detail' in value && typeof value.detail === 'string') result.detail = value.detail.slice(0, 300);
    return result;
  } catch {
    return {};
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][a-z-]{0,40}$/.test(value);
}
