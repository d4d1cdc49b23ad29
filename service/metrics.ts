import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const NAME = /^matchmaker_[a-z][a-z0-9_]*$/;

/** Makes metrics of one process, all in one registry, all named `matchmaker_<process>_<what>_<unit>`. */
export class Metrics {
  readonly registry = new Registry();
  readonly #prefix: string;

  /** `process` is the middle of every name, for example "operator"; Node's own metrics are collected too. */
  constructor(options: { process: string; collectNodeMetrics?: boolean }) {
    this.#prefix = `matchmaker_${options.process}_`;
    if (options.collectNodeMetrics !== false) collectDefaultMetrics({ register: this.registry });
  }

  /** A counter; `_total` is added to its name. */
  counter<Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name: this.#name(`${name}_total`), help, labelNames, registers: [this.registry] });
  }

  /** A gauge; its name ends in the unit. */
  gauge<Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name: this.#name(name), help, labelNames, registers: [this.registry] });
  }

  /** A histogram; its name ends in the unit, `buckets` are in that unit. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({
      name: this.#name(name),
      help,
      buckets: [...buckets],
      labelNames,
      registers: [this.registry],
    });
  }

  #name(rest: string): string {
    const name = this.#prefix + rest;
    if (!NAME.test(name)) throw new RangeError(`metric name ${name} is not of the form ${NAME.source}`);
    return name;
  }
}

/** Buckets in seconds for what should take from under a millisecond to a block. */
export const LATENCY_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
