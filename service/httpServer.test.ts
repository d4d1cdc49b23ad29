import { connect } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';

import { createHttpServer, serverUrl, type Readiness } from './httpServer.js';
import { Metrics } from './metrics.js';
import { HttpProblem } from './problem.js';

let app: FastifyInstance;
let readiness: Readiness;
let logged: string[];

beforeEach(async () => {
  logged = [];
  readiness = { ready: true, checks: { chain: { ok: true, detail: 'answers' } } };
  const metrics = new Metrics({ process: 'test', collectNodeMetrics: false });
  metrics.counter('things', 'Things seen').inc(3);
  app = createHttpServer(
    { bodyLimitBytes: 200, requestTimeoutMs: 300 },
    {
      logger: pino({}, { write: (line: string) => logged.push(line) }),
      registry: metrics.registry,
      readiness: () => readiness,
    },
  );
  const body = { type: 'object', additionalProperties: false, required: ['a'], properties: { a: { type: 'integer' } } };
  app.post('/things', { schema: { body } }, async () => ({ ok: true }));
  app.get('/crash', async () => {
    throw new Error('the password is swordfish');
  });
  app.get('/refuse', async () => {
    throw new HttpProblem({ status: 409, code: 'taken', title: 'Taken', detail: 'someone has it' });
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

async function send(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; type: string | null; body: Record<string, unknown> }> {
  const response = await fetch(serverUrl(app) + path, init);
  const body: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, type: response.headers.get('content-type'), body };
}

const json = (body: string): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body });

describe('every error is a problem document', () => {
  test.each([
    ['a missing field', '/things', json('{}'), 400, 'malformed', '/a'],
    ['a wrong type, never coerced', '/things', json('{"a":"1"}'), 400, 'malformed', '/a'],
    ['an added field, never dropped', '/things', json('{"a":1,"b":2}'), 400, 'malformed', '/b'],
    ['no JSON', '/things', json('{'), 400, 'malformed', undefined],
    ['a poisoned prototype', '/things', json('{"a":1,"__proto__":{"b":1}}'), 400, 'malformed', undefined],
    [
      'another media type',
      '/things',
      { method: 'POST', body: 'a=1', headers: { 'content-type': 'text/csv' } },
      415,
      'unsupported-media-type',
      undefined,
    ],
    ['a large body', '/things', json(JSON.stringify({ a: 'x'.repeat(300) })), 413, 'oversized', undefined],
    ['an unknown route', '/nowhere', {}, 404, 'not-found', undefined],
    ['a URL that does not decode', '/%zz', {}, 400, 'malformed', undefined],
    ['a refusal of our own', '/refuse', {}, 409, 'taken', undefined],
  ])('%s', async (_name, path, init, status, code, field) => {
    const answer = await send(path, init);
    expect(answer.status).toBe(status);
    expect(answer.type).toContain('application/problem+json');
    expect(answer.body).toMatchObject({
      status,
      code,
      type: `urn:matchmaker:problem:${code}`,
      title: expect.any(String),
    });
    if (field !== undefined) expect(answer.body['errors']).toEqual([{ field, detail: expect.any(String) }]);
  });

  test('a defect tells the client nothing and the log everything', async () => {
    const answer = await send('/crash');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toContain('swordfish');
    expect(logged.join()).toContain('swordfish');
  });

  test('bytes that are not HTTP', async () => {
    const text = await raw('NONSENSE\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 400, code: 'malformed' });
  });
});

const SLOW = 'POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';

test('a client that never ends its request is cut off', async () => {
  expect(await raw(SLOW)).not.toMatch(/^HTTP\/1\.1 2/);
}, 60_000);

test('metrics, liveness and readiness', async () => {
  expect(await (await fetch(`${serverUrl(app)}/metrics`)).text()).toContain('matchmaker_test_things_total 3');
  expect(await send('/health/live')).toMatchObject({ status: 200 });
  expect(await send('/health/ready')).toMatchObject({ status: 200, body: { ready: true } });
  readiness = { ready: false, checks: { chain: { ok: false, detail: 'away' } } };
  expect(await send('/health/ready')).toMatchObject({ status: 503, body: { checks: { chain: { detail: 'away' } } } });
  expect(await send('/health/live')).toMatchObject({ status: 200 });
});

/** Sends bytes and resolves to what came back until the server closed. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const url = new URL(serverUrl(app));
    const socket = connect(Number(url.port), url.hostname, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
