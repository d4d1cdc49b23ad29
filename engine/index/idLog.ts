/** Ids that were noted and not yet handed over, each once. */
export class IdLog {
  #ids = new Uint32Array(16);
  #marks = new Uint32Array(2);
  #first = 0;
  #end = 0;

  /** Ids noted and not yet handed over. */
  get count(): number {
    return this.#end - this.#first;
  }

  /** Notes an id, 0 or higher. */
  note(id: number): void {
    const word = id >>> 5;
    if (word >= this.#marks.length) this.#marks = enlarged(this.#marks, word + 1);
    const bit = 1 << (id & 31);
    if ((this.#marks[word]! & bit) !== 0) return;
    this.#marks[word]! |= bit;
    if (this.#end === this.#ids.length) this.#makeRoom();
    this.#ids[this.#end++] = id;
  }

  /** Hands over every noted id in the order of first notice and forgets it; `visit` must not note into this log. */
  drain(visit: (id: number) => void): void {
    while (this.#first < this.#end) {
      const id = this.#ids[this.#first++]!;
      this.#marks[id >>> 5]! &= ~(1 << (id & 31));
      visit(id);
    }
    this.#first = 0;
    this.#end = 0;
  }

  /** Forgets at most `most` ids, those noted first, and returns them ascending in an array that holds until the next note. */
  take(most: number): Uint32Array {
    const first = this.#first;
    const ids = this.#ids.subarray(first, Math.min(this.#end, first + most)).sort();
    for (const id of ids) this.#marks[id >>> 5]! &= ~(1 << (id & 31));
    this.#first += ids.length;
    if (this.#first === this.#end) {
      this.#first = 0;
      this.#end = 0;
    }
    return ids;
  }

  /** Makes room for one more id, without the ids handed over where these are half of all. */
  #makeRoom(): void {
    const count = this.#end - this.#first;
    if (count > this.#ids.length >>> 1) this.#ids = enlarged(this.#ids, this.#ids.length + 1);
    this.#ids.copyWithin(0, this.#first, this.#end);
    this.#first = 0;
    this.#end = count;
  }
}

function enlarged(old: Uint32Array<ArrayBuffer>, needed: number): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(Math.max(needed, old.length * 2));
  bigger.set(old);
  return bigger;
}
