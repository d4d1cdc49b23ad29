import { connect } from 'node:net';

import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

const TIMEOUT_MS = 5_000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Somebody listens where the operator says that it can be reached. */
export async function checkSocket({ operator }: Patient): Promise<Finding> {
  const status = await operator();
  if (status === null) return skipped('no operator has this signing key');
  const { socket } = status;
  const place = placeOf(socket);
  if (place === null) {
    return failed(
      `\`${socket}\` is neither a URL with a port nor host:port`,
      'publish another: matchmaker operator socket URL',
    );
  }
  return (await isOpen(place))
    ? ok(`${socket} takes connections`)
    : failed(
        `${socket} does not take connections from here`,
        'start the node, open the port, or publish where it is: matchmaker operator socket URL',
      );
}

function placeOf(socket: string): { host: string; port: number } | null {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(socket) ? socket : `tcp://${socket}`;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return url.hostname === '' || port === undefined ? null : { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function isOpen({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ host, port, timeout: TIMEOUT_MS });
    const end = (isUp: boolean): void => {
      connection.destroy();
      resolve(isUp);
    };
    connection.once('connect', () => end(true));
    connection.once('timeout', () => end(false));
    connection.once('error', () => end(false));
  });
}
