import { describe, expect, test } from '@jest/globals';
import { chooseDevices } from './devices.js';

describe('chooseDevices', () => {
  test.each([
    ['a share takes the fitting device with the least free', [1000, 460, 200, 500, 0, 0, 0, 0], 300, 0b10],
    ['an exact fit counts as fitting', [1000, 460, 300, 500, 0, 0, 0, 0], 300, 0b100],
    ['the lowest index of equals', [1000, 0, 460, 460, 0, 0, 0, 0], 460, 0b100],
    ['a share may break a whole device', [0, 0, 0, 0, 0, 0, 0, 1000], 1, 0b1000_0000],
    ['no device has room for a share', [460, 460, 460, 460, 460, 460, 460, 460], 461, 0],
    ['whole GPUs take the lowest wholly free ones', [999, 1000, 0, 1000, 1000, 0, 0, 1000], 2000, 0b1010],
    ['all eight', [1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000], 8000, 0xff],
    ['one whole device too few', [1000, 1000, 999, 0, 0, 0, 0, 0], 3000, 0],
    ['nothing asked', [1000, 0, 0, 0, 0, 0, 0, 0], 0, 0],
  ])('%s', (_, free, milliGpu, mask) => {
    expect(chooseDevices(free, 0, milliGpu, null)).toBe(mask);
  });

  test('reads the eight entries from the given one on', () => {
    const columns = [...Array<number>(8).fill(1000), 0, 0, 250, 0, 0, 0, 0, 0, ...Array<number>(8).fill(1000)];
    expect(chooseDevices(columns, 8, 250, null)).toBe(0b100);
    expect(chooseDevices(columns, 8, 1000, null)).toBe(0);
  });
});
