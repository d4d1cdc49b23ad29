import { expect, test } from '@jest/globals';
import { updatedDevices } from './updatedDevices.js';

const NONE = [0, 0, 0, 0, 0, 0, 0, 0];

test.each([
  ['unchanged keeps its devices', 0b0110, 2000, 2000, NONE, 0b0110],
  ['without GPU there is none', 0b0110, 2000, 0, NONE, 0],
  ['fewer keeps the lowest', 0b0110, 2000, 1000, NONE, 0b0010],
  ['more takes the lowest that are wholly free', 0b0100, 1000, 3000, [1000, 999, 0, 0, 1000, 1000, 0, 0], 0b10101],
  ['a larger share stays where it has room', 0b0010, 300, 500, [1000, 200, 0, 0, 0, 0, 0, 0], 0b0010],
  ['a larger share moves where it has none', 0b0010, 300, 501, [1000, 200, 0, 0, 0, 0, 0, 0], 0b0001],
  ['a share becomes whole on its own device', 0b0010, 300, 1000, [1000, 700, 0, 0, 0, 0, 0, 0], 0b0010],
  ['too many are refused', 0b0001, 1000, 2000, [0, 999, 0, 0, 0, 0, 0, 0], null],
  ['a first GPU takes the lowest free one', 0, 0, 1000, [500, 1000, 1000, 0, 0, 0, 0, 0], 0b0010],
])('%s', (_, deviceMask, milliGpu, wantedMilliGpu, freeMilliGpu, expected) => {
  expect(updatedDevices({ deviceMask, milliGpu, wantedMilliGpu, freeMilliGpu })).toBe(expected);
});
