import type { Address } from 'viem';
import { lockAmount, lockAmountWithFee } from '../../protocol/lock.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { deposit } from '../../sdk/escrow/deposit.js';
import { announceManifest } from '../../sdk/leases/announceManifest.js';
import { confirmDeployment } from '../../sdk/leases/confirmDeployment.js';
import { getLease, type Lease } from '../../sdk/leases/getLease.js';
import { markReady } from '../../sdk/leases/markReady.js';
import { createOrder, type CreateOrderReturnType } from '../../sdk/orders/createOrder.js';
import { ANYTHING } from '../generateMarket.js';
import { DEVNET_TOKENS } from '../marketPlan.js';
import type { Actor } from './actor.js';
import type { StoryContext, StoryProvider } from './storyContext.js';
import { STORY_MAX_PRICE_MICRO } from './storyPlan.js';

/** What the tenants of the story run; its hash names it. */
export const MANIFEST_HASH = `0x${'5e'.repeat(32)}` as const;

const ORDER_LIFETIME_SECONDS = 86_400;
const TOKEN_DECIMALS = new Map<number, number>(DEVNET_TOKENS.map(({ id, decimals }) => [id, decimals]));

export interface StoryOrder {
  readonly tenant: Actor;
  readonly providers: readonly StoryProvider[];
  readonly durationMinutes: number;
  /** Default 1, the native one. */
  readonly tokenId?: number;
  /** Token units that the tenant deposits beyond what the order locks. */
  readonly spare?: bigint;
}

/** One core for so long, from the providers that a scene is about. */
export function storySpec({ providers, durationMinutes, tokenId = 1 }: Omit<StoryOrder, 'tenant'>): OrderSpec {
  return {
    ...ANYTHING,
    providersWanted: providers.map(({ providerId }) => providerId).sort((a, b) => a - b),
    tokenId,
    maxPriceMicroPerHour: STORY_MAX_PRICE_MICRO,
    durationMinutes,
  };
}

/** Token units that an order of this spec locks, user fee included. */
export function storyLock(context: StoryContext, spec: OrderSpec): bigint {
  const { userFeeBps, nativeTokenId } = context.market.economy.fees;
  const cost = lockAmount(spec.maxPriceMicroPerHour, spec.durationMinutes, decimalsOf(spec.tokenId));
  return lockAmountWithFee(cost, spec.tokenId === nativeTokenId ? 0 : userFeeBps);
}

/** Decimals of a devnet payment token. Throws RangeError for an id that has none. */
export function decimalsOf(tokenId: number): number {
  const decimals = TOKEN_DECIMALS.get(tokenId);
  if (decimals === undefined) throw new RangeError(`the devnet has no token ${tokenId}`);
  return decimals;
}

/** Address of a devnet payment token. */
export function tokenOf(context: StoryContext, tokenId: number): Address {
  return context.market.paymentTokens[tokenId - 1] as Address;
}

/** Mints for an account and deposits for it, token units. */
export async function fundAccount(context: StoryContext, actor: Actor, tokenId: number, amount: bigint): Promise<void> {
  await context.mint(actor, tokenOf(context, tokenId), amount);
  await actor.act((client) => deposit(client, { tokenId, amount }));
}

/** Funds the tenant with exactly what the order locks, and what it is to have spare, and posts the order. */
export async function postOrder(
  context: StoryContext,
  order: StoryOrder,
): Promise<CreateOrderReturnType & { spec: OrderSpec }> {
  const spec = storySpec(order);
  await fundAccount(context, order.tenant, spec.tokenId, storyLock(context, spec) + (order.spare ?? 0n));
  const expiresAtSeconds = context.chain.blocks.head().timestamp + ORDER_LIFETIME_SECONDS;
  return { ...(await order.tenant.act((client) => createOrder(client, { spec, expiresAtSeconds }))), spec };
}

/** Posts an order and waits until it is a lease. */
export async function leaseOf(context: StoryContext, scene: string, order: StoryOrder): Promise<Lease> {
  const { orderId } = await postOrder(context, order);
  await context.untilLeased(scene, orderId);
  return getLease(order.tenant.client, { orderId });
}

/** The tenant names its manifest, the provider gets ready and runs it; resolves with the lease as it is then. */
export async function serveLease(tenant: Actor, owner: Actor, orderId: number): Promise<Lease> {
  await Promise.all([
    tenant.act((client) => announceManifest(client, { orderId, manifestHash: MANIFEST_HASH })),
    owner.act((client) => markReady(client, { orderId })),
  ]);
  await owner.act((client) => confirmDeployment(client, { orderId, manifestHash: MANIFEST_HASH }));
  return getLease(tenant.client, { orderId });
}
