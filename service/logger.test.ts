import { expect, test } from '@jest/globals';

import { createLogger, maskUrl } from './logger.js';

test('secrets and credentials never reach a line', () => {
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', level: 'info' }, { write: (line: string) => lines.push(line) });
  const secret = 'canary-4711';
  logger.info({ event: 'a', password: secret, nested: { privateKey: secret, mnemonic: secret }, signature: secret });
  logger.info({ event: 'b', rpcUrl: `https://user:${secret}@rpc.example/v2/${secret}${secret}?key=${secret}` });
  expect(lines.join()).not.toContain(secret);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    service: 'test',
    level: 'info',
    event: 'a',
    password: '[redacted]',
  });
});

test.each([
  ['http://127.0.0.1:8545/', 'http://127.0.0.1:8545/'],
  ['https://rpc.example/v2/0123456789abcdef', 'https://rpc.example/v2/***'],
  ['redis://:pw@host:6379/0', 'redis://:***@host:6379/0'],
  ['no url', 'no url'],
])('%s is shown as %s', (url, shown) => {
  expect(maskUrl(url)).toBe(shown);
});
