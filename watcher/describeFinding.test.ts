import { expect, test } from '@jest/globals';
import type { BatchFinding } from '../engine/auditBatch.js';
import { describeFinding } from './describeFinding.js';

const machine = { machineId: 7, providerId: 3, offerIndex: 0, bidIndex: null };
const wrong = {
  fault: 'wrongRecord',
  index: 2,
  orderId: 9,
  reason: 0,
  differing: ['cpuMilli'],
  machine,
  orderIsOpen: true,
} as const;

test.each<[BatchFinding, string]>([
  [wrong, 'record 2: order 9 on machine 7 has another cpuMilli than the rules give'],
  [{ ...wrong, reason: 8, differing: [] }, 'record 2: order 9 on machine 7 fails the filter REGION_EXCLUDED'],
  [{ ...wrong, reason: 1, differing: [], machine: null }, 'record 2: order 9 was not eligible'],
  [
    {
      fault: 'betterCandidate',
      index: 0,
      orderId: 9,
      winner: machine,
      winnerTotal: 10,
      candidate: { ...machine, machineId: 8 },
      candidateTotal: 11,
    },
    'record 0: order 9 went to machine 7 with 10 points although machine 8 had 11',
  ],
  [
    { fault: 'unknownName', index: 1, orderId: 9, machineId: 7, orderIsOpen: true, name: 'bid' },
    'record 1: order 9 on machine 7 names a bid that never existed',
  ],
  [{ fault: 'omittedOrder', orderId: 9, candidate: machine }, 'order 9 was left out although machine 7 could take it'],
])('tells what is wrong in one line', (finding, line) => {
  expect(describeFinding(finding)).toBe(line);
});
