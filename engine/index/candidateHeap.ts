/** Entries by descending key, a binary heap in arrays that are used again. */
export class CandidateHeap {
  count = 0;
  keys = new Float64Array(256);
  /** What an entry is of, and which of those it is. */
  owners = new Int32Array(256);
  items = new Int32Array(256);

  push(key: number, owner: number, item: number): void {
    if (this.count === this.keys.length) this.#grow();
    const { keys, owners, items } = this;
    let at = this.count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! >= key) break;
      keys[at] = keys[parent]!;
      owners[at] = owners[parent]!;
      items[at] = items[parent]!;
      at = parent;
    }
    keys[at] = key;
    owners[at] = owner;
    items[at] = item;
  }

  /** Takes the first entry away; its columns stay readable at `count` until the next push. */
  pop(): void {
    const { keys, owners, items } = this;
    const last = --this.count;
    const key = keys[last]!;
    const owner = owners[last]!;
    const item = items[last]!;
    keys[last] = keys[0]!;
    owners[last] = owners[0]!;
    items[last] = items[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && keys[child + 1]! > keys[child]!) child++;
      if (keys[child]! <= key) break;
      keys[at] = keys[child]!;
      owners[at] = owners[child]!;
      items[at] = items[child]!;
      at = child;
    }
    if (last > 0) {
      keys[at] = key;
      owners[at] = owner;
      items[at] = item;
    }
  }

  #grow(): void {
    const size = this.keys.length * 2;
    const { keys, owners, items } = this;
    this.keys = new Float64Array(size);
    this.owners = new Int32Array(size);
    this.items = new Int32Array(size);
    this.keys.set(keys);
    this.owners.set(owners);
    this.items.set(items);
  }
}
