import { describe, expect, it } from '@jest/globals';
import { wrapList } from './wrapList.js';

describe('wrapList', () => {
  it('leaves what fits on one line', () => {
    expect(wrapList('orders ', ['1', '2-5', '9'], 20)).toEqual(['orders 1, 2-5, 9']);
    expect(wrapList('orders ', [], 20)).toEqual(['orders ']);
  });

  it('breaks between items, never beyond the width, and begins below the first item', () => {
    const items = Array.from({ length: 40 }, (_, index) => String(index * 37));
    const lines = wrapList('  DEVICES  ', items, 30);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {11}\d/);
    expect(
      lines
        .join(' ')
        .replace('DEVICES', '')
        .split(',')
        .map((text) => text.trim()),
    ).toEqual(items);
  });

  it('gives an item that is too long a line of its own', () => {
    expect(wrapList('a ', ['b', 'c'.repeat(10), 'd'], 8)).toEqual(['a b,', `  ${'c'.repeat(10)},`, '  d']);
  });
});
