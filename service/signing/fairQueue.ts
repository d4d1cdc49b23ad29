/**
 * A bounded queue with a lane for each source, served in turn, so that what one source floods waits behind everybody else.
 * When it is full, the longest lane gives way to a shorter one.
 */
export class FairQueue<Item> {
  readonly #limit: number;
  /** By next turn; no lane is empty. */
  readonly #lanes = new Map<string, Item[]>();
  #size = 0;

  constructor(options: { limit: number }) {
    this.#limit = options.limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item. Returns what had no room: the newest of the longest lane, or the item itself. */
  push(source: string, item: Item): Item | undefined {
    const lane = this.#lanes.get(source);
    let dropped: Item | undefined;
    if (this.#size >= this.#limit) {
      const [longest, items] = this.#longest();
      if (longest === undefined || items.length <= (lane?.length ?? 0) + 1) return item;
      dropped = items.pop();
      this.#size--;
    }
    this.#size++;
    if (lane === undefined) this.#lanes.set(source, [item]);
    else lane.push(item);
    return dropped;
  }

  /** The oldest item of the lane whose turn it is; undefined when there is none. */
  take(): Item | undefined {
    const next = this.#lanes.entries().next();
    if (next.done === true) return undefined;
    const [source, items] = next.value;
    const item = items.shift();
    this.#size--;
    this.#lanes.delete(source);
    if (items.length > 0) this.#lanes.set(source, items);
    return item;
  }

  #longest(): [string, Item[]] | [undefined, undefined] {
    let longest: [string, Item[]] | undefined;
    for (const lane of this.#lanes) if (longest === undefined || lane[1].length > longest[1].length) longest = lane;
    return longest ?? [undefined, undefined];
  }
}
