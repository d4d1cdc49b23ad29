import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { z } from 'zod';
import { OFFERS_PER_MACHINE } from '../../engine/market.js';
import type { Bid } from '../../engine/order.js';
import { MatchmakerError } from '../../engine/error.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { LIMBS } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';
import { addressSchema } from '../addressSchema.js';
import type { Deployment } from '../deployment.js';
import { MarketColumns } from './marketColumns.js';
import type { MarketContent } from './marketState.js';
import type { LeasedSpec, OrderBookContent, OrderEntry } from './orderBook.js';

/** Bytes that are no snapshot of this market; `reason` says what is wrong with them. */
export class SnapshotRefusedError extends MatchmakerError<'SNAPSHOT_REFUSED'> {
  readonly reason: string;

  constructor(reason: string, options: { readonly cause?: unknown } = {}) {
    super('SNAPSHOT_REFUSED', `the local snapshot is not used: ${reason}`, options);
    this.reason = reason;
  }
}

/*
 * The file: eight bytes that name the format and its version, the header (length in 4 bytes, JSON), the words of providers, of
 * machines, of offers (each behind its row; a row 0 ends them), the order book (JSON lists, each behind its length; a length of 0 ends
 * them), and the SHA-256 of everything before. Numbers and words are little-endian limbs.
 */
const MAGIC = Buffer.from('MMSNAP01', 'latin1');
const LENGTH_BYTES = 4;
const DIGEST_BYTES = 32;
/** Stands before a big integer in a JSON string. */
const BIGINT = 'n:';
const OFFER_LIMBS = 1 + LIMBS;
/** Words written and read at a time: small enough that a node stays awake between two. */
const CHUNK_WORDS = 4_096;
const CHUNK_ENTRIES = 500;

const bits = (count: number) =>
  z
    .bigint()
    .min(0n)
    .max((1n << BigInt(count)) - 1n);
const count = z.int().min(0).max(0xffff_ffff);
const hash = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value), 'must be a hash');
const period = z.strictObject({ fromRound: count, fromBlock: z.int().min(0), lengthBlocks: z.int().min(1) });
const list = z.array(count);
const packingTerms = z.strictObject({
  fromMilli: list,
  value: list,
  deviceWeight: count,
  cpuWeight: count,
  memoryWeight: count,
  cpuRate: count,
  memoryRate: count,
  models: list,
  modelFactor: list,
});
const policy = z.strictObject({
  hash,
  policy: z.strictObject({
    rulesVersion: count,
    weightPriceBps: count,
    weightStakeBps: count,
    weightFitBps: count,
    weightRegionBps: count,
    weightUptimeBps: count,
    weightReputationBps: count,
    saturationWhole: count,
    complianceCapBps: count,
    jitterRange: z.int().min(0),
    defaultUptimeBps: count,
    defaultReputationBps: count,
    maxMatches: count,
    quorumBps: count,
    minTotalStake: bits(256),
    maxTableAgeSeconds: count,
    coolRounds: count,
    selfMatchRounds: count,
    weightPackingBps: count,
    packing: packingTerms.nullable(),
  }),
});

const scopeSchema = z.strictObject({
  chainId: z.int().positive(),
  deploymentBlock: z.int().min(0),
  providerRegistry: addressSchema,
  orderRequest: addressSchema,
  matchSettlement: addressSchema,
  matchPolicy: addressSchema,
});

const headerSchema = z.strictObject({
  scope: scopeSchema,
  block: z.strictObject({ number: z.int().min(0), hash, timestamp: z.int().min(0) }),
  registryFacts: bits(256),
  ordersFacts: bits(256),
  settlement: bits(256),
  schedule: z.strictObject({ newest: period, previous: period.nullable() }).nullable(),
  newestPolicy: policy.nullable(),
  previousPolicy: policy.nullable(),
  providers: z.int().min(0).max(0xff_ffff),
  machines: count,
});

const orderSpec = z.strictObject({
  milliGpu: count,
  cpuMilli: count,
  memoryMib: count,
  storageGib: count,
  models: list,
  regions: list,
  regionsExcluded: list,
  providersWanted: list,
  providersExcluded: list,
  tiers: count,
  attributes: bits(64),
  regionRequired: z.boolean(),
  minUptimeBps: count,
  minReputationBps: count,
  maxSlashes: count,
  tokenId: count,
  maxPriceMicroPerHour: z.int().min(0),
  durationMinutes: count,
});
const bid = z.strictObject({
  orderId: count,
  bidIndex: count,
  machineId: count,
  providerId: count,
  priceMicroPerHour: z.int().min(0),
  untilRound: count,
});
const spec = { specWord: bits(256), spec: orderSpec.nullable(), specHash: bits(256) };
const entriesSchema = z.array(
  z.strictObject({
    orderId: count,
    open: z.strictObject({ word: bits(256), ...spec }).nullable(),
    leased: z.strictObject(spec).nullable(),
    bids: z.array(bid),
  }),
);

/** The snapshot of a market as parts of a file, in their order. The state must not go on until the last part is taken. */
export function* encodeSnapshot(deployment: Deployment, content: MarketContent): Generator<Uint8Array> {
  const digest = createHash('sha256');
  for (const part of partsOf(deployment, content)) {
    digest.update(part);
    yield part;
  }
  yield digest.digest();
}

/** Reads a whole file. Throws SnapshotRefusedError for everything but an undamaged snapshot of the deployment's market. */
export function decodeSnapshot(deployment: Deployment, file: Buffer): MarketContent {
  const end = file.length - DIGEST_BYTES;
  if (end < MAGIC.length || !file.subarray(0, MAGIC.length).equals(MAGIC))
    throw new SnapshotRefusedError('it is of another format or version');
  const digest = createHash('sha256').update(file.subarray(0, end)).digest();
  if (!digest.equals(file.subarray(end))) throw new SnapshotRefusedError('its checksum does not hold');
  try {
    return contentIn(new Reader(file.subarray(MAGIC.length, end)), deployment);
  } catch (cause) {
    if (cause instanceof SnapshotRefusedError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new SnapshotRefusedError(`it does not hold together (${detail})`, { cause });
  }
}

function* partsOf(deployment: Deployment, content: MarketContent): Generator<Uint8Array> {
  const { columns, orders, block, ...scalars } = content;
  const { market } = columns;
  const { number, hash, timestamp } = block;
  yield MAGIC;
  yield* json({
    scope: scopeOf(deployment),
    block: { number, hash, timestamp },
    ...scalars,
    providers: market.providerCount,
    machines: market.machineCount,
  });
  yield* words(market.providerCount, (id, word) => columns.readProviderWord(id, word));
  yield* words(market.machineCount, (id, word) => columns.readMachineWord(id, word));
  yield* offers(columns);
  let entries: unknown[] = [];
  for (const entry of bookEntries(orders)) {
    entries.push(entry);
    if (entries.length < CHUNK_ENTRIES) continue;
    yield* json(entries);
    entries = [];
  }
  if (entries.length > 0) yield* json(entries);
  yield Buffer.alloc(LENGTH_BYTES);
}

function contentIn(reader: Reader, deployment: Deployment): MarketContent {
  const { scope, providers, machines, ...scalars } = headerSchema.parse(reader.json());
  if (JSON.stringify(scope) !== JSON.stringify(scopeOf(deployment)))
    throw new SnapshotRefusedError('it is of another market');
  for (const scheduled of [scalars.newestPolicy, scalars.previousPolicy]) {
    if (scheduled !== null && hashPolicy(scheduled.policy) !== scheduled.hash)
      throw new SnapshotRefusedError('a policy does not hash to its policy hash');
  }
  const columns = new MarketColumns();
  reader.words(providers, (id, word) => columns.putProvider(id, word));
  reader.words(machines, (id, word) => columns.putMachine(id, word));
  reader.offers((row, word) => columns.putOffer(Math.floor(row / OFFERS_PER_MACHINE), row % OFFERS_PER_MACHINE, word));
  const orders = new Map<number, OrderEntry>();
  const leasedSpecs = new Map<number, LeasedSpec>();
  const bids = new Map<number, readonly Bid[]>();
  for (let entries = reader.json(); entries !== undefined; entries = reader.json()) {
    for (const { orderId, open, leased, bids: placed } of entriesSchema.parse(entries)) {
      if (open !== null) orders.set(orderId, { ...open, order: null });
      if (leased !== null) leasedSpecs.set(orderId, leased);
      if (placed.length > 0) bids.set(orderId, placed);
    }
  }
  reader.requireEnd();
  return { ...scalars, columns, orders: { orders, leasedSpecs, bids } };
}

function* bookEntries({ orders, leasedSpecs, bids }: OrderBookContent): Generator {
  for (const orderId of new Set([...orders.keys(), ...leasedSpecs.keys(), ...bids.keys()])) {
    const entry = orders.get(orderId);
    const open =
      entry === undefined
        ? null
        : { word: entry.word, specWord: entry.specWord, spec: entry.spec, specHash: entry.specHash };
    yield { orderId, open, leased: leasedSpecs.get(orderId) ?? null, bids: bids.get(orderId) ?? [] };
  }
}

function scopeOf({ chainId, deploymentBlock, contracts }: Deployment): z.output<typeof scopeSchema> {
  const { providerRegistry, orderRequest, matchSettlement, matchPolicy } = contracts;
  return { chainId, deploymentBlock, providerRegistry, orderRequest, matchSettlement, matchPolicy };
}

function* json(value: unknown): Generator<Uint8Array> {
  const text = Buffer.from(
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${BIGINT}${inner}` : inner)),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  yield length;
  yield text;
}

function* words(count: number, read: (id: number, word: WordLimbs) => void): Generator<Uint8Array> {
  const word = new Uint32Array(LIMBS);
  for (let first = 1; first <= count; first += CHUNK_WORDS) {
    const length = Math.min(CHUNK_WORDS, count + 1 - first);
    const chunk = new Uint32Array(length * LIMBS);
    for (let index = 0; index < length; index++) {
      read(first + index, word);
      chunk.set(word, index * LIMBS);
    }
    yield bytesOf(chunk);
  }
}

function* offers(columns: MarketColumns): Generator<Uint8Array> {
  const word = new Uint32Array(LIMBS);
  const chunk = new Uint32Array(CHUNK_WORDS * OFFER_LIMBS);
  let length = 0;
  for (let machineId = 1; machineId <= columns.market.machineCount; machineId++) {
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      columns.readOfferWord(machineId, index, word);
      if (!word.some((limb) => limb !== 0)) continue;
      chunk[length] = machineId * OFFERS_PER_MACHINE + index;
      chunk.set(word, length + 1);
      length += OFFER_LIMBS;
      if (length < chunk.length) continue;
      yield bytesOf(chunk.slice());
      length = 0;
    }
  }
  yield bytesOf(chunk.slice(0, length));
  yield new Uint8Array(4);
}

function bytesOf(limbs: Uint32Array): Uint8Array {
  return new Uint8Array(limbs.buffer, limbs.byteOffset, limbs.byteLength);
}

/** Takes a snapshot's parts off its bytes one after the other. Every method throws SnapshotRefusedError at their end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next JSON value; undefined for the length 0 that ends a list of them. */
  json(): unknown {
    const length = this.#take(LENGTH_BYTES).readUInt32LE();
    if (length === 0) return undefined;
    return JSON.parse(this.#take(length).toString(), (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(BIGINT) ? BigInt(value.slice(BIGINT.length)) : value,
    );
  }

  /** Words of ids 1..count. */
  words(count: number, put: (id: number, word: WordLimbs) => void): void {
    for (let first = 1; first <= count; first += CHUNK_WORDS) {
      const length = Math.min(CHUNK_WORDS, count + 1 - first);
      const limbs = this.#limbs(length * LIMBS);
      for (let index = 0; index < length; index++)
        put(first + index, limbs.subarray(index * LIMBS, (index + 1) * LIMBS));
    }
  }

  /** Words of offers, each behind its row, up to row 0. */
  offers(put: (row: number, word: WordLimbs) => void): void {
    for (;;) {
      const row = this.#take(4).readUInt32LE();
      if (row === 0) return;
      put(row, this.#limbs(LIMBS));
    }
  }

  requireEnd(): void {
    if (this.#at !== this.#bytes.length) throw new SnapshotRefusedError('there is something behind its end');
  }

  #limbs(count: number): Uint32Array {
    return new Uint32Array(Uint8Array.from(this.#take(count * 4)).buffer);
  }

  #take(length: number): Buffer {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    if (part.length !== length) throw new SnapshotRefusedError('it ends early');
    this.#at += length;
    return part;
  }
}
