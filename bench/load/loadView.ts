import { decodeEventLog, encodeEventTopics, type Hex } from 'viem';
import { orderRequestAbi } from '../../chain/contracts/generated/OrderRequest.js';
import type { MinedBlock, MinedBlocks } from '../../chain/deploy/minedBlocks.js';
import type { Deployment } from '../../chain/deployment.js';
import type { Receipt } from '../../chain/rpc/rpcCall.js';
import { settlementIn } from '../../devnet/settlementWatch.js';
import { snapshotBlockOf, type Schedule } from '../../protocol/rounds.js';

/** A settlement, with the orders that stood to be matched in its snapshot. */
export interface LoadSettlement {
  readonly round: number;
  readonly blockNumber: number;
  readonly latencyBlocks: number;
  readonly matches: number;
  readonly skipped: number;
  readonly gasUsed: number;
  /** Orders that were eligible in the snapshot and not leased. */
  readonly waiting: number;
}

/** The market in one block. */
export interface BacklogPoint {
  readonly blockNumber: number;
  readonly seenAtMs: number;
  /** Gas of all transactions of the block. */
  readonly gasUsed: number;
  /** Orders created so far, and those that are leases. */
  readonly created: number;
  readonly leased: number;
}

const [ORDER_CREATED] = encodeEventTopics({ abi: orderRequestAbi, eventName: 'OrderCreated' });
/** Blocks of which the eligible orders are remembered: far more than a settlement lags behind its snapshot. */
const REMEMBERED_BLOCKS = 256;

/** Sees every order's way from its transaction to its lease. Keeps only what is under way, and figures. */
export class LoadView {
  readonly blocks: BacklogPoint[] = [];
  readonly settlements: LoadSettlement[] = [];
  /** From an order's handing over to its lease's being seen, milliseconds. */
  readonly orderToLeaseMs: number[] = [];
  reverted = 0;
  creationGas = 0;
  created = 0;
  leased = 0;
  readonly #deployment: Deployment;
  readonly #schedule: Schedule;
  readonly #sentAtMs = new Map<Hex, number>();
  readonly #waitingSinceMs = new Map<number, number>();
  /** Orders that become eligible in a coming block. */
  readonly #eligibleIn = new Map<number, number>();
  /** Orders that stood to be matched in a block, by block. */
  readonly #waitingAt = new Map<number, number>();
  #eligible = 0;
  readonly #off: () => void;

  constructor(deployment: Deployment, schedule: Schedule, blocks: MinedBlocks) {
    this.#deployment = deployment;
    this.#schedule = schedule;
    this.#off = blocks.onBlock((block) => this.#take(block));
  }

  /** Orders created and not leased. */
  get backlog(): number {
    return this.created - this.leased;
  }

  /** Transactions handed over and not mined. */
  get underWay(): number {
    return this.#sentAtMs.size;
  }

  /** Takes note of orders that are being handed to the node. */
  sent(hashes: readonly Hex[], atMs: number): void {
    for (const hash of hashes) this.#sentAtMs.set(hash, atMs);
  }

  stop(): void {
    this.#off();
  }

  #take(block: MinedBlock): void {
    const { number, seenAtMs, receipts } = block;
    let gasUsed = 0;
    for (const receipt of receipts) {
      gasUsed += Number(receipt.gasUsed);
      this.#takeOrder(receipt);
    }
    this.#eligible += this.#eligibleIn.get(number) ?? 0;
    this.#eligibleIn.delete(number);
    for (const receipt of receipts) {
      const settlement = settlementIn(receipt, this.#deployment, seenAtMs);
      if (settlement === null) continue;
      const snapshotBlock = snapshotBlockOf(this.#schedule, settlement.round);
      this.leased += settlement.leased.length;
      this.#eligible -= settlement.leased.length;
      this.settlements.push({
        round: settlement.round,
        blockNumber: number,
        latencyBlocks: number - snapshotBlock,
        matches: settlement.leased.length,
        skipped: settlement.skipped,
        gasUsed: Number(settlement.gasUsed),
        waiting: this.#waitingAt.get(snapshotBlock) ?? 0,
      });
      for (const orderId of settlement.leased) {
        const sentAtMs = this.#waitingSinceMs.get(orderId);
        if (sentAtMs !== undefined) this.orderToLeaseMs.push(seenAtMs - sentAtMs);
        this.#waitingSinceMs.delete(orderId);
      }
    }
    this.#waitingAt.set(number, this.#eligible);
    this.#waitingAt.delete(number - REMEMBERED_BLOCKS);
    this.blocks.push({ blockNumber: number, seenAtMs, gasUsed, created: this.created, leased: this.leased });
  }

  #takeOrder(receipt: Receipt): void {
    const sentAtMs = this.#sentAtMs.get(receipt.transactionHash);
    if (sentAtMs === undefined) return;
    this.#sentAtMs.delete(receipt.transactionHash);
    if (!receipt.succeeded) {
      this.reverted++;
      return;
    }
    for (const { address, topics, data } of receipt.logs) {
      if (address !== this.#deployment.contracts.orderRequest || topics[0] !== ORDER_CREATED) continue;
      const { args } = decodeEventLog({
        abi: orderRequestAbi,
        eventName: 'OrderCreated',
        data,
        topics: topics as [Hex, ...Hex[]],
      });
      this.created++;
      this.creationGas += Number(receipt.gasUsed);
      this.#waitingSinceMs.set(args.orderId, sentAtMs);
      this.#eligibleIn.set(args.eligibleFromBlock, (this.#eligibleIn.get(args.eligibleFromBlock) ?? 0) + 1);
    }
  }
}
