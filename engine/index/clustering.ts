/** How a row looks to clustering, in points of a typical order's score, so that the measures compare. */
export const MEASURES = 6;
/** Rows for which columns are kept between uses. */
const KEPT_ROWS = 4096;

/**
 * Sorts rows into leaves of nearly equal size so that rows of one leaf score alike: halves them again and again, each time by the measure
 * that varies most among the rows at hand.
 */
export class Clustering {
  /** By position, `MEASURES` entries each. */
  measures = new Float64Array(0);
  /** Positions in the order of the leaves. */
  order = new Uint32Array(0);
  /** By leaf, in the order of the heap, the end of its rows in `order`. */
  leafStart = new Uint32Array(0);
  leafEnd = new Uint32Array(0);
  #leavesBelow = new Uint32Array(0);
  #leaves = 0;

  /** Makes room for `rows` rows. */
  reserve(rows: number): void {
    if (rows <= this.order.length) return;
    const size = Math.max(64, 2 ** Math.ceil(Math.log2(rows)));
    this.measures = new Float64Array(size * MEASURES);
    this.order = new Uint32Array(size);
  }

  /** Gives large columns back. */
  release(): void {
    if (this.order.length <= KEPT_ROWS) return;
    this.measures = new Float64Array(0);
    this.order = new Uint32Array(0);
  }

  /** Distributes the first `rows` positions over `leaves` leaves. */
  arrange(rows: number, leaves: number): void {
    if (leaves > this.leafStart.length) {
      const size = 2 ** Math.ceil(Math.log2(leaves));
      this.leafStart = new Uint32Array(size);
      this.leafEnd = new Uint32Array(size);
      this.#leavesBelow = new Uint32Array(size * 2);
    }
    this.#leaves = leaves;
    for (let node = 2 * leaves - 1; node >= leaves; node--) this.#leavesBelow[node] = 1;
    for (let node = leaves - 1; node >= 1; node--) {
      this.#leavesBelow[node] = this.#leavesBelow[2 * node]! + this.#leavesBelow[2 * node + 1]!;
    }
    for (let position = 0; position < rows; position++) this.order[position] = position;
    this.#split(1, 0, rows);
  }

  #split(node: number, from: number, to: number): void {
    if (node >= this.#leaves) {
      this.leafStart[node - this.#leaves] = from;
      this.leafEnd[node - this.#leaves] = to;
      return;
    }
    const left = this.#leavesBelow[2 * node]!;
    const middle = from + Math.round(((to - from) * left) / this.#leavesBelow[node]!);
    this.#select(from, to, middle, this.#widest(from, to));
    this.#split(2 * node, from, middle);
    this.#split(2 * node + 1, middle, to);
  }

  /** Measure of the largest variance among the rows; the last one, the provider, when nothing else tells them apart. */
  #widest(from: number, to: number): number {
    const { measures, order } = this;
    let widest = MEASURES - 1;
    let largest = 0;
    for (let measure = 0; measure < MEASURES - 1; measure++) {
      const origin = measures[order[from]! * MEASURES + measure]!;
      let sum = 0;
      let squares = 0;
      for (let index = from; index < to; index++) {
        const distance = measures[order[index]! * MEASURES + measure]! - origin;
        sum += distance;
        squares += distance * distance;
      }
      const variance = squares - (sum * sum) / (to - from);
      if (variance > largest) {
        largest = variance;
        widest = measure;
      }
    }
    return widest;
  }

  /** Permutes `order` so that no row before `middle` has a larger measure than one after it. */
  #select(from: number, to: number, middle: number, measure: number): void {
    const { measures, order } = this;
    let low = from;
    let high = to - 1;
    while (low < high) {
      const pivot = measures[order[(low + high) >>> 1]! * MEASURES + measure]!;
      let left = low;
      let right = high;
      while (left <= right) {
        while (measures[order[left]! * MEASURES + measure]! < pivot) left++;
        while (measures[order[right]! * MEASURES + measure]! > pivot) right--;
        if (left <= right) {
          const swapped = order[left]!;
          order[left] = order[right]!;
          order[right] = swapped;
          left++;
          right--;
        }
      }
      if (middle <= right) high = right;
      else if (middle >= left) low = left;
      else return;
    }
  }
}
