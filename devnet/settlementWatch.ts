import { decodeEventLog, type Hex } from 'viem';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import type { MinedBlock, MinedBlocks } from '../chain/deploy/minedBlocks.js';
import type { Deployment } from '../chain/deployment.js';
import type { Receipt } from '../chain/rpc/rpcCall.js';
import { decodeRecords } from '../protocol/records.js';

/** A settlement as it was seen on the chain. */
export interface SeenSettlement {
  readonly round: number;
  /** Digest that the quorum signed. */
  readonly messageHash: Hex;
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly gasUsed: bigint;
  /** Order ids that became leases. */
  readonly leased: readonly number[];
  readonly skipped: number;
  /** When its block was seen, milliseconds of the chain's clock. */
  readonly seenAtMs: number;
}

/** Takes note of every settlement as its block is seen. */
export class SettlementWatch {
  readonly settlements: SeenSettlement[] = [];
  /** When each order's lease was seen, milliseconds of the chain's clock. */
  readonly leasedAtMs = new Map<number, number>();
  readonly #deployment: Deployment;
  readonly #onSettlement: (settlement: SeenSettlement) => void;
  readonly #off: () => void;

  constructor(deployment: Deployment, blocks: MinedBlocks, onSettlement: (settlement: SeenSettlement) => void) {
    this.#deployment = deployment;
    this.#onSettlement = onSettlement;
    this.#off = blocks.onBlock((block) => this.#take(block));
  }

  stop(): void {
    this.#off();
  }

  #take(block: MinedBlock): void {
    for (const receipt of block.receipts) {
      const settlement = settlementIn(receipt, this.#deployment, block.seenAtMs);
      if (settlement === null) continue;
      this.settlements.push(settlement);
      for (const orderId of settlement.leased) this.leasedAtMs.set(orderId, block.seenAtMs);
      this.#onSettlement(settlement);
    }
  }
}

/** The settlement that a transaction made, null for any other transaction. */
export function settlementIn(receipt: Receipt, deployment: Deployment, seenAtMs: number): SeenSettlement | null {
  for (const log of receipt.logs) {
    if (log.address !== deployment.contracts.matchSettlement) continue;
    const event = decodeEventLog({ abi: matchSettlementAbi, data: log.data, topics: log.topics as [Hex, ...Hex[]] });
    if (event.eventName !== 'BatchSettled') continue;
    const records = decodeRecords(event.args.records);
    const isSkipped = (index: number): boolean =>
      (((event.args.skipped[index >> 8] ?? 0n) >> BigInt(index & 255)) & 1n) === 1n;
    const leased = records.filter((_, index) => !isSkipped(index)).map(({ orderId }) => orderId);
    return {
      round: Number(event.args.round),
      messageHash: event.args.messageHash,
      blockNumber: receipt.blockNumber,
      transactionHash: receipt.transactionHash,
      gasUsed: receipt.gasUsed,
      leased,
      skipped: records.length - leased.length,
      seenAtMs,
    };
  }
  return null;
}
