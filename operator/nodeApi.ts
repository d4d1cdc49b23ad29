import type { FastifyInstance } from 'fastify';

/** Something outside the node that it needs. */
export interface BackingService {
  /** For the service's own route: letters, digits and dashes. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly status: 'Up' | 'Down' | 'Initializing';
}

/** How a node is, as EigenLayer's AVS Node Specification asks. */
export interface NodeHealth {
  /** False when the node itself cannot do its work, whatever the services do. */
  readonly isWorking: boolean;
  readonly isInitializing: boolean;
  readonly services: readonly BackingService[];
}

export interface NodeApiOptions {
  readonly nodeName: string;
  /** Of this software, as `v1.2.3`. */
  readonly nodeVersion: string;
}

const SPEC_VERSION = 'v0.0.1';
/** The specification writes its version with a v in the body and without one in the query. */
const KNOWN_VERSIONS: ReadonlySet<unknown> = new Set([SPEC_VERSION, SPEC_VERSION.slice(1)]);
const SERVICE_STATUS = { Up: 200, Initializing: 206, Down: 503 } as const;

/**
 * Serves the AVS Node Specification v0.0.1 below `/eigen`: identity, health, backing services and the health of each.
 * Register it before the server listens.
 */
export function registerNodeApi(
  app: FastifyInstance,
  options: NodeApiOptions,
  dependencies: { readonly health: () => NodeHealth },
): void {
  const { health } = dependencies;
  void app.register(
    (routes, _options, done) => {
      routes.addHook<{ Querystring: { version?: unknown } }>('onRequest', async (request, reply) => {
        const { version } = request.query;
        if (version !== undefined && !KNOWN_VERSIONS.has(version)) {
          await reply.code(404).send({ message: 'API version not found' });
        }
      });
      routes.setErrorHandler((_error, _request, reply) => reply.code(500).send({ message: 'Internal server error' }));

      routes.get('/node', async () => ({
        node_name: options.nodeName,
        spec_version: SPEC_VERSION,
        node_version: options.nodeVersion,
      }));
      routes.get('/node/health', async (_request, reply) => reply.code(statusOf(health())).send());
      routes.get('/node/services', async () => ({ services: health().services }));
      routes.get<{ Params: { serviceId: string } }>('/node/services/:serviceId/health', async (request, reply) => {
        const service = health().services.find(({ id }) => id === request.params.serviceId);
        return reply.code(service === undefined ? 404 : SERVICE_STATUS[service.status]).send();
      });
      done();
    },
    { prefix: '/eigen' },
  );
}

/** 503 for a node that cannot work, 206 for one that initialises or lacks a service, else 200. */
function statusOf({ isWorking, isInitializing, services }: NodeHealth): number {
  if (!isWorking) return 503;
  return isInitializing || services.some(({ status }) => status !== 'Up') ? 206 : 200;
}
