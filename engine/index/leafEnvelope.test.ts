import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Forest } from './bucket.js';
import type { Bucket } from './bucket.js';
import { CLASSES, cpuClassesOf, Envelope, gpuClassesOf } from './envelope.js';
import type { EnvelopeRow } from './envelope.js';
import { LeafEnvelope } from './leafEnvelope.js';
import { LEAF_ROWS } from './leafRows.js';
import { RowTable } from './rowTable.js';

const SCALE = {
  fullPoints: 60_000_000,
  gpuPoints: Float64Array.from({ length: CLASSES }, (_, needClass) => 50_000_000 + needClass * 1_000_001),
  pricePoints: 45_000_000,
  fitPoints: 15_000_000,
  unit: 1,
};

const rowArbitrary = fc.record({
  gpuPrice: fc.nat(5_000_000),
  corePrice: fc.nat(20_000),
  memoryPrice: fc.nat(3000),
  storagePrice: fc.nat(30_000),
  standing: fc.nat(40_000_000),
  complianceBps: fc.integer({ min: 9000, max: 14_000 }),
  total: fc.integer({ min: 1, max: 8000 }),
  devices: fc.tuple(fc.nat(1000), fc.nat(8)).map(([share, whole]) => (whole << 10) | (whole > 0 ? 1000 : share)),
  attributes: fc.constant(0),
});

test("lifts an envelope by a leaf as by the leaf's rows one after the other", () => {
  fc.assert(
    fc.property(
      fc.array(rowArbitrary, { minLength: 1, maxLength: LEAF_ROWS }),
      fc.boolean(),
      fc.nat(CLASSES - 1),
      fc.nat(CLASSES - 1),
      (values, isGpu, one, other) => {
        const rows = new RowTable();
        rows.standingUnit = 1729;
        rows.grow(2);
        values.forEach((row, index) => rows.write(LEAF_ROWS + index, index + 1, row));
        rows.used[1] = values.length;
        const bucket = { forest: new Forest(0, 1, isGpu), typicalPrice: 2_000_000, typicalCore: 9000 } as Bucket;
        const from = Math.min(one, other);
        const to = Math.max(one, other);
        const lifted = new Envelope();
        new LeafEnvelope(rows, SCALE).lift(lifted, bucket, 1, from, to);
        const expected = new Envelope();
        const row: EnvelopeRow = {
          referencePrice: 0,
          corePrice: 0,
          standing: 0,
          complianceBps: 0,
          total: 0,
          devices: 0,
        };
        values.forEach((_, index) => {
          rows.read(LEAF_ROWS + index, isGpu, row);
          if (isGpu) {
            expected.addGpuClasses(SCALE, row, bucket.typicalPrice, from, Math.min(to, gpuClassesOf(row.devices)));
          } else {
            expected.addCpuClasses(SCALE, row, bucket.typicalCore, from, Math.min(to, cpuClassesOf(row.total)));
          }
        });
        expect([...lifted.values]).toEqual([...expected.values]);
      },
    ),
  );
});
