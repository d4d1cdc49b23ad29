import { expect, test } from '@jest/globals';

import { testDeployment } from '../test/support/testDeployment.js';
import { answeringRpc, rawBlock } from '../test/support/answeringRpc.js';
import { systemClock } from '../service/clock.js';
import { checkClock } from './clockCheck.js';
import type { Patient } from './patient.js';

const NOW_SECONDS = 1_800_000_000;

/** What is found when the newest block is so many seconds old on a chain with blocks of so many milliseconds. */
function findingAt(ageSeconds: number, blockTimeMs: number): ReturnType<typeof checkClock> {
  const head = rawBlock({ number: 50, timestamp: NOW_SECONDS - ageSeconds });
  const patient: Pick<Patient, 'rpc' | 'deployment' | 'clock'> = {
    rpc: answeringRpc({ eth_getBlockByNumber: () => head }),
    deployment: { ...testDeployment(), blockTimeMs },
    clock: { ...systemClock, nowMs: () => NOW_SECONDS * 1_000 },
  };
  return checkClock(patient);
}

test('a block of now is well, also one a few seconds ahead', async () => {
  expect(await findingAt(3, 1_000)).toEqual({ status: 'ok', detail: 'block 50 is 3 s old' });
  expect(await findingAt(-5, 1_000)).toEqual({ status: 'ok', detail: 'block 50 is 0 s old' });
});

test('a block further ahead is a clock that is slow', async () => {
  expect(await findingAt(-6, 1_000)).toEqual({
    status: 'failed',
    detail: "block 50 is 6 s ahead of this machine's clock",
    fix: expect.stringContaining('NTP'),
  });
});

test('an old head is noted after a minute, or twenty blocks where those last longer', async () => {
  expect(await findingAt(60, 1_000)).toMatchObject({ status: 'ok' });
  expect(await findingAt(61, 1_000)).toMatchObject({ status: 'warning', detail: 'block 50 is 61 s old' });
  expect(await findingAt(240, 12_000)).toMatchObject({ status: 'ok' });
  expect(await findingAt(241, 12_000)).toMatchObject({ status: 'warning', fix: expect.stringContaining('stuck') });
});
