import type { Market } from '../market.js';

/** `activeUntilRound` of a machine that nobody took out. */
const NO_ROUND = 0xffff_ffff;

/** Which machines begin or cease to take part at rounds to come, so that a round need not look at all machines for them. */
export class RoundBoundaries {
  readonly #market: Market;
  readonly #machinesByRound = new Map<number, Set<number>>();
  #round: number;

  constructor(market: Market, round: number) {
    this.#market = market;
    this.#round = round;
  }

  get round(): number {
    return this.#round;
  }

  /** Notes the rounds after the current one at which a machine begins or ceases to take part. */
  note(machineId: number): void {
    this.#note(machineId, this.#market.activeFromRound[machineId]!);
    this.#note(machineId, this.#market.activeUntilRound[machineId]!);
  }

  /** Goes to a round, forward or back, and calls `touch` with every machine that may begin or cease to take part on the way. */
  goTo(round: number, touch: (machineId: number) => void): void {
    const before = this.#round;
    this.#round = round;
    if (round > before) {
      for (const [boundary, machines] of this.#machinesByRound) {
        if (boundary > round) continue;
        for (const machineId of machines) touch(machineId);
        this.#machinesByRound.delete(boundary);
      }
      return;
    }
    if (round === before) return;
    const { activeFromRound, activeUntilRound, machineCount } = this.#market;
    for (let machineId = 1; machineId <= machineCount; machineId++) {
      const from = activeFromRound[machineId]!;
      const until = activeUntilRound[machineId]!;
      if ((from > round && from <= before) || (until > round && until <= before)) touch(machineId);
    }
  }

  #note(machineId: number, boundary: number): void {
    if (boundary <= this.#round || boundary === NO_ROUND) return;
    const machines = this.#machinesByRound.get(boundary);
    if (machines === undefined) this.#machinesByRound.set(boundary, new Set([machineId]));
    else machines.add(machineId);
  }
}
