import type { Server } from 'node:http';

import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

import type { Logger } from './logger.js';
import { HttpProblem } from './problem.js';

/** What `/health/ready` reports: ready only if every check is. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}

export interface HttpServerOptions {
  /** Largest body accepted, bytes. */
  readonly bodyLimitBytes: number;
  /** Time a client has to deliver a whole request, milliseconds. */
  readonly requestTimeoutMs?: number;
  readonly maxConnections?: number;
}

export interface HttpServerDependencies {
  readonly logger: Logger;
  readonly registry: Registry;
  readonly readiness: () => Readiness;
}

const PROBLEM_TYPE = 'application/problem+json';

/**
 * A fastify instance with limits for the open internet (slow clients cut, small bodies, strict schemas that neither coerce
 * nor drop fields), RFC 9457 documents for every error, and `/metrics`, `/health/live` and `/health/ready`.
 */
export function createHttpServer(options: HttpServerOptions, dependencies: HttpServerDependencies): FastifyInstance {
  const requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
  const app = fastify({
    // Node looks for slow clients only every 30 seconds by default, whatever the timeouts say.
    http: { connectionsCheckingInterval: 1_000 },
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 2 * requestTimeoutMs,
    keepAliveTimeout: 5_000,
    maxRequestsPerSocket: 10_000,
    forceCloseConnections: true,
    return503OnClosing: true,
    trustProxy: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    exposeHeadRoutes: false,
    logger: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    frameworkErrors: (error, _request, reply) => {
      const problem = problemOf(error);
      reply.hijack();
      reply.raw.writeHead(problem.status, { 'content-type': PROBLEM_TYPE }).end(JSON.stringify(problem.toDocument()));
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable || error.code === 'ECONNRESET') {
        socket.destroy();
        return;
      }
      const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
      const body = JSON.stringify({
        type: 'urn:matchmaker:problem:malformed',
        title: 'The request is malformed',
        status: Number(status.slice(0, 3)),
        code: 'malformed',
        detail: 'this is not an HTTP request the server can read in time',
      });
      socket.end(
        `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    },
  });
  const server: Server = app.server;
  server.headersTimeout = Math.min(5_000, requestTimeoutMs);
  server.maxConnections = options.maxConnections ?? 2_048;

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) {
      dependencies.logger.error({
        event: 'request_failed',
        method: request.method,
        route: request.routeOptions.url,
        err: error,
      });
    }
    return reply.code(problem.status).type(PROBLEM_TYPE).send(problem.toDocument());
  });
  app.setNotFoundHandler((request, reply) => {
    const problem = new HttpProblem({
      status: 404,
      code: 'not-found',
      title: 'No such route',
      detail: `${request.method} ${request.url.split('?')[0]} does not exist`,
    });
    return reply.code(404).type(PROBLEM_TYPE).send(problem.toDocument());
  });

  app.get('/metrics', async (_request, reply) =>
    reply.type(dependencies.registry.contentType).send(await dependencies.registry.metrics()),
  );
  app.get('/health/live', async () => ({ live: true }));
  app.get('/health/ready', async (_request, reply) => {
    const readiness = dependencies.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  return app;
}

/** Address of a listening server as a URL, with the port the system chose when it was 0. */
export function serverUrl(app: FastifyInstance): string {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server is not listening on TCP');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

const INTERNAL = new HttpProblem({
  status: 500,
  code: 'internal',
  title: 'Internal error',
  detail: 'the request failed inside the server',
});

function problemOf(error: Partial<FastifyError>): HttpProblem {
  if (error instanceof HttpProblem) return error;
  const { code, statusCode, validation, message, validationContext } = error;
  if (validation !== undefined) {
    const errors = validation.map((entry) => ({ field: fieldOf(entry), detail: entry.message ?? 'is not valid' }));
    return new HttpProblem({
      status: 400,
      code: 'malformed',
      title: 'The request is malformed',
      detail: errors
        .map(({ field, detail }) => `${field === '' ? (validationContext ?? 'body') : field} ${detail}`)
        .join('; '),
      errors,
    });
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new HttpProblem({
      status: 413,
      code: 'oversized',
      title: 'The body is too large',
      detail: message ?? 'body too large',
    });
  }
  if (statusCode === 429) {
    return new HttpProblem({
      status: 429,
      code: 'rate-limited',
      title: 'Too many requests',
      detail: message ?? 'slow down',
    });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HttpProblem({
      status: statusCode,
      code: statusCode === 415 ? 'unsupported-media-type' : 'malformed',
      title: 'The request is malformed',
      detail: message ?? 'bad request',
    });
  }
  if (statusCode === 503) {
    return new HttpProblem({ status: 503, code: 'unavailable', title: 'Not available', detail: message ?? 'stopping' });
  }
  // What went wrong inside is for the log; the client learns only that it did.
  return INTERNAL;
}

function fieldOf(entry: { instancePath: string; keyword: string; params: Record<string, unknown> }): string {
  const name = entry.params['missingProperty'] ?? entry.params['additionalProperty'];
  return typeof name === 'string' ? `${entry.instancePath}/${name}` : entry.instancePath;
}
