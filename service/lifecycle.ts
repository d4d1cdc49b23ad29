import type { EventEmitter } from 'node:events';

import type { Clock } from './clock.js';
import type { Logger } from './logger.js';

/** The part of `process` that a lifecycle needs. */
export type ProcessHost = Pick<EventEmitter, 'on' | 'off'> & { exit(code: number): void };

interface Closer {
  readonly name: string;
  readonly close: () => Promise<void> | void;
}

/**
 * Start and stop of one process. The first SIGTERM or SIGINT aborts `signal`, then runs the closers in reverse order of
 * registration within a deadline and exits 0 (1 when one failed or the deadline passed); a second one exits 1 at once.
 * An uncaught exception or rejection is logged and exits 1 without running closers: state on disk is made to survive that.
 */
export class Lifecycle {
  readonly #abort = new AbortController();
  readonly #closers: Closer[] = [];
  readonly #options: { shutdownTimeoutMs: number };
  readonly #dependencies: { logger: Logger; clock: Clock; host: ProcessHost };
  #stopping: Promise<number> | undefined;

  constructor(
    options: { shutdownTimeoutMs: number },
    dependencies: { logger: Logger; clock: Clock; host: ProcessHost },
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Aborted as soon as the process is asked to stop. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Installs the signal and exception handlers. */
  install(): void {
    const { host } = this.#dependencies;
    host.on('SIGTERM', this.#onSignal);
    host.on('SIGINT', this.#onSignal);
    host.on('uncaughtException', this.#onCrash);
    host.on('unhandledRejection', this.#onCrash);
  }

  /** Registers what must be closed; the last registered closes first. */
  onShutdown(name: string, close: () => Promise<void> | void): void {
    this.#closers.push({ name, close });
  }

  /** Runs the closers once, however often it is called, and resolves to the exit code: 0, or 1 if one failed or the deadline passed. */
  stop(reason: string): Promise<number> {
    this.#stopping ??= this.#run(reason);
    return this.#stopping;
  }

  readonly #onSignal = (signal: string): void => {
    const { host } = this.#dependencies;
    if (this.#stopping !== undefined) {
      host.exit(1);
      return;
    }
    void this.stop(signal).then((code) => host.exit(code));
  };

  readonly #onCrash = (error: unknown): void => {
    this.#dependencies.logger.fatal({ event: 'crashed', err: error }, 'uncaught error, exiting');
    this.#dependencies.host.exit(1);
  };

  async #run(reason: string): Promise<number> {
    const { logger, clock, host } = this.#dependencies;
    logger.info({ event: 'stopping', reason }, 'stopping');
    this.#abort.abort();
    const timer = new AbortController();
    let open = '';
    const closeAll = async (): Promise<number> => {
      let code = 0;
      for (const closer of this.#closers.toReversed()) {
        open = closer.name;
        try {
          await closer.close();
        } catch (error) {
          code = 1;
          logger.error({ event: 'close_failed', what: closer.name, err: error }, 'could not close cleanly');
        }
      }
      return code;
    };
    const deadline = clock.sleep(this.#options.shutdownTimeoutMs, timer.signal).then(() => {
      if (!timer.signal.aborted) {
        logger.error(
          { event: 'close_timeout', what: open, timeoutMs: this.#options.shutdownTimeoutMs },
          'gave up closing',
        );
      }
      return 1;
    });
    const code = await Promise.race([closeAll(), deadline]);
    timer.abort();
    host.off('SIGTERM', this.#onSignal);
    host.off('SIGINT', this.#onSignal);
    host.off('uncaughtException', this.#onCrash);
    host.off('unhandledRejection', this.#onCrash);
    logger.info({ event: 'stopped', code }, 'stopped');
    return code;
  }
}
