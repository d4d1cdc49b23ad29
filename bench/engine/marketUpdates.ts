import { SeededRandom } from '../../devnet/random.js';
import type { MachineFields, OfferFields } from '../../engine/market.js';
import type { BenchMarket } from './benchMarket.js';

/** New prices and new free capacity of one machine. */
export interface MachineUpdate {
  readonly machineId: number;
  readonly machine: MachineFields;
  readonly offer: OfferFields;
}

/** Updates of random machines, drawn as the market itself was, so that it stays the same kind of market. */
export class MarketUpdates {
  readonly #market: BenchMarket;
  readonly #random: SeededRandom;

  constructor(market: BenchMarket, seed: number) {
    this.#market = market;
    this.#random = new SeededRandom(seed ^ 0x27d4_eb2f);
  }

  /** The next `count` updates. */
  draw(count: number): MachineUpdate[] {
    const random = this.#random;
    return Array.from({ length: count }, () => {
      const machineId = 1 + random.below(this.#market.market.machineCount);
      return {
        machineId,
        machine: this.#market.drawMachine(random, machineId),
        offer: this.#market.drawOffer(random, machineId),
      };
    });
  }

  /** Writes updates into the market, as whoever follows the chain does. */
  apply(updates: readonly MachineUpdate[]): void {
    const { market } = this.#market;
    for (const { machineId, machine, offer } of updates) {
      market.setMachine(machineId, machine);
      market.setOffer(machineId, 0, offer);
    }
  }
}
