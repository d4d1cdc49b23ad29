import { expect, test } from '@jest/globals';
import type { Hex } from 'viem';
import { firstBlockAtTime } from './blockAtTime.js';
import type { Rpc } from './rpc.js';
import type { RpcCall } from './rpcCall.js';

/** Blocks 10 to 19; two blocks can have the same second, and seconds can be left out. */
const TIMES = [100, 100, 102, 102, 102, 105, 109, 109, 120, 121];
const FIRST = 10;
const hex = (value: number): Hex => `0x${value.toString(16)}`;

let asked = 0;
const rpc: Rpc = {
  batch: () => Promise.reject(new Error('not asked in batches')),
  request: <Answer>(call: RpcCall<Answer>) => {
    asked++;
    const number = Number(call.params[0]);
    return Promise.resolve(
      call.decode({
        number: hex(number),
        hash: `0x${'11'.repeat(32)}`,
        parentHash: `0x${'22'.repeat(32)}`,
        timestamp: hex(TIMES[number - FIRST] ?? 0),
        logsBloom: `0x${'00'.repeat(256)}`,
        gasLimit: '0x1',
      }),
    );
  },
};
const head = { number: FIRST + TIMES.length - 1, timestamp: 121 };

test.each([0, 99, 100, 101, 102, 103, 105, 106, 109, 110, 120, 121])(
  'finds the first block at or after second %p',
  async (seconds) => {
    const expected = FIRST + TIMES.findIndex((time) => time >= seconds);
    expect(await firstBlockAtTime(rpc, seconds, { fromBlock: FIRST, head })).toBe(expected);
  },
);

test('answers the block after the head for a time that has not come', async () => {
  asked = 0;
  expect(await firstBlockAtTime(rpc, 122, { fromBlock: FIRST, head })).toBe(head.number + 1);
  expect(asked).toBe(0);
});
