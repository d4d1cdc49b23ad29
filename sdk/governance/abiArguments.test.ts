import { expect, test } from '@jest/globals';
import { CallArgumentInvalidError, readArguments, signatureOf, type ArgumentType } from './abiArguments.js';

const TERMS: ArgumentType = {
  type: 'tuple',
  name: 'terms',
  components: [
    { type: 'uint16', name: 'feeBps' },
    { type: 'uint128', name: 'bond' },
    { type: 'address', name: 'treasury' },
  ],
};
const ADDRESS = '0x00000000000000000000000000000000000000AA';

function problemOf(inputs: readonly ArgumentType[], values: readonly unknown[]): string {
  try {
    readArguments(inputs, values);
  } catch (error) {
    if (error instanceof CallArgumentInvalidError) return error.message;
    throw error;
  }
  throw new Error('the arguments were taken');
}

test('values become what viem encodes: narrow integers numbers, wide ones bigints', () => {
  expect(
    readArguments([TERMS], [{ feeBps: 200, bond: '340282366920938463463374607431768211455', treasury: ADDRESS }]),
  ).toEqual([{ feeBps: 200, bond: 2n ** 128n - 1n, treasury: ADDRESS }]);
  expect(
    readArguments(
      [
        { type: 'uint48' },
        { type: 'uint56' },
        { type: 'int8' },
        { type: 'bool' },
        { type: 'bytes4' },
        { type: 'bytes' },
        { type: 'uint8[2]' },
      ],
      ['281474976710655', 1, '-128', 'true', '0xdeadbeef', '0x', [1, '2']],
    ),
  ).toEqual([281_474_976_710_655, 1n, -128, true, '0xdeadbeef', '0x', [1, 2]]);
});

test.each([
  [[{ feeBps: 65_536, bond: 0, treasury: ADDRESS }], 'terms.feeBps: it must be 0 to 65535'],
  [[{ feeBps: -1, bond: 0, treasury: ADDRESS }], 'terms.feeBps: it must be 0 to 65535'],
  [
    [{ feeBps: 1.5, bond: 0, treasury: ADDRESS }],
    'terms.feeBps: it must be a whole number; write large ones in quotes',
  ],
  [[{ feeBps: 1, bond: 1e18, treasury: ADDRESS }], 'terms.bond: it must be a whole number; write large ones in quotes'],
  [[{ feeBps: 1, bond: 0, treasury: '0x12' }], 'terms.treasury: it must be an address, 0x and 40 hex digits'],
  [[{ feeBps: 1 }], 'terms: bond, treasury missing'],
  [
    [{ feeBps: 1, bond: 0, treasury: ADDRESS, fee: 1 }],
    'terms: there is no fee; its fields are feeBps, bond, treasury',
  ],
  [['200'], 'terms: it must be a JSON object {uint16 feeBps, uint128 bond, address treasury}'],
  [[], 'arguments: there are 0, 1 are needed: {uint16 feeBps, uint128 bond, address treasury} terms'],
])('%j is refused: %s', (values, problem) => expect(problemOf([TERMS], values)).toBe(problem));

test.each([
  [{ type: 'bytes32', name: 'hash' }, '0x12', 'hash: it must be 32 bytes in hex'],
  [{ type: 'bytes', name: 'data' }, '0x123', 'data: it must be bytes in hex'],
  [{ type: 'bool', name: 'on' }, 'yes', 'on: it must be true or false'],
  [{ type: 'uint8[2]', name: 'pair' }, [1], 'pair: it must have 2 members'],
  [{ type: 'uint8[]', name: 'list' }, 'x', 'list: it must be a JSON list'],
  [{ type: 'uint8[]', name: 'list' }, [1, 256], 'list[1]: it must be 0 to 255'],
  [{ type: 'string' }, 5, 'argument 1: it must be a text (string)'],
])('%j does not take %j', (input, value, problem) => expect(problemOf([input], [value])).toBe(problem));

test('a list of tuples is described with its fields', () => {
  expect(signatureOf({ ...TERMS, type: 'tuple[]' })).toBe('{uint16 feeBps, uint128 bond, address treasury}[] terms');
});
