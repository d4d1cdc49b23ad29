import type { Bid, Order } from '../../engine/order.js';
import { orderFrom } from '../../protocol/orderSpec.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { decodeBidWord } from '../../protocol/words/bidWord.js';
import { OrderState, orderStateOf } from '../../protocol/words/orderWord.js';

/** What is known of an order that is open. */
export interface OrderEntry {
  readonly word: bigint;
  readonly specWord: bigint;
  readonly spec: OrderSpec | null;
  /** Hash of the spec that OrderCreated told, 0 before. */
  readonly specHash: bigint;
  /** The engine's order once word and spec are there and belong together. */
  readonly order: Order | null;
}

/** What must be known of a lease's order, which goes back to matching when its provider is not ready. */
export type LeasedSpec = Pick<OrderEntry, 'specWord' | 'spec' | 'specHash'>;

/** Everything an order book holds, for keeping it. */
export interface OrderBookContent {
  readonly orders: ReadonlyMap<number, OrderEntry>;
  readonly leasedSpecs: ReadonlyMap<number, LeasedSpec>;
  readonly bids: ReadonlyMap<number, readonly Bid[]>;
}

/** Steps that take a change back, the last first. */
export type UndoSteps = (() => void)[];

/**
 * Open orders and the bids on them, as the facts tell them. Of a matched order only the spec is kept, which it needs when it goes back to
 * matching; closed orders are forgotten.
 */
export class OrderBook {
  /** Where changes note how to take themselves back; null while they can not be taken back. */
  undo: UndoSteps | null = null;
  readonly #orders = new Map<number, OrderEntry>();
  readonly #leasedSpecs = new Map<number, LeasedSpec>();
  readonly #bids = new Map<number, readonly Bid[]>();
  /** Orders whose word or spec was written since `completeOrders`. */
  readonly #touched = new Set<number>();
  /** Orders whose word and spec are not both there. */
  readonly #incomplete = new Set<number>();
  /** Complete orders, ascending by id, but for those in `#unlisted`. */
  #listed: readonly Order[] = [];
  /** Their ids: the orders themselves are all over the memory, and are not looked at to be listed again. */
  #listedIds: readonly number[] = [];
  readonly #unlisted = new Set<number>();

  get openOrderCount(): number {
    return this.#orders.size;
  }

  /** An open order whose word and spec are not both there, undefined when there is none. */
  get incompleteOrder(): number | undefined {
    return this.#incomplete.values().next().value;
  }

  get bids(): ReadonlyMap<number, readonly Bid[]> {
    return this.#bids;
  }

  get content(): OrderBookContent {
    return { orders: this.#orders, leasedSpecs: this.#leasedSpecs, bids: this.#bids };
  }

  /** Takes the content of another book into this empty one. Throws what orderFrom throws for a word and a spec that do not belong together. */
  restore({ orders, leasedSpecs, bids }: OrderBookContent): void {
    for (const [orderId, spec] of leasedSpecs) this.#leasedSpecs.set(orderId, spec);
    for (const [orderId, list] of bids) this.#bids.set(orderId, list);
    for (const [orderId, entry] of orders) {
      this.#write(orderId, withOrder(entry, null));
      this.#complete(orderId);
    }
  }

  /** Open orders, ascending by id. The list is not changed later; a new one is made when orders changed. */
  openOrders(): readonly Order[] {
    if (this.#unlisted.size === 0) return this.#listed;
    const before = this.#listed;
    const idsBefore = this.#listedIds;
    const orders: Order[] = [];
    const ids: number[] = [];
    let at = 0;
    const keepBelow = (orderId: number): void => {
      for (; at < idsBefore.length && idsBefore[at]! < orderId; at++) {
        orders.push(before[at]!);
        ids.push(idsBefore[at]!);
      }
    };
    for (const orderId of Float64Array.from(this.#unlisted).sort()) {
      keepBelow(orderId);
      if (idsBefore[at] === orderId) at += 1;
      const order = this.#orders.get(orderId)?.order;
      if (order === undefined || order === null) continue;
      orders.push(order);
      ids.push(orderId);
    }
    keepBelow(Infinity);
    this.#unlisted.clear();
    this.#listed = orders;
    this.#listedIds = ids;
    return orders;
  }

  /** An open order's word, 0 for any other order. */
  openOrderWord(orderId: number): bigint {
    return this.#orders.get(orderId)?.word ?? 0n;
  }

  /** Takes an order's word, whatever its state. Throws WordMalformedError for a state that does not exist. */
  putWord(orderId: number, word: bigint): void {
    switch (orderStateOf(word)) {
      case OrderState.OPEN:
        this.#change(orderId, { word });
        break;
      case OrderState.MATCHED:
        this.lease(orderId);
        break;
      default:
        this.#forget(orderId);
    }
  }

  /** Takes the word that holds an order's spec hash. */
  putSpecWord(orderId: number, specWord: bigint): void {
    this.#change(orderId, { specWord });
  }

  /** Takes the spec that OrderCreated told, and its hash. */
  putSpec(orderId: number, spec: OrderSpec, specHash: bigint): void {
    this.#change(orderId, { spec, specHash });
  }

  /** Takes a bid's word. Throws WordMalformedError. */
  putBid(orderId: number, bidIndex: number, word: bigint): void {
    const { machineId, providerId, priceMicroPerHour, untilRound } = decodeBidWord(word);
    const bid: Bid = { orderId, bidIndex, machineId, providerId, priceMicroPerHour, untilRound };
    const others = (this.#bids.get(orderId) ?? []).filter((other) => other.bidIndex !== bidIndex);
    this.#setBids(
      orderId,
      [...others, bid].sort((a, b) => a.bidIndex - b.bidIndex),
    );
  }

  /** An order became a lease. */
  lease(orderId: number): void {
    const open = this.#orders.get(orderId);
    // A lease that is rewritten has its spec here already.
    if (open === undefined) return;
    this.#forget(orderId);
    const { spec, specHash, specWord } = open;
    this.#setLeasedSpec(orderId, { spec, specHash, specWord });
  }

  /**
   * Puts word and spec of the orders together that were written since; returns what is wrong with the first that do not belong together, null
   * when all do.
   */
  completeOrders(): string | null {
    let problem: string | null = null;
    for (const orderId of this.#touched) {
      try {
        this.#complete(orderId);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        problem ??= `order ${orderId}: ${error.message}`;
      }
    }
    this.#touched.clear();
    return problem;
  }

  #complete(orderId: number): void {
    const entry = this.#orders.get(orderId);
    if (entry === undefined || entry.spec === null || entry.specHash !== entry.specWord || entry.word === 0n) return;
    this.#set(orderId, withOrder(entry, orderFrom(orderId, entry.word, entry.spec)));
  }

  #change(orderId: number, change: Partial<OrderEntry>): void {
    const open = this.#orders.get(orderId);
    const known = open ?? this.#leasedSpecs.get(orderId);
    // Field by field: entries that are spread into each other would each get a hidden class of their own.
    this.#set(orderId, {
      word: change.word ?? open?.word ?? 0n,
      specWord: change.specWord ?? known?.specWord ?? 0n,
      spec: change.spec ?? known?.spec ?? null,
      specHash: change.specHash ?? known?.specHash ?? 0n,
      order: null,
    });
    this.#setLeasedSpec(orderId, undefined);
    this.#touched.add(orderId);
  }

  #forget(orderId: number): void {
    this.#set(orderId, undefined);
    this.#setLeasedSpec(orderId, undefined);
    if (this.#bids.has(orderId)) this.#setBids(orderId, undefined);
  }

  #set(orderId: number, entry: OrderEntry | undefined): void {
    const before = this.#orders.get(orderId);
    if (before === entry) return;
    this.#write(orderId, entry);
    this.undo?.push(() => this.#write(orderId, before));
  }

  #write(orderId: number, entry: OrderEntry | undefined): void {
    put(this.#orders, orderId, entry);
    this.#unlisted.add(orderId);
    if (entry === undefined || entry.order !== null) this.#incomplete.delete(orderId);
    else this.#incomplete.add(orderId);
  }

  #setLeasedSpec(orderId: number, spec: LeasedSpec | undefined): void {
    const before = this.#leasedSpecs.get(orderId);
    if (before === spec) return;
    put(this.#leasedSpecs, orderId, spec);
    this.undo?.push(() => put(this.#leasedSpecs, orderId, before));
  }

  #setBids(orderId: number, bids: readonly Bid[] | undefined): void {
    const before = this.#bids.get(orderId);
    put(this.#bids, orderId, bids);
    this.undo?.push(() => put(this.#bids, orderId, before));
  }
}

function withOrder({ word, specWord, spec, specHash }: OrderEntry, order: Order | null): OrderEntry {
  return { word, specWord, spec, specHash, order };
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
