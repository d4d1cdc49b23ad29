import path from 'node:path';

import { expect, test } from '@jest/globals';

import { localSnapshotIn, localSnapshotSchema } from './localSnapshotConfig.js';

test('the snapshot lies in the data folder unless it is put elsewhere, and 0 keeps none', () => {
  expect(localSnapshotIn('data', localSnapshotSchema.parse(undefined))).toEqual({
    localSnapshot: { file: path.join('data', 'market.snapshot'), everySeconds: 600 },
  });
  expect(localSnapshotIn('data', localSnapshotSchema.parse({ file: '/else/where', everySeconds: 5 }))).toEqual({
    localSnapshot: { file: '/else/where', everySeconds: 5 },
  });
  expect(localSnapshotIn('data', localSnapshotSchema.parse({ everySeconds: 0 }))).toEqual({});
  expect(() => localSnapshotSchema.parse({ everySeconds: -1 })).toThrow();
});
