import { openRoundAt, snapshotBlockOf, type Schedule } from '../protocol/rounds.js';
import type { DevnetMarket, DevnetOperator } from './deployDevnet.js';
import { monotonicMs, type DevnetChain } from './devnetChain.js';
import type { LiveTable } from './liveTable.js';
import { percentile } from './percentile.js';
import type { PlacedOrder } from './sendOrders.js';
import { settlementSigners } from './settlementSigners.js';
import { SettlementWatch, type SeenSettlement } from './settlementWatch.js';

/** What is seen of the market while orders come in: for the table and for the measurements of the report. */
export class TradeView {
  readonly #chain: DevnetChain;
  readonly #market: DevnetMarket;
  readonly #schedule: Schedule;
  readonly #ordersTotal: number;
  readonly #table: LiveTable;
  readonly #watch: SettlementWatch;
  readonly #weightOf: ReadonlyMap<string, number>;
  readonly #placed = new Map<number, PlacedOrder>();
  readonly #signersOf = new Map<SeenSettlement, number>();
  readonly #reading = new Set<Promise<void>>();
  readonly #off: () => void;

  constructor(
    chain: DevnetChain,
    market: DevnetMarket,
    operators: readonly DevnetOperator[],
    schedule: Schedule,
    ordersTotal: number,
    table: LiveTable,
  ) {
    this.#chain = chain;
    this.#market = market;
    this.#schedule = schedule;
    this.#ordersTotal = ordersTotal;
    this.#weightOf = new Map(operators.map(({ signer, stakeWhole }) => [signer, stakeWhole]));
    this.#table = table;
    this.#watch = new SettlementWatch(market.deployment, chain.blocks, (settlement) => this.#settled(settlement));
    this.#off = chain.blocks.onBlock(() => this.#refresh());
  }

  get leaseCount(): number {
    return this.#watch.leasedAtMs.size;
  }

  placed(order: PlacedOrder): void {
    this.#placed.set(order.orderId, order);
  }

  settlements(): (SeenSettlement & { snapshotBlock: number; signers: number })[] {
    return this.#watch.settlements.map((settlement) => ({
      ...settlement,
      snapshotBlock: snapshotBlockOf(this.#schedule, settlement.round),
      signers: this.#signersOf.get(settlement) ?? 0,
    }));
  }

  orderToLeaseMs(): number[] {
    return [...this.#watch.leasedAtMs].flatMap(([orderId, leasedAtMs]) => {
      const order = this.#placed.get(orderId);
      return order === undefined ? [] : [leasedAtMs - order.sentAtMs];
    });
  }

  /** Stops watching and waits for what is still being read. */
  async finished(): Promise<void> {
    this.#off();
    this.#watch.stop();
    await Promise.all(this.#reading);
  }

  #settled(settlement: SeenSettlement): void {
    const reading = this.#readSigners(settlement).finally(() => this.#reading.delete(reading));
    this.#reading.add(reading);
  }

  async #readSigners(settlement: SeenSettlement): Promise<void> {
    const signers = await settlementSigners(this.#market.deployment, this.#chain.rpc, settlement.transactionHash);
    this.#signersOf.set(settlement, signers.length);
    const total = [...this.#weightOf.values()].reduce((sum, weight) => sum + weight, 0);
    const signed = signers.reduce((sum, signer) => sum + (this.#weightOf.get(signer) ?? 0), 0);
    const waits = settlement.leased.flatMap((orderId) => {
      const order = this.#placed.get(orderId);
      return order === undefined ? [] : [settlement.seenAtMs - order.sentAtMs];
    });
    const records = settlement.leased.length + settlement.skipped;
    this.#table.add({
      round: settlement.round,
      snapshotBlock: snapshotBlockOf(this.#schedule, settlement.round),
      settledBlock: settlement.blockNumber,
      signatures: signers.length,
      operators: this.#weightOf.size,
      signedPercent: (100 * signed) / total,
      leases: settlement.leased.length,
      skipped: settlement.skipped,
      gasPerMatch: Math.round(Number(settlement.gasUsed) / records),
      orderToLeaseMs: percentile(waits, 50),
    });
  }

  #refresh(): void {
    const { number } = this.#chain.blocks.head();
    this.#table.update(
      {
        headBlock: number,
        openRound: openRoundAt(this.#schedule, number),
        ordersInChain: this.#placed.size,
        ordersTotal: this.#ordersTotal,
        leases: this.leaseCount,
      },
      monotonicMs(),
    );
  }
}
