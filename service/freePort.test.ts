import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';

import { freePort } from './freePort.js';

describe('freePort', () => {
  it('gives ports that can be listened on, each once, and none that outgoing connections get', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(new Set(ports).size).toBe(ports.length);
    for (const port of ports)
      expect({ port, isBelow: port >= 10_000 && port < 32_768 }).toEqual({ port, isBelow: true });
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(ports[0], '127.0.0.1', resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  });
});
