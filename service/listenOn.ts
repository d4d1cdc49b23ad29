import type { FastifyInstance } from 'fastify';

import { MatchmakerError } from '../engine/error.js';
import { serverUrl } from './httpServer.js';
import { errnoCode, messageOf } from './thrown.js';

/** Where a process serves, as its configuration says. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** What keeps a server from listening, by the system's code, and what to do about it. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'another process listens there; end it, or name another port with --port or listen.port (0 takes a free one)',
  EACCES: 'this user may not; name a port above 1023 with --port or listen.port',
  EADDRNOTAVAIL: 'no interface of this machine has that address; name one with --host or listen.host',
  ENOTFOUND: 'no such host is known; name an address with --host or listen.host',
};

/** The address of the configuration cannot be listened on. */
export class ListenFailedError extends MatchmakerError<'LISTEN_FAILED'> {
  constructor({ host, port }: ListenAddress, cause: unknown) {
    const code = errnoCode(cause) ?? '';
    super('LISTEN_FAILED', `cannot listen on ${host} port ${port}: ${REASONS[code] ?? messageOf(cause)}`, {
      metadata: { host, port, code },
      cause,
    });
  }
}

/** Has a server listen and gives its URL, with the port that the system chose when it was 0. Throws ListenFailedError. */
export async function listenOn(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new ListenFailedError({ host, port }, error);
  }
  return serverUrl(app);
}
