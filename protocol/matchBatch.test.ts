import { expect, test } from '@jest/globals';
import { hashMatchBatch } from './matchBatch.js';
import type { MatchBatch } from './matchBatch.js';

const batch: MatchBatch = {
  round: 1,
  snapshotBlock: 2,
  snapshotHash: `0x${'03'.repeat(32)}`,
  policyHash: `0x${'04'.repeat(32)}`,
  operatorSetKey: `0x${'05'.repeat(32)}`,
  tableTimestamp: 6,
  tableHash: `0x${'07'.repeat(32)}`,
  recordsHash: `0x${'08'.repeat(32)}`,
  matchCount: 9,
};
const domain = { chainId: 31_337, settlement: '0x00000000000000000000000000000000000000aa' } as const;

test('every field, the chain and the contract change the hash', () => {
  const other = `0x${'ff'.repeat(32)}` as const;
  const changes: Partial<MatchBatch>[] = [
    { round: 10 },
    { snapshotBlock: 10 },
    { snapshotHash: other },
    { policyHash: other },
    { operatorSetKey: other },
    { tableTimestamp: 10 },
    { tableHash: other },
    { recordsHash: other },
    { matchCount: 10 },
  ];
  const hashes = [
    hashMatchBatch(batch, domain),
    ...changes.map((change) => hashMatchBatch({ ...batch, ...change }, domain)),
    hashMatchBatch(batch, { ...domain, chainId: 1 }),
    hashMatchBatch(batch, { ...domain, settlement: '0x00000000000000000000000000000000000000ab' }),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});
