import { OFFERS_PER_MACHINE } from '../market.js';
import type { Market } from '../market.js';
import type { BucketTable } from './bucketTable.js';
import type { EnvelopeRow } from './envelope.js';
import { LEAF_ROWS } from './leafRows.js';
import { boundsPrices } from './leastPrices.js';
import { forEachOffer, offerOf } from './liveOffers.js';
import { ROW_NODE, SPARE_NODE } from './nodeTable.js';
import type { NodeTable } from './nodeTable.js';
import type { RowBounds } from './rowBounds.js';
import type { RowsByMachine } from './rowsByMachine.js';
import { halfOf, ROW_DEVICES, ROW_TOTAL } from './rowTable.js';
import type { RowTable, UnitPrices } from './rowTable.js';

/** What is verified. */
export interface VerifiedParts {
  readonly market: Market;
  readonly nodes: NodeTable;
  readonly rows: RowTable;
  readonly rowsByMachine: RowsByMachine;
  readonly buckets: BucketTable;
  readonly rowBounds: RowBounds;
}

/**
 * Every row has its provider's attributes, says what its machine has free and lies within the bounds of its bucket and of all nodes above
 * it, and every machine that takes part has its rows: throws RangeError if not.
 */
export function verifyIndex(parts: VerifiedParts, round: number): void {
  const { market, rows, rowsByMachine, rowBounds, buckets: table } = parts;
  const own = new Uint32Array(OFFERS_PER_MACHINE);
  const kept: EnvelopeRow = {
    referencePrice: 0,
    corePrice: 0,
    standing: 0,
    complianceBps: 0,
    total: 0,
    devices: 0,
  };
  const keptPrices: UnitPrices = { gpuPrice: 0, corePrice: 0, memoryPrice: 0, storagePrice: 0 };
  let count = 0;
  for (const bucket of table.buckets) {
    for (let local = bucket.leaves; local < 2 * bucket.leaves; local++) {
      const leaf = bucket.leafBase + local - bucket.leaves;
      if (table.bucketOf(leaf) !== bucket) throw new RangeError(`leaf ${leaf} is not of its bucket`);
      for (let row = leaf * LEAF_ROWS; row < leaf * LEAF_ROWS + rows.used[leaf]!; row++) {
        const machineId = rows.machineOf(row);
        count++;
        const ownCount = rowsByMachine.read(machineId, own);
        if (!own.subarray(0, ownCount).includes(row)) throw new RangeError(`machine ${machineId} lost row ${row}`);
        const offer = offerOf(market, machineId, bucket.forest.tokenId);
        const values = rowBounds.loadValues(machineId, offer, bucket);
        const { total, devices } = values;
        if (rows.halves[halfOf(row) + ROW_TOTAL] !== total || rows.halves[halfOf(row) + ROW_DEVICES] !== devices) {
          throw new RangeError(`row ${row} is not what machine ${machineId} has free`);
        }
        if ((rows.attributes.of(row) & values.attributes) !== values.attributes) {
          throw new RangeError(`row ${row} lacks attributes`);
        }
        rows.read(row, bucket.forest.isGpu, kept);
        rows.readPrices(row, keptPrices);
        if (!boundsPrices(bucket, kept.referencePrice, values, keptPrices)) {
          throw new RangeError(`bucket ${bucket.number} does not bound the prices of row ${row}`);
        }
        rowBounds.load(machineId, offer, bucket);
        for (let above = local; above >= 1; above >>= 1) verifyBound(parts, bucket.nodeBase + above);
        const { forest } = bucket;
        for (let above = (bucket.position + forest.buckets.length) >> 1; above >= 1; above >>= 1) {
          verifyBound(parts, forest.nodeBase + above);
        }
      }
    }
  }
  let expected = 0;
  forEachOffer(market, round, () => expected++);
  if (count !== expected) throw new RangeError(`${count} rows for ${expected} live offers`);
}

/** Throws RangeError unless a node bounds the row whose bounds ROW_NODE holds. */
function verifyBound({ nodes }: VerifiedParts, node: number): void {
  nodes.copy(SPARE_NODE, node);
  if (nodes.absorb(SPARE_NODE, ROW_NODE)) throw new RangeError(`node ${node} does not bound a row below it`);
}
