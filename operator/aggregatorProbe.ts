import type { Clock } from '../service/clock.js';
import { maskUrl } from '../service/logger.js';
import type { BackingService } from './nodeApi.js';

export interface AggregatorProbeOptions {
  readonly aggregators: readonly string[];
  readonly intervalMs: number;
  readonly requestTimeoutMs: number;
}

/** Asks every aggregator from time to time whether it lives. */
export class AggregatorProbe {
  readonly #options: AggregatorProbeOptions;
  readonly #dependencies: { readonly clock: Clock; readonly fetch?: typeof fetch };
  readonly #stopped = new AbortController();
  readonly #status: BackingService['status'][];
  #running: Promise<unknown> | undefined;

  constructor(options: AggregatorProbeOptions, dependencies: { readonly clock: Clock; readonly fetch?: typeof fetch }) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#status = options.aggregators.map(() => 'Initializing');
  }

  /** The aggregators, by their place in the configuration. */
  services(): BackingService[] {
    return this.#options.aggregators.map((url, index) => ({
      id: `aggregator-${index + 1}`,
      name: `Aggregator ${index + 1}`,
      description: `takes signatures at ${maskUrl(url)}`,
      status: this.#status[index] ?? 'Initializing',
    }));
  }

  start(): void {
    this.#running ??= Promise.all(this.#options.aggregators.map((url, index) => this.#follow(url, index)));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #follow(url: string, index: number): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const lives = await livesAt(url, { ...this.#options, ...this.#dependencies, signal });
      this.#status[index] = lives ? 'Up' : 'Down';
      await this.#dependencies.clock.sleep(this.#options.intervalMs, signal);
    }
  }
}

/** Whether an aggregator answers that it lives, within the timeout. */
export async function livesAt(
  url: string,
  options: { readonly requestTimeoutMs: number; readonly fetch?: typeof fetch; readonly signal?: AbortSignal },
): Promise<boolean> {
  const deadline = AbortSignal.timeout(options.requestTimeoutMs);
  try {
    const response = await (options.fetch ?? fetch)(new URL('/health/live', url), {
      redirect: 'error',
      signal: options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
