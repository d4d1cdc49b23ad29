import { encodeAbiParameters, keccak256 } from 'viem';
import type { Hex } from 'viem';
import type { Order } from '../engine/order.js';
import { MatchmakerError } from '../engine/error.js';
import { decodeLeaseWord, decodeOpenOrderWord, OrderState, orderStateOf } from './words/orderWord.js';

/** What a tenant asks for, as the Solidity struct of the same name. */
export interface OrderSpec {
  /** 0, 1..999 (a share of one device) or a multiple of 1000 up to 8000. */
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  readonly models: readonly number[];
  readonly regions: readonly number[];
  readonly regionsExcluded: readonly number[];
  readonly providersWanted: readonly number[];
  readonly providersExcluded: readonly number[];
  /** Tier t is bit t - 1; 0 means any. */
  readonly tiers: number;
  /** 54 bits. */
  readonly attributes: bigint;
  readonly regionRequired: boolean;
  readonly minUptimeBps: number;
  readonly minReputationBps: number;
  readonly maxSlashes: number;
  readonly tokenId: number;
  readonly maxPriceMicroPerHour: number;
  readonly durationMinutes: number;
}

/** A field of an order's spec is outside its bounds or contradicts another; `field` is named as in the struct. */
export class OrderFieldInvalidError extends MatchmakerError<'ORDER_FIELD_INVALID'> {
  readonly field: keyof OrderSpec;

  constructor(field: keyof OrderSpec, rule: string, value: unknown) {
    super('ORDER_FIELD_INVALID', `order: ${field} ${rule}`, { metadata: { field, rule, value: String(value) } });
    this.field = field;
  }
}

/** An order's word and its spec do not belong together. */
export class OrderSpecMismatchError extends MatchmakerError<'ORDER_SPEC_MISMATCH'> {
  constructor(orderId: number, field: string) {
    super('ORDER_SPEC_MISMATCH', `order ${orderId}: word and spec differ in ${field}`, {
      metadata: { orderId, field },
    });
  }
}

/** ABI of the `OrderSpec` struct, one tuple. */
export const orderSpecAbiParameters = [
  {
    type: 'tuple',
    components: [
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
  },
] as const;

/** Entries that each list of a spec may hold. */
export const LIST_LIMIT = 8;

const MAX_BPS = 10_000;
const MAX_MODEL = 1023;
const MAX_REGION = 1023;
const MAX_PROVIDER = 0xff_ffff;

/** Spec hash: keccak256(abi.encode(spec)). */
export function hashOrderSpec(spec: OrderSpec): Hex {
  return keccak256(encodeAbiParameters(orderSpecAbiParameters, [spec]));
}

/** Checks a spec by the rules of OrderRequest.createOrder, fields in the struct's order. Throws OrderFieldInvalidError for the first that fails. */
export function validateOrderSpec(spec: OrderSpec): void {
  const { milliGpu } = spec;
  if (!isInteger(milliGpu, 0, 8000) || (milliGpu > 1000 && milliGpu % 1000 !== 0)) {
    throw new OrderFieldInvalidError('milliGpu', 'must be 0, 1..999 or a multiple of 1000 up to 8000', milliGpu);
  }
  requireInteger(spec, 'cpuMilli', 1, 2 ** 20 - 1);
  requireInteger(spec, 'memoryMib', 0, 2 ** 24 - 1);
  requireInteger(spec, 'storageGib', 0, 2 ** 20 - 1);
  if (milliGpu === 0 && spec.models.length > 0) {
    throw new OrderFieldInvalidError('models', 'must be empty when milliGpu is 0', spec.models);
  }
  requireList(spec, 'models', 1, MAX_MODEL);
  requireList(spec, 'regions', 0, MAX_REGION);
  requireList(spec, 'regionsExcluded', 0, MAX_REGION);
  requireList(spec, 'providersWanted', 1, MAX_PROVIDER);
  requireList(spec, 'providersExcluded', 1, MAX_PROVIDER);
  requireInteger(spec, 'tiers', 0, 127);
  if (spec.attributes < 0n || spec.attributes >= 1n << 54n) {
    throw new OrderFieldInvalidError('attributes', 'must be a bitmap of 54 bits', spec.attributes);
  }
  requireInteger(spec, 'minUptimeBps', 0, MAX_BPS);
  requireInteger(spec, 'minReputationBps', 0, MAX_BPS);
  requireInteger(spec, 'maxSlashes', 0, 255);
  requireInteger(spec, 'tokenId', 1, 0xffff);
  requireInteger(spec, 'maxPriceMicroPerHour', 1, 2 ** 39 - 1);
  requireInteger(spec, 'durationMinutes', 1, 2 ** 24 - 1);
}

/**
 * The engine's order from its word and spec; an order that became a lease is not open and has no eligibility of its own.
 * Throws OrderSpecMismatchError when their common fields differ, WordMalformedError for a malformed word.
 */
export function orderFrom(orderId: number, word: bigint, spec: OrderSpec): Order {
  const state = orderStateOf(word);
  if (state === OrderState.MATCHED || state === OrderState.PROVISIONED) {
    requireSame(orderId, decodeLeaseWord(word), spec);
    return orderOf(orderId, spec, CLOSED);
  }
  const open = decodeOpenOrderWord(word);
  requireSame(orderId, open, spec);
  if (open.maxPriceMicroPerHour !== spec.maxPriceMicroPerHour)
    throw new OrderSpecMismatchError(orderId, 'maxPriceMicroPerHour');
  return orderOf(orderId, spec, {
    isOpen: state === OrderState.OPEN,
    untilRound: open.untilRound,
    eligibleFromBlock: open.eligibleFromBlock,
    expiresAtSeconds: open.expiresAtSeconds,
  });
}

type OrderStanding = Pick<Order, 'isOpen' | 'untilRound' | 'eligibleFromBlock' | 'expiresAtSeconds'>;

const CLOSED: OrderStanding = { isOpen: false, untilRound: 0, eligibleFromBlock: 0, expiresAtSeconds: 0 };

/**
 * An order field by field: spread into a literal, every order would get a hidden class of its own, and reading it would take the engine
 * as long as matching it.
 */
function orderOf(orderId: number, spec: OrderSpec, standing: OrderStanding): Order {
  return {
    orderId,
    isOpen: standing.isOpen,
    untilRound: standing.untilRound,
    eligibleFromBlock: standing.eligibleFromBlock,
    expiresAtSeconds: standing.expiresAtSeconds,
    milliGpu: spec.milliGpu,
    cpuMilli: spec.cpuMilli,
    memoryMib: spec.memoryMib,
    storageGib: spec.storageGib,
    models: spec.models,
    regions: spec.regions,
    regionsExcluded: spec.regionsExcluded,
    providersWanted: spec.providersWanted,
    providersExcluded: spec.providersExcluded,
    tiers: spec.tiers,
    attributes: spec.attributes,
    regionRequired: spec.regionRequired,
    minUptimeBps: spec.minUptimeBps,
    minReputationBps: spec.minReputationBps,
    maxSlashes: spec.maxSlashes,
    tokenId: spec.tokenId,
    maxPriceMicroPerHour: spec.maxPriceMicroPerHour,
    durationMinutes: spec.durationMinutes,
  };
}

const SHARED_FIELDS = ['milliGpu', 'cpuMilli', 'memoryMib', 'storageGib', 'tokenId'] as const;

function requireSame(
  orderId: number,
  word: Readonly<Record<(typeof SHARED_FIELDS)[number], number>>,
  spec: OrderSpec,
): void {
  for (const field of SHARED_FIELDS) {
    if (word[field] !== spec[field]) throw new OrderSpecMismatchError(orderId, field);
  }
}

function isInteger(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

type NumberField = {
  [Field in keyof OrderSpec]: OrderSpec[Field] extends number ? Field : never;
}[keyof OrderSpec];

type ListField = 'models' | 'regions' | 'regionsExcluded' | 'providersWanted' | 'providersExcluded';

function requireInteger(spec: OrderSpec, field: NumberField, least: number, most: number): void {
  if (!isInteger(spec[field], least, most)) {
    throw new OrderFieldInvalidError(field, `must be an integer from ${least} to ${most}`, spec[field]);
  }
}

function requireList(spec: OrderSpec, field: ListField, least: number, most: number): void {
  const list = spec[field];
  if (list.length > LIST_LIMIT) throw new OrderFieldInvalidError(field, `may hold at most ${LIST_LIMIT} entries`, list);
  if (!list.every((entry) => isInteger(entry, least, most))) {
    throw new OrderFieldInvalidError(field, `entries must be integers from ${least} to ${most}`, list);
  }
}
