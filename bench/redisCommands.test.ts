import { expect, test } from '@jest/globals';
import { totalCalls } from './redisCommands.js';

test('calls of all commands are summed up, asking for the count is none of them', () => {
  const answer = [
    '# Commandstats',
    'cmdstat_info:calls=7,usec=100,usec_per_call=14.29,rejected_calls=0,failed_calls=0',
    'cmdstat_evalsha:calls=12,usec=900,usec_per_call=75.00,rejected_calls=0,failed_calls=1',
    'cmdstat_config|get:calls=1,usec=20,usec_per_call=20.00,rejected_calls=0,failed_calls=0',
  ].join('\r\n');
  expect(totalCalls(answer)).toBe(13);
});
