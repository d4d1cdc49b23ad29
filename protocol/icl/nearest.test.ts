import { expect, test } from '@jest/globals';
import { nearest } from './nearest.js';

test.each([
  ['siez', ['name', 'size'], 'size'],
  ['imge', ['image', 'args'], 'image'],
  ['H100', ['a100', 'h100'], 'h100'],
  ['user', ['registry', 'username'], 'username'],
  ['xyz', ['image', 'args'], null],
  ['', ['a'], 'a'],
  ['x'.repeat(100), ['x'.repeat(100)], null],
])('%s among %j', (word, candidates, expected) => expect(nearest(word, candidates)).toBe(expected));
