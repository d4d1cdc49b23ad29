import { isHex } from 'viem';
import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { RpcCall } from './rpcCall.js';

/** The node did not answer in time, or not at all, or asked to be left alone; the same call may succeed later. */
export class RpcUnavailableError extends MatchmakerError<'RPC_UNAVAILABLE'> {
  constructor(message: string, options: { metadata?: Record<string, unknown>; cause?: unknown } = {}) {
    super('RPC_UNAVAILABLE', message, { ...options, retryable: true });
  }
}

/** The node answered with an error, or with something that is not an answer to the question. */
export class RpcAnswerError extends MatchmakerError<'RPC_ANSWER'> {
  /** JSON-RPC error code, or 0 where the answer was not one. */
  readonly rpcCode: number;
  /** Revert data, where the node gave it. */
  readonly data: Hex | null;

  constructor(
    message: string,
    options: { rpcCode?: number; data?: Hex | null; metadata?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super('RPC_ANSWER', message, {
      metadata: { ...options.metadata, rpcCode: options.rpcCode ?? 0 },
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.rpcCode = options.rpcCode ?? 0;
    this.data = options.data ?? null;
  }
}

/** The node serves another chain than the one configured. */
export class RpcWrongChainError extends MatchmakerError<'RPC_WRONG_CHAIN'> {
  constructor(expected: number, actual: number) {
    super(
      'RPC_WRONG_CHAIN',
      `the RPC serves chain ${actual}, not ${expected}: fix the RPC URL or the deployment file`,
      {
        metadata: { expected, actual },
      },
    );
  }
}

/** A JSON-RPC node, asked one call or several in one round trip. Calls are built by the functions of rpcCall.ts. */
export interface Rpc {
  /** Answers of all calls, in their order. Throws RpcUnavailableError, RpcAnswerError (of the first call that failed) or RpcWrongChainError. */
  batch<const Calls extends readonly RpcCall<unknown>[]>(
    calls: Calls,
  ): Promise<{ -readonly [K in keyof Calls]: Calls[K] extends RpcCall<infer Answer> ? Answer : never }>;
  /** Answer of one call. Throws as `batch` does. */
  request<Answer>(call: RpcCall<Answer>): Promise<Answer>;
}

export interface RpcOptions {
  readonly url: string;
  /** Deadline of one round trip, milliseconds. */
  readonly requestTimeoutMs: number;
  /** When given, checked with the first request and again after every failure to reach the node. */
  readonly chainId?: number;
  /** An answer longer than this is refused, bytes. Default 256 MiB. */
  readonly maxResponseBytes?: number;
}

export interface RpcDependencies {
  readonly fetch?: typeof fetch;
}

/** Most calls in one HTTP request; more are sent one request after the other. */
const CALLS_PER_REQUEST = 100;

interface WireAnswer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

/**
 * Opens a JSON-RPC node over HTTP. Nothing is sent before the first call; no call is repeated by itself.
 * Throws RpcAnswerError when the URL is not http or https.
 */
export function createRpc(options: RpcOptions, dependencies: RpcDependencies = {}): Rpc {
  const send = dependencies.fetch ?? fetch;
  const maxResponseBytes = options.maxResponseBytes ?? 256 * 1024 * 1024;
  const { url, headers, host } = splitCredentials(options.url);
  let chainChecked = options.chainId === undefined;
  let lastId = 0;

  async function exchange(calls: readonly RpcCall<unknown>[]): Promise<unknown[]> {
    const firstId = lastId + 1;
    lastId += calls.length;
    const wire = calls.map((call, index) => ({
      jsonrpc: '2.0',
      id: firstId + index,
      method: call.method,
      params: call.params,
    }));
    const text = await post(JSON.stringify(wire.length === 1 ? wire[0] : wire));
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (cause) {
      throw new RpcAnswerError(`the RPC at ${host} answered ${calls[0]?.method} with something that is not JSON`, {
        cause,
      });
    }
    // A node that refuses a whole batch answers with one error object.
    const answers = (Array.isArray(body) ? body : [body]).filter(isWireAnswer);
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    return calls.map((call, index) => {
      const answer = byId.get(firstId + index) ?? (answers.length === 1 ? answers[0] : undefined);
      if (answer === undefined) throw new RpcAnswerError(`the RPC at ${host} left ${call.method} unanswered`);
      if (answer.error !== undefined && answer.error !== null) throw answerError(call.method, answer.error);
      if (answer.id !== firstId + index || answer.result === undefined) {
        throw new RpcAnswerError(`the RPC at ${host} left ${call.method} unanswered`);
      }
      return answer.result;
    });
  }

  async function post(body: string): Promise<string> {
    const deadline = AbortSignal.timeout(options.requestTimeoutMs);
    try {
      const response = await send(url, { method: 'POST', headers, body, signal: deadline });
      if (!response.ok) {
        await response.body?.cancel();
        throw new RpcUnavailableError(`the RPC at ${host} answered HTTP ${response.status}`, {
          metadata: { status: response.status },
        });
      }
      return await readText(response, maxResponseBytes, host);
    } catch (cause) {
      if (cause instanceof MatchmakerError) throw cause;
      const reason = deadline.aborted
        ? `gave no answer in ${options.requestTimeoutMs} ms`
        : `cannot be reached (${reasonOf(cause)})`;
      throw new RpcUnavailableError(`the RPC at ${host} ${reason}`, { cause });
    }
  }

  async function batch(calls: readonly RpcCall<unknown>[]): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (let start = 0; start < calls.length; start += CALLS_PER_REQUEST) {
      const part = calls.slice(start, start + CALLS_PER_REQUEST);
      try {
        if (chainChecked) {
          answers.push(...(await exchange(part)));
        } else {
          const [chainId, ...rest] = await exchange([
            { method: 'eth_chainId', params: [], decode: (raw) => raw },
            ...part,
          ]);
          if (Number(chainId) !== options.chainId) throw new RpcWrongChainError(options.chainId ?? 0, Number(chainId));
          chainChecked = true;
          answers.push(...rest);
        }
      } catch (error) {
        if (error instanceof RpcUnavailableError) chainChecked = options.chainId === undefined;
        throw error;
      }
    }
    return calls.map((call, index) => {
      try {
        return call.decode(answers[index]);
      } catch (cause) {
        if (cause instanceof MatchmakerError) throw cause;
        throw new RpcAnswerError(
          `the RPC at ${host} answered ${call.method} with ${cause instanceof Error ? cause.message : String(cause)}`,
          {
            cause,
          },
        );
      }
    });
  }

  return {
    batch: batch as Rpc['batch'],
    request: async <Answer>(call: RpcCall<Answer>) => (await batch([call]))[0] as Answer,
  };
}

/** fetch refuses URLs with credentials, and the host alone may be named in messages: paths of hosted nodes carry keys. */
function splitCredentials(text: string): { url: string; headers: Record<string, string>; host: string } {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new RpcAnswerError('the RPC URL must begin with http:// or https://');
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (parsed.username !== '') {
    const pair = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    parsed.username = '';
    parsed.password = '';
  }
  return { url: parsed.href, headers, host: parsed.host };
}

async function readText(response: Response, maxBytes: number, host: string): Promise<string> {
  if (response.body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body) {
    size += part.byteLength;
    if (size > maxBytes) throw new RpcAnswerError(`the RPC at ${host} answered with more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function answerError(method: string, error: NonNullable<WireAnswer['error']>): RpcAnswerError {
  const data = revertData(error.data);
  const message = typeof error.message === 'string' ? error.message.slice(0, 500) : 'an error without a message';
  return new RpcAnswerError(`${method}: ${message}`, { rpcCode: Number(error.code) || 0, data, metadata: { method } });
}

function isWireAnswer(answer: unknown): answer is WireAnswer {
  return typeof answer === 'object' && answer !== null;
}

function revertData(data: unknown): Hex | null {
  if (isHex(data)) return data;
  if (typeof data === 'object' && data !== null && 'data' in data) return revertData(data.data);
  return null;
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return String(inner);
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.message;
}
