import { crc32 } from 'node:zlib';

import { getAddress, type Address, type Hex } from 'viem';

/** Whose signatures a guard watches: one key, for one settlement contract on one chain. */
export interface GuardScope {
  readonly chainId: number;
  readonly settlement: Address;
  readonly keyAddress: Address;
}

/** One decision to sign, or (`watermark`) the statement that nothing up to `round` may be signed any more. */
export interface GuardRecord {
  readonly kind: 'signature' | 'watermark';
  readonly round: number;
  readonly messageHash: Hex;
  /** Reference timestamp of the operator table, seconds. */
  readonly referenceTimestamp: number;
}

/** Bytes of one record; a divisor of the sector size, so that a record is on the disk whole or not at all. */
export const GUARD_RECORD_BYTES = 128;

const CRC_OFFSET = GUARD_RECORD_BYTES - 4;
const MAGIC = { signature: 0x4d4d4753, watermark: 0x4d4d4757 } as const;

/** A record as it is on the disk: magic, chain id, settlement, key, round, message hash, reference timestamp, CRC-32 of the rest. */
export function encodeGuardRecord(scope: GuardScope, record: GuardRecord): Buffer {
  const bytes = Buffer.alloc(GUARD_RECORD_BYTES);
  bytes.writeUInt32BE(MAGIC[record.kind], 0);
  bytes.writeBigUInt64BE(BigInt(scope.chainId), 4);
  bytes.write(scope.settlement.slice(2), 12, 'hex');
  bytes.write(scope.keyAddress.slice(2), 32, 'hex');
  bytes.writeBigUInt64BE(BigInt(record.round), 52);
  bytes.write(record.messageHash.slice(2), 60, 'hex');
  bytes.writeUInt32BE(record.referenceTimestamp, 92);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/** The record in 128 bytes with the scope it was written for; undefined when magic or checksum do not hold. */
export function decodeGuardRecord(bytes: Buffer): { scope: GuardScope; record: GuardRecord } | undefined {
  if (bytes.length !== GUARD_RECORD_BYTES) return undefined;
  if (bytes.readUInt32BE(CRC_OFFSET) !== crc32(bytes.subarray(0, CRC_OFFSET))) return undefined;
  const magic = bytes.readUInt32BE(0);
  const kind = magic === MAGIC.signature ? 'signature' : magic === MAGIC.watermark ? 'watermark' : undefined;
  if (kind === undefined) return undefined;
  return {
    scope: {
      chainId: Number(bytes.readBigUInt64BE(4)),
      settlement: getAddress(`0x${bytes.toString('hex', 12, 32)}`),
      keyAddress: getAddress(`0x${bytes.toString('hex', 32, 52)}`),
    },
    record: {
      kind,
      round: Number(bytes.readBigUInt64BE(52)),
      messageHash: `0x${bytes.toString('hex', 60, 92)}`,
      referenceTimestamp: bytes.readUInt32BE(92),
    },
  };
}
