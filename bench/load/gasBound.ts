/** What a market's transactions cost and what its chain takes, gas. */
export interface GasFigures {
  /** Gas limit of a block. */
  readonly blockGasLimit: number;
  /** One order's transaction. */
  readonly creationGas: number;
  /** A settlement, for each of its matches. */
  readonly settlementGasPerMatch: number;
  /** Machine transactions, for each block. */
  readonly churnGasPerBlock: number;
}

/** A chain with EIP-1559 fees takes half of its limit in the long run: above it the base fee rises without end. */
export const GAS_TARGET_SHARE = 0.5;

/** Orders per block that the chain takes in the long run, each created and settled, beside the machines' transactions. */
export function ordersPerBlock(figures: GasFigures): number {
  const forOrders = figures.blockGasLimit * GAS_TARGET_SHARE - figures.churnGasPerBlock;
  return Math.max(0, forOrders / (figures.creationGas + figures.settlementGasPerMatch));
}

/** Hands out whole orders for each block so that in the long run they come to the gas bound. */
export class OrderPacer {
  #owed = 0;

  /** Orders to send for `blocks` more blocks under the present figures. */
  take(figures: GasFigures, blocks: number): number {
    this.#owed += ordersPerBlock(figures) * blocks;
    const whole = Math.floor(this.#owed);
    this.#owed -= whole;
    return whole;
  }
}
