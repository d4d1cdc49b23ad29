import { expect, test } from '@jest/globals';
import { roundTimesIn } from './aggregatorLog.js';

const AT = '2026-11-22T10:00:00';

function line(milliseconds: number, fields: object): string {
  return JSON.stringify({ time: `${AT}.${String(milliseconds).padStart(3, '0')}Z`, ...fields });
}

test("a round's quorum, its transaction and its receipt are told apart from everything else", () => {
  const text = [
    'a warning of the runtime',
    line(10, { event: 'quorum_reached', round: 7 }),
    line(14, { event: 'transaction', kind: 'sent', label: 'settle round 7' }),
    line(15, { event: 'transaction', kind: 'sent', label: 'tick after block 3' }),
    line(90, { event: 'settlement_mined', round: 7 }),
    line(95, { event: 'quorum_reached', round: 8 }),
    '',
  ].join('\n');
  const base = Date.parse(`${AT}Z`);
  expect([...roundTimesIn(text)]).toEqual([
    [7, { quorumMs: base + 10, sentMs: base + 14, receiptMs: base + 90 }],
    [8, { quorumMs: base + 95 }],
  ]);
});

test('a replacement does not move the moment of the first sending', () => {
  const sent = { event: 'transaction', kind: 'sent', label: 'settle round 7' };
  expect(roundTimesIn([line(1, sent), line(400, sent)].join('\n')).get(7)?.sentMs).toBe(Date.parse(`${AT}.001Z`));
});
