import type { FastifyInstance, FastifyRequest } from 'fastify';

import { HttpProblem } from '../service/problem.js';
import { SIGNATURES_PATH, type SignatureSubmission } from '../service/signatureApi.js';
import type { AggregatorEvents } from './aggregatorEvents.js';
import type { RoundBook } from './roundBook.js';
import type { SignatureIntake } from './signatureIntake.js';
import { signatureBodySchema } from './signatureSchema.js';
import type { TokenBuckets } from './tokenBuckets.js';

export interface SignatureRoutesOptions {
  /** On which operators sign. */
  readonly curve: 'ecdsa' | 'bn254';
}

export interface SignatureRoutesDependencies {
  readonly intake: SignatureIntake;
  readonly book: RoundBook;
  readonly buckets: TokenBuckets;
  readonly events: AggregatorEvents;
  readonly status: () => object;
}

/**
 * Routes of an aggregator: POST /v1/signatures, GET /v1/rounds/:round for closed rounds, GET /v1/status. Nothing about the
 * digests or signatures of an open round is served to anyone.
 */
export function registerSignatureRoutes(
  app: FastifyInstance,
  options: SignatureRoutesOptions,
  dependencies: SignatureRoutesDependencies,
): void {
  const { intake, book, buckets, events } = dependencies;
  // Refusals are counted where they are answered; whichever check made them.
  app.addHook('onError', async (request, _reply, error) => {
    if (request.routeOptions.url !== SIGNATURES_PATH) return;
    const code =
      error instanceof HttpProblem
        ? error.code
        : error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
          ? 'oversized'
          : 'malformed';
    events.signature(code, roundOf(request), error.message);
  });

  app.post<{ Body: SignatureSubmission }>(
    SIGNATURES_PATH,
    {
      schema: { body: signatureBodySchema(options.curve) },
      onRequest: async (request) => {
        if (buckets.take(request.ip)) return;
        throw new HttpProblem({
          status: 429,
          code: 'rate-limited',
          title: 'Too many requests',
          detail: 'this address posts more signatures than an operator needs to; slow down',
          retryable: true,
        });
      },
    },
    async (request, reply) => {
      const status = await intake.receive(request.body, request.ip);
      events.signature(status, request.body.batch.round, '');
      return reply.code(202).send({ status });
    },
  );

  app.get<{ Params: { round: string } }>(
    '/v1/rounds/:round',
    { schema: { params: { type: 'object', properties: { round: { type: 'string', pattern: '^[1-9][0-9]{0,9}$' } } } } },
    (request, reply) => {
      const summary = book.summary(Number(request.params.round));
      if (summary !== undefined) return reply.send(summary);
      throw new HttpProblem({
        status: 404,
        code: 'round-not-readable',
        title: 'The round cannot be read',
        detail: `round ${request.params.round} is not closed yet, or was not seen by this aggregator, or is too old`,
      });
    },
  );

  app.get('/v1/status', async () => dependencies.status());
}

/** The round a refused body names, 0 when it names none. */
function roundOf({ body }: FastifyRequest): number {
  if (typeof body !== 'object' || body === null || !('batch' in body)) return 0;
  const { batch } = body;
  if (typeof batch !== 'object' || batch === null || !('round' in batch)) return 0;
  return typeof batch.round === 'number' ? batch.round : 0;
}
