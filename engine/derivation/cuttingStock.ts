/** What one piece of each size is worth in parts of a full bin, as exact fractions with one denominator. */
export interface ShadowPrices {
  readonly numerators: readonly bigint[];
  /** Positive. */
  readonly denominator: bigint;
}

/**
 * Shadow prices of the cutting-stock linear program: fewest bins of `capacity` (fractions allowed) that hold `demands[i]` pieces of
 * `sizes[i]`. At these prices no filling of a bin is worth more than 1, and the demand is worth as many bins as it takes.
 * Column generation (Gilmore and Gomory, 1961) by a revised simplex in integers (fraction-free pivoting, Edmonds), lexicographic
 * ratio test, so that it ends and gives the same on every machine. Sizes are distinct, 1..capacity; demands are at least 1.
 */
export function shadowPrices(sizes: readonly number[], demands: readonly number[], capacity: number): ShadowPrices {
  const basis = new Basis(demands);
  const unit = [capacity, ...sizes].reduce(greatestCommonDivisor);
  const scaledSizes = sizes.map((size) => size / unit);
  for (;;) {
    const numerators = basis.prices();
    const negative = numerators.findIndex((price) => price < 0n);
    if (negative >= 0) {
      // A size that may be oversupplied for nothing is worth nothing.
      basis.enter(
        sizes.map((_, size) => (size === negative ? -1n : 0n)),
        0n,
      );
      continue;
    }
    const filling = bestFilling(scaledSizes, numerators, capacity / unit);
    if (filling.worth.at(-1)! <= basis.denominator) return { numerators, denominator: basis.denominator };
    basis.enter(filling.pieces(), 1n);
  }
}

/** Most that pieces which fit into r are worth, in numerators, for r = 0..capacity. */
export function worthByRoom(sizes: readonly number[], { numerators }: ShadowPrices, capacity: number): bigint[] {
  return bestFilling(sizes, numerators, capacity).worth;
}

function bestFilling(sizes: readonly number[], prices: readonly bigint[], capacity: number) {
  const worth: bigint[] = [0n];
  /** The piece that fills room r up to its worth, -1 when a smaller room is worth as much. */
  const lastPiece = [-1];
  const priced = sizes.map((size, index) => ({ size, index, price: prices[index]! })).filter(({ price }) => price > 0n);
  for (let room = 1; room <= capacity; room++) {
    let best = worth[room - 1]!;
    let piece = -1;
    for (const { size, index, price } of priced) {
      if (size > room) continue;
      const filled = worth[room - size]! + price;
      if (filled > best) {
        best = filled;
        piece = index;
      }
    }
    worth.push(best);
    lastPiece.push(piece);
  }
  return {
    worth,
    /** How many of each size make up the worth of the whole capacity. */
    pieces(): bigint[] {
      const counts = sizes.map(() => 0n);
      for (let room = capacity; room > 0;) {
        const piece = lastPiece[room]!;
        if (piece < 0) {
          room--;
        } else {
          counts[piece]! += 1n;
          room -= sizes[piece]!;
        }
      }
      return counts;
    },
  };
}

/** A basis of fillings: its inverse, and how much of each filling is used, as integers over one denominator. */
class Basis {
  denominator = 1n;
  readonly #inverse: bigint[][];
  readonly #amounts: bigint[];
  readonly #costs: bigint[];

  /** Starts with one piece a bin. */
  constructor(demands: readonly number[]) {
    this.#inverse = demands.map((_, row) => demands.map((__, column) => (row === column ? 1n : 0n)));
    this.#amounts = demands.map(BigInt);
    this.#costs = demands.map(() => 1n);
  }

  prices(): bigint[] {
    return this.#costs.map((_, column) =>
      this.#inverse.reduce((sum, row, index) => sum + this.#costs[index]! * row[column]!, 0n),
    );
  }

  /** Takes a filling into the basis in place of the one that runs out first. */
  enter(pieces: readonly bigint[], cost: bigint): void {
    const use = this.#inverse.map((row) => row.reduce((sum, entry, index) => sum + entry * pieces[index]!, 0n));
    let leaving = -1;
    use.forEach((amount, row) => {
      if (amount > 0n && (leaving < 0 || this.#runsOutBefore(row, leaving, use))) leaving = row;
    });
    const pivot = use[leaving]!;
    const pivotRow = this.#inverse[leaving]!;
    const pivotAmount = this.#amounts[leaving]!;
    for (let row = 0; row < use.length; row++) {
      if (row === leaving) continue;
      const factor = use[row]!;
      const entries = this.#inverse[row]!;
      for (let column = 0; column < entries.length; column++) {
        entries[column] = (pivot * entries[column]! - factor * pivotRow[column]!) / this.denominator;
      }
      this.#amounts[row] = (pivot * this.#amounts[row]! - factor * pivotAmount) / this.denominator;
    }
    this.denominator = pivot;
    this.#costs[leaving] = cost;
  }

  /** Compares amount / use of two rows, then their entries of the inverse / use: no two rows are equal in all. */
  #runsOutBefore(row: number, other: number, use: readonly bigint[]): boolean {
    const mine = [this.#amounts[row]!, ...this.#inverse[row]!];
    const others = [this.#amounts[other]!, ...this.#inverse[other]!];
    for (let index = 0; index < mine.length; index++) {
      const difference = mine[index]! * use[other]! - others[index]! * use[row]!;
      if (difference !== 0n) return difference < 0n;
    }
    return false;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
