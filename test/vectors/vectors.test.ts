import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { decodeAbiParameters, isHex } from 'viem';
import type { Hex } from 'viem';
import * as z from 'zod';
import { chooseDevices } from '../../engine/devices.js';
import { explainOrder } from '../../engine/explainOrder.js';
import { Jitter } from '../../engine/jitter.js';
import { Market } from '../../engine/market.js';
import type { Bid } from '../../engine/order.js';
import { Packing } from '../../engine/packing.js';
import type { Policy } from '../../engine/policy.js';
import { RejectionReason } from '../../engine/rejectionReason.js';
import { hashOrderSpec, orderFrom, orderSpecAbiParameters } from '../../protocol/orderSpec.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { decodeRecord, decodeRecords, encodeRecord, encodeRecords, hashRecords } from '../../protocol/records.js';
import { decodeBidWord, encodeBidWord } from '../../protocol/words/bidWord.js';
import {
  decodeMachineTotalsWord,
  decodeMachineWord,
  encodeMachineTotalsWord,
  encodeMachineWord,
} from '../../protocol/words/machineWord.js';
import { decodeOfferWord, encodeOfferWord } from '../../protocol/words/offerWord.js';
import {
  decodeOpenOrderWord,
  decodeOrderOwnerWord,
  encodeOpenOrderWord,
  encodeOrderOwnerWord,
} from '../../protocol/words/orderWord.js';
import {
  decodeProviderOwnerWord,
  decodeProviderWord,
  encodeProviderOwnerWord,
  encodeProviderWord,
} from '../../protocol/words/providerWord.js';
import { decodeTableWord, encodeTableWord } from '../../protocol/words/tableWord.js';
import { PACKING_POLICIES, POLICIES } from './matchingVectors.js';
import { vectorFiles } from './vectorFiles.js';

const columns = z.record(z.string(), z.array(z.union([z.string(), z.number()])));
type Columns = z.infer<typeof columns>;

function textOf(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** The content of a file, of which `schema` names what a test reads. */
function contentOf<Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> {
  return schema.parse(JSON.parse(textOf(name)));
}

function hex(cell: string | number | undefined): Hex {
  if (!isHex(cell)) throw new TypeError(`${cell} is not hex`);
  return cell;
}

function rowsOf(table: Columns): Record<string, string | number>[] {
  const [first] = Object.values(table);
  return (first ?? []).map((_, row) =>
    Object.fromEntries(Object.entries(table).map(([name, cells]) => [name, cells[row] ?? ''])),
  );
}

/** A decoded value as the files write it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' ? value.toLowerCase() : value;
}

function flattened(fields: object): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'freeMilliGpu' || name === 'reports') {
      const prefix = name === 'reports' ? 'report' : 'device';
      if (Array.isArray(value)) value.forEach((entry: number, index) => (flat[`${prefix}${index}`] = entry));
    } else {
      flat[name] = plain(value);
    }
  }
  return flat;
}

const codecs: Record<string, { decode(word: bigint): object; reencode(word: bigint): bigint }> = {
  machine: { decode: decodeMachineWord, reencode: (word) => encodeMachineWord(decodeMachineWord(word)) },
  machineTotals: {
    decode: decodeMachineTotalsWord,
    reencode: (word) => encodeMachineTotalsWord(decodeMachineTotalsWord(word)),
  },
  offer: { decode: decodeOfferWord, reencode: (word) => encodeOfferWord(decodeOfferWord(word)) },
  provider: { decode: decodeProviderWord, reencode: (word) => encodeProviderWord(decodeProviderWord(word)) },
  providerOwner: {
    decode: decodeProviderOwnerWord,
    reencode: (word) => encodeProviderOwnerWord(decodeProviderOwnerWord(word)),
  },
  openOrder: { decode: decodeOpenOrderWord, reencode: (word) => encodeOpenOrderWord(decodeOpenOrderWord(word)) },
  orderOwner: { decode: decodeOrderOwnerWord, reencode: (word) => encodeOrderOwnerWord(decodeOrderOwnerWord(word)) },
  bid: { decode: decodeBidWord, reencode: (word) => encodeBidWord(decodeBidWord(word)) },
  table: { decode: decodeTableWord, reencode: (word) => encodeTableWord(decodeTableWord(word)) },
  record: { decode: decodeRecord, reencode: (word) => encodeRecord(decodeRecord(word)) },
};

describe('the vectors files', () => {
  test.each(Object.keys(vectorFiles()))('%s is what the generator writes', (name) => {
    expect(textOf(name)).toBe(vectorFiles()[name]);
  });
});

describe('words.json', () => {
  const words = contentOf('words.json', z.object({ slots: z.unknown() }).catchall(columns));

  test.each(Object.keys(codecs))('%s words decode to their fields and encode back', (kind) => {
    const rows = rowsOf(columns.parse(words[kind]));
    expect(rows.length).toBeGreaterThan(0);
    for (const { word, ...fields } of rows) {
      const value = BigInt(word!);
      expect(flattened(codecs[kind]!.decode(value))).toEqual(fields);
      expect(codecs[kind]!.reencode(value)).toBe(value);
    }
  });
});

describe('records.json', () => {
  const { batches, malformed } = contentOf('records.json', z.object({ batches: columns, malformed: columns }));

  test.each(rowsOf(batches))('batch $recordsHash', ({ records, recordsHash }) => {
    expect(encodeRecords(decodeRecords(hex(records)))).toBe(records);
    expect(hashRecords(hex(records))).toBe(recordsHash);
  });

  test.each(rowsOf(malformed))('refuses records where $problem', ({ records }) => {
    expect(() => decodeRecords(hex(records))).toThrow(/malformed/);
  });
});

describe('digests.json', () => {
  const { jitter } = contentOf('digests.json', z.object({ jitter: columns }));

  test('jitter', () => {
    for (const row of rowsOf(jitter)) {
      const computed = new Jitter(hex(row['seed']), Number(row['range'])).of(
        Number(row['orderId']),
        Number(row['providerId']),
      );
      expect(computed).toBe(row['jitter']);
    }
  });
});

const factsSchema = z.object({
  round: z.number(),
  snapshotBlock: z.number(),
  timestamp: z.number(),
  snapshotHash: z.string().transform(hex),
  seed: z.string().transform(hex),
  orderId: z.number(),
  machineId: z.number(),
  providerId: z.number(),
});
type Facts = z.output<typeof factsSchema>;

/** What the engine makes of a case: the deciding reason, or what is scored. */
function judged(facts: Facts, row: Record<string, string | number>, spec: OrderSpec, policy: Policy) {
  const market = new Market();
  const { orderId, machineId, providerId } = facts;
  market.setMachine(machineId, decodeMachineWord(BigInt(row['machine']!)));
  market.setOffer(machineId, 0, decodeOfferWord(BigInt(row['offer']!)));
  market.setProvider(providerId, decodeProviderWord(BigInt(row['provider']!)));
  const bids: Bid[] =
    BigInt(row['bid']!) === 0n ? [] : [{ ...decodeBidWord(BigInt(row['bid']!)), orderId, bidIndex: 0 }];
  const snapshot = {
    round: facts.round,
    blockNumber: facts.snapshotBlock,
    snapshotHash: facts.snapshotHash,
    timestampSeconds: facts.timestamp,
    orders: [orderFrom(orderId, BigInt(row['order']!), spec)],
    bids: new Map([[orderId, bids]]),
    market,
  };
  const { scores, decidingReason } = explainOrder(snapshot, policy, facts.seed, orderId);
  return { score: scores[0], decidingReason };
}

describe.each([
  ['matching.json', POLICIES],
  ['packing.json', PACKING_POLICIES],
] as const)('%s', (name, policies) => {
  const { facts, specs, cases, devices } = contentOf(
    name,
    z.object({ facts: factsSchema, specs: columns, cases: columns, devices: columns }),
  );
  const decodedSpecs = rowsOf(specs).map(({ encoded, specHash }) => {
    const [spec] = decodeAbiParameters(orderSpecAbiParameters, hex(encoded));
    return { spec, specHash };
  });

  test('every filter rejects some case and some cases pass', () => {
    const reasons = new Set(cases['reason']);
    expect([...reasons].map(Number).sort((a, b) => a - b)).toEqual([0, ...Object.values(RejectionReason)]);
  });

  test('spec hashes', () => {
    for (const { spec, specHash } of decodedSpecs) expect(hashOrderSpec(spec)).toBe(specHash);
  });

  test('every case gets its reason, or its price, components and total', () => {
    for (const row of rowsOf(cases)) {
      const { spec } = decodedSpecs[Number(row['spec'])]!;
      const { score, decidingReason } = judged(facts, row, spec, policies[Number(row['policy'])]!);
      if (row['reason'] === 0) {
        expect({ ...score, ...score?.components, fromBid: Number(score?.fromBid) }).toMatchObject({
          priceMicroPerHour: row['priceMicroPerHour'],
          fromBid: row['fromBid'],
          price: row['price'],
          stake: row['stake'],
          fit: row['fit'],
          region: row['region'],
          uptime: row['uptime'],
          reputation: row['reputation'],
          complianceBps: row['compliance'],
          ...('loss' in row ? { packingLoss: row['loss'], packingLargestLoss: row['greatestLoss'] } : {}),
          base: row['base'],
          total: row['total'],
        });
      } else {
        expect(decidingReason).toBe(row['reason']);
      }
    }
  });

  test('device choices', () => {
    for (const row of rowsOf(devices)) {
      const { freeMilliGpu } = decodeMachineWord(BigInt(row['machine']!));
      const milliGpu = Number(row['milliGpu']);
      const { packing } = policies['policy' in row ? Number(row['policy']) : 0]!;
      const deviceValue = packing === null ? null : new Packing(packing).deviceValue;
      const mask = chooseDevices(freeMilliGpu, 0, milliGpu, deviceValue);
      expect(mask).toBe(row['mask']);
      expect(milliGpu === 0 || mask !== 0).toBe(row['fits'] === 1);
    }
  });
});
