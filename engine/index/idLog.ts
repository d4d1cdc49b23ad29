/** Ids that were noted since the last drain, each once. */
export class IdLog {
  #ids = new Uint32Array(16);
  #marks = new Uint32Array(2);
  #count = 0;

  /** Notes an id, 0 or higher. */
  note(id: number): void {
    const word = id >>> 5;
    if (word >= this.#marks.length) this.#marks = enlarged(this.#marks, word + 1);
    const bit = 1 << (id & 31);
    if ((this.#marks[word]! & bit) !== 0) return;
    this.#marks[word]! |= bit;
    if (this.#count === this.#ids.length) this.#ids = enlarged(this.#ids, this.#count + 1);
    this.#ids[this.#count++] = id;
  }

  /** Hands over every noted id in the order of first notice and forgets it; `visit` must not note into this log. */
  drain(visit: (id: number) => void): void {
    for (let index = 0; index < this.#count; index++) {
      const id = this.#ids[index]!;
      this.#marks[id >>> 5]! &= ~(1 << (id & 31));
      visit(id);
    }
    this.#count = 0;
  }
}

function enlarged(old: Uint32Array<ArrayBuffer>, needed: number): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(Math.max(needed, old.length * 2));
  bigger.set(old);
  return bigger;
}
