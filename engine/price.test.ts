import { describe, expect, test } from '@jest/globals';
import { priceAt } from './price.js';

describe('priceAt', () => {
  test('floors each of the four terms on its own', () => {
    const resources = { milliGpu: 999, cpuMilli: 999, memoryMib: 1023, storageGib: 1023 };
    expect(priceAt(resources, 1, 1, 1, 1)).toBe(0);
    expect(priceAt(resources, 1001, 1, 1, 1)).toBe(999);
    expect(
      priceAt({ ...resources, milliGpu: 1000, cpuMilli: 1000, memoryMib: 1024, storageGib: 1024 }, 1, 2, 4, 8),
    ).toBe(15);
  });

  test('is exact at the bounds of every field', () => {
    const resources = { milliGpu: 8000, cpuMilli: 2 ** 20 - 1, memoryMib: 2 ** 24 - 1, storageGib: 2 ** 20 - 1 };
    const [gpu, core, memory, storage] = [2 ** 36 - 1, 2 ** 30 - 1, 2 ** 26 - 1, 2 ** 30 - 1] as const;
    const exact =
      (8000n * BigInt(gpu)) / 1000n +
      (BigInt(resources.cpuMilli) * BigInt(core)) / 1000n +
      (BigInt(resources.memoryMib) * BigInt(memory)) / 1024n +
      (BigInt(resources.storageGib) * BigInt(storage)) / 1024n;
    expect(BigInt(priceAt(resources, gpu, core, memory, storage))).toBe(exact);
  });
});
