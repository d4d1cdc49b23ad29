import { isHex, size, sliceHex } from 'viem';
import type { Hex } from 'viem';
import type { MatchRecord } from '../engine/record.js';
import { MatchmakerError } from '../engine/error.js';
import { keccakHex } from './keccakHex.js';
import { wordLayout } from './words/wordLayout.js';

/** Bytes that are not a list of records with strictly ascending order ids. */
export class RecordsMalformedError extends MatchmakerError<'RECORDS_MALFORMED'> {
  constructor(problem: string, metadata: Record<string, unknown> = {}) {
    super('RECORDS_MALFORMED', `records are malformed: ${problem}`, { metadata });
  }
}

/** Bytes of one record. */
export const RECORD_BYTES = 32;

const layout = wordLayout('record', {
  orderId: [224, 32],
  machineId: [192, 32],
  priceMicroPerHour: [152, 40],
  deviceMask: [144, 8],
  milliGpu: [128, 16],
  cpuMilli: [104, 24],
  memoryMib: [80, 24],
  storageGib: [56, 24],
  fromBid: [50, 1],
  offerIndex: [48, 2],
  tokenId: [32, 16],
  providerId: [8, 24],
  bidIndex: [0, 8],
});

/** A record as its 256-bit word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeRecord(record: MatchRecord): bigint {
  return layout.encode({ ...record, fromBid: record.fromBid ? 1 : 0 });
}

/**
 * The record in a 256-bit word. Throws WordMalformedError for set spare flag bits.
 * Accepts every record that settlement accepts or skips, so that a node can follow whatever a quorum settled.
 */
export function decodeRecord(word: bigint): MatchRecord {
  const fields = layout.decode(word);
  return { ...fields, fromBid: fields.fromBid === 1 };
}

/** All records of a batch, 32 bytes each. Throws RecordsMalformedError unless order ids ascend strictly. */
export function encodeRecords(records: readonly MatchRecord[]): Hex {
  requireAscending(records);
  return `0x${records
    .map((record) =>
      encodeRecord(record)
        .toString(16)
        .padStart(2 * RECORD_BYTES, '0'),
    )
    .join('')}`;
}

/**
 * The records of a batch. Throws RecordsMalformedError for a length that is no multiple of 32 bytes or order ids that do not
 * ascend strictly, WordMalformedError for spare flag bits.
 */
export function decodeRecords(records: Hex): MatchRecord[] {
  requireHexBytes(records);
  const bytes = size(records);
  if (bytes % RECORD_BYTES !== 0) {
    throw new RecordsMalformedError(`${bytes} bytes is no multiple of ${RECORD_BYTES}`, { bytes });
  }
  const decoded: MatchRecord[] = [];
  for (let offset = 0; offset < bytes; offset += RECORD_BYTES) {
    decoded.push(decodeRecord(BigInt(sliceHex(records, offset, offset + RECORD_BYTES))));
  }
  requireAscending(decoded);
  return decoded;
}

/** recordsHash: keccak256 over the bytes of all records. Throws RecordsMalformedError for what is not hex bytes. */
export function hashRecords(records: Hex): Hex {
  requireHexBytes(records);
  return keccakHex(records.slice(2));
}

function requireHexBytes(records: Hex): void {
  if (!isHex(records) || records.length % 2 !== 0) throw new RecordsMalformedError('they are not hex bytes');
}

function requireAscending(records: readonly MatchRecord[]): void {
  for (let index = 1; index < records.length; index++) {
    const before = records[index - 1]!.orderId;
    const orderId = records[index]!.orderId;
    if (orderId <= before) {
      throw new RecordsMalformedError(`order ${orderId} of record ${index} follows order ${before}`, {
        index,
        orderId,
        before,
      });
    }
  }
}
