import type { Address, Hex, TypedDataDomain } from 'viem';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { iSignedCallsAbi } from '../../chain/contracts/generated/ISignedCalls.js';
import { validateOrderSpec, type OrderSpec } from '../../protocol/orderSpec.js';
import { readMarket, tryEventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { LeaseUpdate } from '../leases/leaseUpdate.js';
import { AccountMissingError, requireAccount, type MarketClient } from '../marketClient.js';

const AUTHORIZATION = [
  { name: 'tenant', type: 'address' },
  { name: 'nonce', type: 'uint256' },
  { name: 'deadline', type: 'uint256' },
] as const;

const ORDER_ID = { name: 'orderId', type: 'uint32' } as const;

/** EIP-712 types of the tenant's calls by signature; each covers every field of its call, the whole spec included. */
export const SIGNED_CALL_TYPES = {
  OrderSpec: [
    { name: 'milliGpu', type: 'uint16' },
    { name: 'cpuMilli', type: 'uint24' },
    { name: 'memoryMib', type: 'uint24' },
    { name: 'storageGib', type: 'uint24' },
    { name: 'models', type: 'uint16[]' },
    { name: 'regions', type: 'uint16[]' },
    { name: 'regionsExcluded', type: 'uint16[]' },
    { name: 'providersWanted', type: 'uint24[]' },
    { name: 'providersExcluded', type: 'uint24[]' },
    { name: 'tiers', type: 'uint8' },
    { name: 'attributes', type: 'uint64' },
    { name: 'regionRequired', type: 'bool' },
    { name: 'minUptimeBps', type: 'uint16' },
    { name: 'minReputationBps', type: 'uint16' },
    { name: 'maxSlashes', type: 'uint8' },
    { name: 'tokenId', type: 'uint16' },
    { name: 'maxPriceMicroPerHour', type: 'uint40' },
    { name: 'durationMinutes', type: 'uint24' },
  ],
  LeaseUpdate: [
    { name: 'milliGpu', type: 'uint16' },
    { name: 'cpuMilli', type: 'uint24' },
    { name: 'memoryMib', type: 'uint24' },
    { name: 'storageGib', type: 'uint24' },
    { name: 'maxPriceMicroPerHour', type: 'uint40' },
    { name: 'manifestHash', type: 'bytes32' },
  ],
  CreateOrder: [{ name: 'spec', type: 'OrderSpec' }, { name: 'expiresAt', type: 'uint32' }, ...AUTHORIZATION],
  ReplaceOrder: [
    ORDER_ID,
    { name: 'spec', type: 'OrderSpec' },
    { name: 'expiresAt', type: 'uint32' },
    ...AUTHORIZATION,
  ],
  CancelOrder: [ORDER_ID, ...AUTHORIZATION],
  AnnounceManifest: [ORDER_ID, { name: 'manifestHash', type: 'bytes32' }, ...AUTHORIZATION],
  RequestUpdate: [ORDER_ID, { name: 'update', type: 'LeaseUpdate' }, ...AUTHORIZATION],
  CancelUpdate: [ORDER_ID, ...AUTHORIZATION],
  RenewLease: [ORDER_ID, { name: 'durationMinutes', type: 'uint24' }, ...AUTHORIZATION],
  TopUp: [ORDER_ID, { name: 'addedMinutes', type: 'uint24' }, ...AUTHORIZATION],
  CloseLease: [ORDER_ID, ...AUTHORIZATION],
  Deposit: [{ name: 'tokenId', type: 'uint16' }, { name: 'amount', type: 'uint256' }, ...AUTHORIZATION],
  Withdraw: [{ name: 'tokenId', type: 'uint16' }, { name: 'amount', type: 'uint256' }, ...AUTHORIZATION],
  ChooseSponsor: [{ name: 'sponsor', type: 'address' }, ...AUTHORIZATION],
} as const;

/** What a tenant signs, by the EIP-712 type of the call. */
export type SignedCall =
  | { readonly type: 'CreateOrder'; readonly spec: OrderSpec; readonly expiresAt: number }
  | { readonly type: 'ReplaceOrder'; readonly orderId: number; readonly spec: OrderSpec; readonly expiresAt: number }
  | { readonly type: 'CancelOrder'; readonly orderId: number }
  | { readonly type: 'AnnounceManifest'; readonly orderId: number; readonly manifestHash: Hex }
  | { readonly type: 'RequestUpdate'; readonly orderId: number; readonly update: LeaseUpdate }
  | { readonly type: 'CancelUpdate'; readonly orderId: number }
  | { readonly type: 'RenewLease'; readonly orderId: number; readonly durationMinutes: number }
  | { readonly type: 'TopUp'; readonly orderId: number; readonly addedMinutes: number }
  | { readonly type: 'CloseLease'; readonly orderId: number }
  | { readonly type: 'Deposit'; readonly tokenId: number; readonly amount: bigint }
  | { readonly type: 'Withdraw'; readonly tokenId: number; readonly amount: bigint }
  | { readonly type: 'ChooseSponsor'; readonly sponsor: Address };

/** A call with its tenant's signature: whoever holds it may send it. */
export interface AuthorizedCall {
  readonly call: SignedCall;
  readonly authorization: {
    readonly tenant: Address;
    /** Keyed: 192 bits of key, 64 bits of sequence. */
    readonly nonce: bigint;
    /** Seconds since 1970. */
    readonly deadline: bigint;
    readonly signature: Hex;
  };
}

/** EIP-712 domain of a market's signed calls. */
export function signedCallDomain(market: { readonly chainId: number; readonly signedCalls: Address }): TypedDataDomain {
  return { name: 'Matchmaker', version: '1', chainId: market.chainId, verifyingContract: market.signedCalls };
}

/** The typed data of a call, for any EIP-712 signer. */
export function signedCallData(
  domain: TypedDataDomain,
  call: SignedCall,
  authorization: { readonly tenant: Address; readonly nonce: bigint; readonly deadline: bigint },
): {
  readonly domain: TypedDataDomain;
  readonly types: typeof SIGNED_CALL_TYPES;
  readonly primaryType: SignedCall['type'];
  readonly message: Record<string, unknown>;
} {
  const { type, ...fields } = call;
  return { domain, types: SIGNED_CALL_TYPES, primaryType: type, message: { ...fields, ...authorization } };
}

export interface SignCallParameters {
  readonly call: SignedCall;
  /** Until when the signature may be used, seconds since 1970. */
  readonly deadlineSeconds: number;
  /** Calls under different keys need not wait for each other. Default 0. */
  readonly nonceKey?: bigint;
}

/**
 * Signs one of the tenant's calls with the client's account, for somebody else to send with `sendSignedCall`. The account must be one
 * that signs by itself (a viem local account).
 * Throws AccountMissingError, OrderFieldInvalidError for a spec that the market would refuse, and the errors of `readMarket`.
 *
 * @example
 * const signed = await signCall(tenant, {
 *   call: { type: 'CreateOrder', spec, expiresAt },
 *   deadlineSeconds: Math.floor(Date.now() / 1000) + 600,
 * });
 * await sendSignedCall(relayer, signed);
 */
export async function signCall(
  client: MarketClient,
  { call, deadlineSeconds, nonceKey = 0n }: SignCallParameters,
): Promise<AuthorizedCall> {
  const nonce = await readMarket(client, {
    address: client.contracts.signedCalls,
    abi: iSignedCallsAbi,
    functionName: 'nonces',
    args: [requireAccount(client, 'signCall'), nonceKey],
  });
  return signOffline(client, { call, deadlineSeconds, nonce });
}

export interface SignOfflineParameters {
  readonly call: SignedCall;
  /** Until when the signature may be used, seconds since 1970. */
  readonly deadlineSeconds: number;
  /** 192 bits of key, 64 bits of sequence; a key that was never used begins at sequence 0. */
  readonly nonce: bigint;
}

/**
 * Signs one of the tenant's calls without a node, with a nonce that the caller knows. The account must be one that signs by itself.
 * Throws AccountMissingError, and OrderFieldInvalidError for a spec that the market would refuse.
 *
 * @example
 * const nonce = randomKey << 64n;
 * const signed = await signOffline({ deployment, account }, { call: { type: 'CancelOrder', orderId: 7 }, deadlineSeconds, nonce });
 */
export async function signOffline(
  { deployment, account }: Pick<MarketClient, 'deployment' | 'account'>,
  { call, deadlineSeconds, nonce }: SignOfflineParameters,
): Promise<AuthorizedCall> {
  if (account?.type !== 'local' || account.signTypedData === undefined) throw new AccountMissingError('signOffline');
  if ('spec' in call) validateOrderSpec(call.spec);
  const { chainId, contracts } = deployment;
  const authorization = { tenant: account.address, nonce, deadline: BigInt(deadlineSeconds) };
  const data = signedCallData(signedCallDomain({ chainId, signedCalls: contracts.signedCalls }), call, authorization);
  const signature = await account.signTypedData<Record<string, unknown>, string>(data);
  return { call, authorization: { ...authorization, signature } };
}

/**
 * Sends a tenant's signed call; the client's account pays the gas and needs no other right.
 * Throws MarketCallRefusedError `InvalidSignature` or `SignatureExpired`, and the errors of `writeMarket`.
 *
 * @example
 * await sendSignedCall(relayer, signed);
 */
export async function sendSignedCall(
  client: MarketClient,
  { call, authorization }: AuthorizedCall,
): Promise<Written & { readonly orderId: number | null }> {
  const receipt = await writeMarket(client, {
    address: client.contracts.signedCalls,
    abi: iSignedCallsAbi,
    ...callOf(call, authorization),
  });
  const created = tryEventOf(receipt, {
    address: client.contracts.orderRequest,
    abi: iOrderRequestAbi,
    eventName: 'OrderCreated',
  });
  return { ...writtenBy(receipt), orderId: created?.orderId ?? null };
}

type Authorization = AuthorizedCall['authorization'];

function callOf(call: SignedCall, authorization: Authorization) {
  switch (call.type) {
    case 'CreateOrder':
      return { functionName: 'createOrder', args: [call.spec, call.expiresAt, authorization] } as const;
    case 'ReplaceOrder':
      return { functionName: 'replaceOrder', args: [call.orderId, call.spec, call.expiresAt, authorization] } as const;
    case 'CancelOrder':
      return { functionName: 'cancelOrder', args: [call.orderId, authorization] } as const;
    case 'AnnounceManifest':
      return { functionName: 'announceManifest', args: [call.orderId, call.manifestHash, authorization] } as const;
    case 'RequestUpdate':
      return { functionName: 'requestUpdate', args: [call.orderId, call.update, authorization] } as const;
    case 'CancelUpdate':
      return { functionName: 'cancelUpdate', args: [call.orderId, authorization] } as const;
    case 'RenewLease':
      return { functionName: 'renewLease', args: [call.orderId, call.durationMinutes, authorization] } as const;
    case 'TopUp':
      return { functionName: 'topUp', args: [call.orderId, call.addedMinutes, authorization] } as const;
    case 'CloseLease':
      return { functionName: 'closeLease', args: [call.orderId, authorization] } as const;
    case 'Deposit':
      return { functionName: 'deposit', args: [call.tokenId, call.amount, authorization] } as const;
    case 'Withdraw':
      return { functionName: 'withdraw', args: [call.tokenId, call.amount, authorization] } as const;
    default:
      return { functionName: 'chooseSponsor', args: [call.sponsor, authorization] } as const;
  }
}
