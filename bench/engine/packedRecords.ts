import type { MatchRecord } from '../../engine/record.js';

const FIELDS = 13;

/** Records as numbers, thirteen each, so that a thread can hand them over without copying. */
export function packRecords(records: readonly MatchRecord[]): Float64Array<ArrayBuffer> {
  const packed = new Float64Array(records.length * FIELDS);
  records.forEach((record, index) => {
    packed.set(
      [
        record.orderId,
        record.machineId,
        record.priceMicroPerHour,
        record.deviceMask,
        record.milliGpu,
        record.cpuMilli,
        record.memoryMib,
        record.storageGib,
        record.offerIndex,
        record.fromBid ? 1 : 0,
        record.tokenId,
        record.providerId,
        record.bidIndex,
      ],
      index * FIELDS,
    );
  });
  return packed;
}

/** The records that were packed. */
export function unpackRecords(packed: Float64Array): MatchRecord[] {
  return Array.from({ length: packed.length / FIELDS }, (_, index) => {
    const field = (offset: number): number => packed[index * FIELDS + offset]!;
    return {
      orderId: field(0),
      machineId: field(1),
      priceMicroPerHour: field(2),
      deviceMask: field(3),
      milliGpu: field(4),
      cpuMilli: field(5),
      memoryMib: field(6),
      storageGib: field(7),
      offerIndex: field(8),
      fromBid: field(9) === 1,
      tokenId: field(10),
      providerId: field(11),
      bidIndex: field(12),
    };
  });
}
