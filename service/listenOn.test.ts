import { createServer, type AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { expect, test } from '@jest/globals';

import { listenOn } from './listenOn.js';

test('a server listens on a port of its own, and says where', async () => {
  const app = fastify();
  const url = await listenOn(app, { host: '127.0.0.1', port: 0 });
  expect((await fetch(url)).status).toBe(404);
  await app.close();
});

test('a port that is taken is named, with the options that name another', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const app = fastify();
  await expect(listenOn(app, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: expect.stringMatching(
      new RegExp(
        `^cannot listen on 127\\.0\\.0\\.1 port ${port}: another process listens there; .*--port or listen\\.port`,
      ),
    ),
  });
  await app.close();
  await new Promise((resolve) => other.close(resolve));
});

test('an address that this machine does not have is named', async () => {
  const app = fastify();
  // TEST-NET-1, which nobody has.
  await expect(listenOn(app, { host: '192.0.2.1', port: 0 })).rejects.toThrow(
    /192\.0\.2\.1 port 0: .*--host or listen\.host/,
  );
  await app.close();
});
