import { expect, test } from '@jest/globals';
import { CLASS_MILLI_GPU, CLASSES, cpuClassesOf, cpuClassOf, gpuClassesOf, gpuClassOf } from './envelope.js';

test('a machine with GPUs is in the class of every order that it has the devices for', () => {
  const needs = [1, 250, 251, 500, 501, 999, ...Array.from({ length: 8 }, (_, index) => 1000 * (index + 1))];
  for (let whole = 0; whole <= 8; whole++) {
    for (const share of [0, 1, 250, 251, 500, 501, 999, 1000]) {
      const largest = whole > 0 ? 1000 : Math.min(share, 999);
      const classes = gpuClassesOf((whole << 10) | largest);
      for (const need of needs) {
        const fits = need < 1000 ? largest >= need : whole >= need / 1000;
        if (fits) expect(gpuClassOf(need)).toBeLessThan(classes);
      }
    }
  }
  expect(gpuClassesOf(0)).toBe(0);
  expect(gpuClassesOf(250)).toBe(1);
  expect(gpuClassesOf((4 << 10) | 1000)).toBe(gpuClassOf(4000) + 1);
  expect(CLASS_MILLI_GPU[gpuClassOf(3000)]).toBe(4000);
});

test('a machine without GPU is in the class of every order that it has the cpu for', () => {
  for (let exponent = 0; exponent < 20; exponent++) {
    for (const free of [2 ** exponent, 1000 * 2 ** exponent, 1000 * 2 ** exponent - 1]) {
      if (free < 2 ** 20) expect(cpuClassOf(free)).toBeLessThan(cpuClassesOf(free >>> 4));
    }
  }
  expect(cpuClassesOf(0)).toBe(1);
  expect(cpuClassesOf((2 ** 20 - 1) >>> 4)).toBe(CLASSES);
});
