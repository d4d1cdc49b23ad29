import { decodeEventLog, encodeFunctionData, type Hex } from 'viem';
import { orderRequestAbi } from '../chain/contracts/generated/OrderRequest.js';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import { estimateGas, type Receipt } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import type { DevnetMarket } from './deployDevnet.js';
import type { DevnetChain } from './devnetChain.js';
import type { MarketPlan, OrderPlan } from './marketPlan.js';

/** An order of the plan as it came into the chain. */
export interface PlacedOrder {
  /** Position in the plan. */
  readonly index: number;
  readonly orderId: number;
  readonly blockNumber: number;
  readonly eligibleFromBlock: number;
  /** When its transaction was handed to the node, milliseconds of the chain's clock. */
  readonly sentAtMs: number;
}

/** The chain took an order's transaction and made no order of it. */
export class OrderNotPlacedError extends MatchmakerError<'ORDER_NOT_PLACED'> {
  constructor(index: number, hash: Hex) {
    super('ORDER_NOT_PLACED', `order ${index} of the plan: transaction ${hash} left no OrderCreated`, {
      metadata: { index, hash },
    });
  }
}

export interface OrderPacing {
  /** Blocks that the orders are spread over at least. */
  readonly spreadBlocks: number;
  /** Called with every order as it is mined. */
  readonly onPlaced: (order: PlacedOrder) => void;
}

/** Orders may use this share of a block's gas, so that a settlement always finds room. */
const BLOCK_SHARE = 2n;
/** How long an order waits for a match before it expires, seconds; far beyond any run. */
const ORDER_LIFETIME_SECONDS = 7 * 86_400;

/**
 * Sends the plan's orders as they would come: each tenant with its own key and nonces, never more under way than half of a block's
 * gas takes. Resolves when all are mined. Throws OrderNotPlacedError and TransactionRevertedError.
 */
export async function sendOrders(
  plan: MarketPlan,
  providerIds: readonly number[],
  dependencies: { chain: DevnetChain; market: DevnetMarket; tenantLanes: readonly TransactionLane[] },
  pacing: OrderPacing,
): Promise<PlacedOrder[]> {
  const { chain, market, tenantLanes } = dependencies;
  const { orderRequest } = market.deployment.contracts;
  const expiresAt = chain.blocks.head().timestamp + ORDER_LIFETIME_SECONDS;
  const calls = plan.orders.map((order) => createOrderCall(order, providerIds, expiresAt));
  const gasLimit = await gasLimitOf(calls, plan, dependencies);
  const perBlock = Number(chain.blocks.head().gasLimit / BLOCK_SHARE / gasLimit);
  const pace = Math.max(1, Math.min(perBlock, Math.ceil(plan.orders.length / pacing.spreadBlocks)));

  const placed: PlacedOrder[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  const turn = new Pacer(chain, pace, () => underWay.size < perBlock);
  for (const [index, data] of calls.entries()) {
    await turn.next();
    if (failure !== undefined) throw failure;
    const lane = tenantLanes[plan.orders[index]?.tenant ?? 0] as TransactionLane;
    const sent = await lane.send({
      to: orderRequest,
      data,
      gasLimit,
      label: `order ${index} of the plan`,
      errorsAbi: orderRequestAbi,
    });
    const waiting = sent.mined
      .then((receipt) => {
        const order = placedOrder(index, receipt, orderRequest, sent.sentAtMs);
        placed.push(order);
        pacing.onPlaced(order);
      })
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => underWay.delete(waiting));
    underWay.add(waiting);
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
  return placed.sort((a, b) => a.orderId - b.orderId);
}

/** Lets so many orders pass in each block, and none while `hasRoom` says no. */
class Pacer {
  readonly #chain: DevnetChain;
  readonly #pace: number;
  readonly #hasRoom: () => boolean;
  #block: number;
  #passed = 0;

  constructor(chain: DevnetChain, pace: number, hasRoom: () => boolean) {
    this.#chain = chain;
    this.#pace = pace;
    this.#hasRoom = hasRoom;
    this.#block = chain.blocks.head().number;
  }

  async next(): Promise<void> {
    for (;;) {
      const { number } = this.#chain.blocks.head();
      if (number !== this.#block) {
        this.#block = number;
        this.#passed = 0;
      }
      if (this.#passed < this.#pace && this.#hasRoom()) break;
      await this.#chain.blocks.reached(number + 1);
    }
    this.#passed++;
  }
}

function createOrderCall({ spec }: OrderPlan, providerIds: readonly number[], expiresAt: number): Hex {
  const idOf = (index: number): number => providerIds[index] as number;
  return encodeFunctionData({
    abi: orderRequestAbi,
    functionName: 'createOrder',
    args: [
      {
        ...spec,
        providersWanted: spec.providersWanted.map(idOf),
        providersExcluded: spec.providersExcluded.map(idOf),
      },
      expiresAt,
    ],
  });
}

/** Enough gas for any of the calls: the costliest of the longest ones and each tenant's first, and a quarter on top. */
async function gasLimitOf(
  calls: readonly Hex[],
  plan: MarketPlan,
  { chain, market, tenantLanes }: { chain: DevnetChain; market: DevnetMarket; tenantLanes: readonly TransactionLane[] },
): Promise<bigint> {
  const longest = [...calls.keys()].sort((a, b) => (calls[b]?.length ?? 0) - (calls[a]?.length ?? 0)).slice(0, 8);
  const estimates = await chain.rpc.batch(
    longest.map((index) =>
      estimateGas({
        from: (tenantLanes[plan.orders[index]?.tenant ?? 0] as TransactionLane).address,
        to: market.deployment.contracts.orderRequest,
        data: calls[index] as Hex,
      }),
    ),
  );
  const most = estimates.reduce((highest, gas) => (gas > highest ? gas : highest), 0n);
  return most + most / 4n;
}

function placedOrder(index: number, receipt: Receipt, orderRequest: Hex, sentAtMs: number): PlacedOrder {
  for (const log of receipt.logs) {
    if (log.address !== orderRequest) continue;
    const event = decodeEventLog({ abi: orderRequestAbi, data: log.data, topics: log.topics as [Hex, ...Hex[]] });
    if (event.eventName !== 'OrderCreated') continue;
    const { orderId, eligibleFromBlock } = event.args;
    return { index, orderId, blockNumber: receipt.blockNumber, eligibleFromBlock, sentAtMs };
  }
  throw new OrderNotPlacedError(index, receipt.transactionHash);
}
