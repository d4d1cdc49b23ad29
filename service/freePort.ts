import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Ports below those that systems give to outgoing connections, so that a service that is started again finds its own still free. */
const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 32_767;

const given = new Set<number>();

/**
 * A loopback port that nobody listens on at the moment and that this process was not given before. It is drawn at random, so that
 * processes that ask at the same time get different ones.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Taken, or kept by the system for itself.
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
