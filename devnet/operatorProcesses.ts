import type { Hex } from 'viem';
import type { Curve } from '../protocol/operatorTable.js';
import { startOperator, untilReady, type ServiceOptions, type ServiceProcess } from './runProcesses.js';
import type { OperatorSwitch } from './story/storyContext.js';

/** How an operator of a run is started, and what its signature weighs. */
export interface OperatorSeat {
  readonly name: string;
  readonly port: number;
  readonly curve: Curve;
  readonly privateKey: Hex;
  readonly stakeWhole: number;
}

const BPS = 10_000;

/** The operator processes of a run; some of them can be stopped and started again. */
export class OperatorProcesses implements OperatorSwitch {
  readonly #common: ServiceOptions & { readonly aggregators: readonly string[] };
  readonly #seats: readonly OperatorSeat[];
  readonly #quorumBps: number;
  readonly #running = new Map<OperatorSeat, ServiceProcess>();
  readonly #onStart: (service: ServiceProcess) => void;

  constructor(
    options: {
      readonly common: ServiceOptions & { readonly aggregators: readonly string[] };
      readonly seats: readonly OperatorSeat[];
      readonly quorumBps: number;
    },
    dependencies: { readonly onStart: (service: ServiceProcess) => void },
  ) {
    this.#common = options.common;
    this.#seats = options.seats;
    this.#quorumBps = options.quorumBps;
    this.#onStart = dependencies.onStart;
  }

  /** Those that are meant to run. */
  running(): readonly ServiceProcess[] {
    return [...this.#running.values()];
  }

  /** Starts those that do not run and resolves when they are ready. Throws ServiceFailedError. */
  async start(): Promise<void> {
    await untilReady(await this.launch());
  }

  /** Starts those that do not run, without waiting for them to be ready. Throws the system's error when one can not be started. */
  async launch(): Promise<ServiceProcess[]> {
    const started: ServiceProcess[] = [];
    for (const seat of this.#seats) {
      if (this.#running.has(seat)) continue;
      const service = await startOperator({ ...this.#common, ...seat });
      this.#running.set(seat, service);
      this.#onStart(service);
      started.push(service);
    }
    return started;
  }

  /** Ends operators, the largest first, until those left are no quorum; resolves with how many it ended. */
  async stop(): Promise<number> {
    const stopped = seatsBeyondQuorum(this.#seats, this.#quorumBps);
    await this.#end(stopped);
    return stopped.length;
  }

  /** Ends every operator. */
  stopAll(): Promise<void> {
    return this.#end(this.#seats);
  }

  async #end(seats: readonly OperatorSeat[]): Promise<void> {
    const services = seats.flatMap((seat) => this.#running.get(seat) ?? []);
    for (const seat of seats) this.#running.delete(seat);
    await Promise.all(services.map(({ process }) => process.stop()));
  }
}

/** The largest seats, as few as have more than the quorum's share of the stake together. */
export function smallestQuorum<Seat extends { readonly stakeWhole: number }>(
  seats: readonly Seat[],
  quorumBps: number,
): Seat[] {
  const total = seats.reduce((sum, { stakeWhole }) => sum + stakeWhole, 0);
  const largestFirst = [...seats].sort((a, b) => b.stakeWhole - a.stakeWhole);
  let together = 0;
  let count = 0;
  while (count < largestFirst.length && together * BPS <= total * quorumBps) {
    together += largestFirst[count++]?.stakeWhole ?? 0;
  }
  return largestFirst.slice(0, count);
}

/** The largest seats, as few as leave the others without more than the quorum's share of the stake. */
export function seatsBeyondQuorum<Seat extends { readonly stakeWhole: number }>(
  seats: readonly Seat[],
  quorumBps: number,
): Seat[] {
  const total = seats.reduce((sum, { stakeWhole }) => sum + stakeWhole, 0);
  const largestFirst = [...seats].sort((a, b) => b.stakeWhole - a.stakeWhole);
  let left = total;
  let count = 0;
  while (count < largestFirst.length && left * BPS > total * quorumBps) left -= largestFirst[count++]?.stakeWhole ?? 0;
  return largestFirst.slice(0, count);
}
