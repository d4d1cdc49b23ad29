import path from 'node:path';

import { expect, test } from '@jest/globals';

import { loadAggregatorConfig } from '../aggregator/aggregatorConfig.js';
import { loadOperatorConfig } from '../operator/operatorConfig.js';

test('the example files are configurations as they stand, and say the defaults', () => {
  const operator = loadOperatorConfig({ file: 'config/operator.example.yaml', flags: {} });
  expect(operator).toMatchObject({ factsCheck: 'proof', listen: { host: '127.0.0.1', port: 9101 }, logLevel: 'info' });
  expect(operator.keystore.path).toBe(path.resolve('config/operator-key.json'));

  const example = loadAggregatorConfig({ file: 'config/aggregator.example.yaml', flags: {} });
  const { deployment, rpcUrl, keystore, dataDir, redisUrl, ...rest } = example;
  const defaults = loadAggregatorConfig({ flags: { deployment, rpcUrl, keystore, dataDir, redisUrl } });
  expect({ ...defaults }).toMatchObject(rest);
});
