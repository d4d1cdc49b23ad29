import { expect, test } from '@jest/globals';
import { bn254PublicKey } from '../../protocol/bn254Key.js';
import { generatorInfo } from './generatorKey.js';

const KEY = 17682882145435770458057148458594738389122564204888644359150796663971919590951n;

test('generatorInfo describes one operator with weight 1', () => {
  const { g1 } = bn254PublicKey(KEY);
  expect(generatorInfo(KEY)).toMatchObject({ numOperators: 1n, totalWeights: [1n], aggregatePubkey: g1 });
  expect(generatorInfo(KEY).operatorInfoTreeRoot).not.toBe(generatorInfo(KEY - 1n).operatorInfoTreeRoot);
});
