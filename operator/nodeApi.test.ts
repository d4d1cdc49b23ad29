import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';

import { createHttpServer } from '../service/httpServer.js';
import { createLogger } from '../service/logger.js';
import { registerNodeApi, type BackingService, type NodeHealth } from './nodeApi.js';

const service = (id: string, status: BackingService['status']): BackingService => ({
  id,
  name: `service ${id}`,
  description: 'needed',
  status,
});

let app: FastifyInstance;
let health: () => NodeHealth;

beforeEach(() => {
  health = () => ({ isWorking: true, isInitializing: false, services: [service('rpc-1', 'Up')] });
  app = createHttpServer(
    { bodyLimitBytes: 1_024 },
    {
      logger: createLogger({ service: 'test', level: 'silent' }),
      registry: new Registry(),
      readiness: () => ({ ready: true, checks: {} }),
    },
  );
  registerNodeApi(app, { nodeName: 'Matchmaker', nodeVersion: 'v1.2.3' }, { health: () => health() });
});
afterEach(() => app.close());

async function get(url: string): Promise<{ status: number; body: string }> {
  const { statusCode, body } = await app.inject({ method: 'GET', url });
  return { status: statusCode, body };
}

test('a node says what it is, in the words of the specification', async () => {
  const body = '{"node_name":"Matchmaker","spec_version":"v0.0.1","node_version":"v1.2.3"}';
  expect(await get('/eigen/node')).toEqual({ status: 200, body });
  expect(await get('/eigen/node?version=v0.0.1')).toEqual({ status: 200, body });
  expect(await get('/eigen/node?version=0.0.1')).toEqual({ status: 200, body });
});

test.each(['', '/health', '/services', '/services/rpc-1/health'])(
  'another version of /eigen/node%s is not found',
  async (route) => {
    const body = '{"message":"API version not found"}';
    for (const version of ['v0.0.2', '', 'v0.0.1&version=v0.0.1']) {
      expect(await get(`/eigen/node${route}?version=${version}`)).toEqual({ status: 404, body });
    }
  },
);

test('the node is healthy, partially healthy or unhealthy, without a body', async () => {
  const services = [service('rpc-1', 'Up'), service('aggregator-1', 'Up')];
  const states: [NodeHealth, number][] = [
    [{ isWorking: true, isInitializing: false, services }, 200],
    [{ isWorking: true, isInitializing: true, services }, 206],
    [{ isWorking: true, isInitializing: false, services: [...services, service('aggregator-2', 'Down')] }, 206],
    [{ isWorking: true, isInitializing: false, services: [...services, service('aggregator-2', 'Initializing')] }, 206],
    [{ isWorking: false, isInitializing: false, services }, 503],
    [{ isWorking: false, isInitializing: true, services: [] }, 503],
  ];
  for (const [state, status] of states) {
    health = () => state;
    expect(await get('/eigen/node/health')).toEqual({ status, body: '' });
  }
});

test('each backing service is listed and has its own health, without a body', async () => {
  const services = [service('a', 'Up'), service('b', 'Initializing'), service('c', 'Down')];
  health = () => ({ isWorking: true, isInitializing: false, services });
  expect(await get('/eigen/node/services')).toEqual({ status: 200, body: JSON.stringify({ services }) });
  for (const [id, status] of [
    ['a', 200],
    ['b', 206],
    ['c', 503],
    ['d', 404],
  ]) {
    expect(await get(`/eigen/node/services/${id}/health`)).toEqual({ status, body: '' });
  }
});

describe('what fails inside', () => {
  test('is an internal server error with the message of the specification', async () => {
    health = () => {
      throw new Error('a secret of the inside');
    };
    const body = '{"message":"Internal server error"}';
    for (const route of ['/health', '/services', '/services/a/health']) {
      expect(await get(`/eigen/node${route}`)).toEqual({ status: 500, body });
    }
  });

  test('leaves the other routes their own form', async () => {
    expect(JSON.parse((await get('/nothing')).body)).toMatchObject({ code: 'not-found' });
  });
});
