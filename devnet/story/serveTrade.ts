import { encodeFunctionData, type Abi, type Address, type Hex } from 'viem';
import { computeLeaseAbi } from '../../chain/contracts/generated/ComputeLease.js';
import { orderRequestAbi } from '../../chain/contracts/generated/OrderRequest.js';
import type { TransactionLane } from '../../chain/deploy/transactionLane.js';
import { storageAt } from '../../chain/rpc/rpcCall.js';
import {
  decodeLeaseWord,
  decodeOpenOrderWord,
  decodeOrderOwnerWord,
  OrderState,
  orderStateOf,
} from '../../protocol/words/orderWord.js';
import { ORDER_OWNER_WORD, ORDER_WORD, orderSlot } from '../../protocol/words/slots.js';
import { snapshotBlockOf } from '../../protocol/rounds.js';
import { inParallel } from '../inParallel.js';
import { SceneFailedError, type SceneReport, type StoryContext } from './storyContext.js';
import { MANIFEST_HASH } from './storyOrders.js';

const SCENE = 'leases served';
const CALLS_PER_BATCH = 100;
/** Leases under way at a time: half a block's gas takes their transactions. */
const AT_ONCE = 48;

/** What the trade before the story left: its orders, and the lanes of who sent and who serves them. */
export interface Trade {
  readonly orderIds: readonly number[];
  readonly tenantLanes: readonly TransactionLane[];
  /** Of provider `providerIds[i]`. */
  readonly providerLanes: readonly TransactionLane[];
  readonly providerIds: readonly number[];
}

interface TradeLease {
  readonly orderId: number;
  readonly tenant: TransactionLane;
  readonly provider: TransactionLane;
}

/**
 * Every lease of the trade is served: the tenant names its manifest, the provider is ready and runs it.
 * Throws SceneFailedError and TransactionRevertedError.
 */
export async function serveTradeScene(context: StoryContext, trade: Trade): Promise<SceneReport> {
  const leases = await leasesOf(context, trade);
  const call = (
    lane: TransactionLane,
    functionName: 'announceManifest' | 'markReady' | 'confirmDeployment',
    orderId: number,
  ) =>
    run(lane, context.market.deployment.contracts.computeLease, {
      abi: computeLeaseAbi,
      functionName,
      args: functionName === 'markReady' ? [orderId] : [orderId, MANIFEST_HASH],
    });
  await inParallel(leases, AT_ONCE, async ({ orderId, tenant, provider }) => {
    await Promise.all([call(tenant, 'announceManifest', orderId), call(provider, 'markReady', orderId)]);
    await call(provider, 'confirmDeployment', orderId);
  });
  return {
    scene: SCENE,
    line: `${leases.length} leases of the trade: manifest announced, provider ready, deployment confirmed`,
  };
}

/**
 * Ends the trade: tenants cancel the orders that nobody matched, wait for the round that might still match them and take the locks back,
 * and close every lease. In this order, because what a lease frees would be matched again.
 * Resolves with how many of each. Throws SceneFailedError and TransactionRevertedError.
 */
export async function endTrade(context: StoryContext, trade: Trade): Promise<{ closed: number; refunded: number }> {
  const { computeLease, orderRequest } = context.market.deployment.contracts;
  const open = await openOrdersOf(context, trade);
  await inParallel(open, AT_ONCE, ({ orderId, tenant }) =>
    run(tenant, orderRequest, { abi: orderRequestAbi, functionName: 'cancel', args: [orderId] }),
  );
  const ending = await wordsOf(
    context,
    open.map(({ orderId }) => orderId),
    ORDER_WORD,
  );
  const lastRound = ending
    .filter((word) => orderStateOf(word) === OrderState.OPEN)
    .reduce((last, word) => Math.max(last, decodeOpenOrderWord(word).untilRound), 0);
  if (lastRound > 0) await context.chain.blocks.reached(snapshotBlockOf(context.schedule, lastRound) + 1);
  const ended = await openOrdersOf(context, trade);
  await inParallel(ended, AT_ONCE, ({ orderId, tenant }) =>
    run(tenant, orderRequest, { abi: orderRequestAbi, functionName: 'refund', args: [orderId] }),
  );
  const leases = await leasesOf(context, trade);
  await inParallel(leases, AT_ONCE, ({ orderId, tenant }) =>
    run(tenant, computeLease, { abi: computeLeaseAbi, functionName: 'closeLease', args: [orderId] }),
  );
  return { closed: leases.length, refunded: ended.length };
}

/** Sends a call and waits for it. Throws TransactionRevertedError. */
export async function run(
  lane: TransactionLane,
  to: Address,
  call: { readonly abi: Abi; readonly functionName: string; readonly args: readonly unknown[] },
): Promise<void> {
  const data: Hex = encodeFunctionData(call);
  await lane.run({ to, data, label: `${call.functionName} ${call.args.join(' ')}`, errorsAbi: call.abi });
}

async function leasesOf(context: StoryContext, trade: Trade): Promise<TradeLease[]> {
  const providers = new Map(trade.providerIds.map((id, index) => [id, trade.providerLanes[index]]));
  const tenants = await tenantsOf(context, trade);
  const words = await wordsOf(context, trade.orderIds, ORDER_WORD);
  return trade.orderIds.flatMap((orderId, index) => {
    const word = words[index] as bigint;
    if (orderStateOf(word) !== OrderState.MATCHED) return [];
    const { providerId } = decodeLeaseWord(word);
    const [tenant, provider] = [tenants.get(orderId), providers.get(providerId)];
    if (tenant === undefined || provider === undefined) {
      throw new SceneFailedError(SCENE, `order ${orderId} is a lease between strangers`, { orderId, providerId });
    }
    return [{ orderId, tenant, provider }];
  });
}

async function openOrdersOf(context: StoryContext, trade: Trade): Promise<Omit<TradeLease, 'provider'>[]> {
  const tenants = await tenantsOf(context, trade);
  const words = await wordsOf(context, trade.orderIds, ORDER_WORD);
  return trade.orderIds.flatMap((orderId, index) => {
    const tenant = tenants.get(orderId);
    return orderStateOf(words[index] as bigint) === OrderState.OPEN && tenant !== undefined
      ? [{ orderId, tenant }]
      : [];
  });
}

async function tenantsOf(context: StoryContext, trade: Trade): Promise<Map<number, TransactionLane>> {
  const lanes = new Map(trade.tenantLanes.map((lane) => [lane.address.toLowerCase(), lane]));
  const owners = await wordsOf(context, trade.orderIds, ORDER_OWNER_WORD);
  const tenants = new Map<number, TransactionLane>();
  trade.orderIds.forEach((orderId, index) => {
    const lane = lanes.get(decodeOrderOwnerWord(owners[index] as bigint).tenant.toLowerCase());
    if (lane !== undefined) tenants.set(orderId, lane);
  });
  return tenants;
}

async function wordsOf(context: StoryContext, orderIds: readonly number[], word: number): Promise<bigint[]> {
  const { orderRequest } = context.market.deployment.contracts;
  const words: bigint[] = [];
  for (let start = 0; start < orderIds.length; start += CALLS_PER_BATCH) {
    const part = orderIds.slice(start, start + CALLS_PER_BATCH);
    words.push(
      ...(await context.chain.rpc.batch(
        part.map((orderId) => storageAt(orderRequest, orderSlot(orderId, word), 'latest')),
      )),
    );
  }
  return words;
}
