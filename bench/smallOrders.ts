import { ANYTHING } from '../devnet/generateMarket.js';
import type { SeededRandom } from '../devnet/random.js';
import type { OrderSpec } from '../protocol/orderSpec.js';
import { BENCH_TOKEN_ID } from './benchMarket.js';

/** Above any list price of what these orders ask for, micro-units of the token per hour. */
const MAX_PRICE_MICRO_PER_HOUR = 2_000_000;

/** An order so small that machines have room for as many as a run sends: half ask for a share of a GPU, half for none. */
export function smallOrder(random: SeededRandom): OrderSpec {
  return {
    ...ANYTHING,
    milliGpu: random.chance(50) ? random.between(1, 10) : 0,
    cpuMilli: random.between(1, 20),
    memoryMib: random.between(0, 32),
    storageGib: 0,
    tokenId: BENCH_TOKEN_ID,
    maxPriceMicroPerHour: MAX_PRICE_MICRO_PER_HOUR,
  };
}
