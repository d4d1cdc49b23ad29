import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';

import { loadAggregatorConfig } from '../aggregator/aggregatorConfig.js';
import { parseDeployment } from '../chain/deployment.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { codeAt } from '../chain/rpc/rpcCall.js';
import { addDeployFlags } from '../cli/devnet.js';
import { addAggregatorFlags, addOperatorFlags, aggregatorOverrides, operatorOverrides } from '../cli/processFlags.js';
import { buildProgram } from '../cli/program.js';
import { freePort } from '../service/freePort.js';
import { anvilBinary } from '../devnet/startAnvil.js';
import { spawnTied } from '../devnet/tiedProcess.js';
import { loadOperatorConfig } from '../operator/operatorConfig.js';
import { unlockKey } from '../service/keystore.js';

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      hostname: z.string().optional(),
      command: z.array(z.string()),
      ports: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
      healthcheck: z.object({ test: z.array(z.string()).min(2), interval: z.string(), retries: z.int() }).optional(),
      read_only: z.boolean().optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});
const compose = composeSchema.parse(parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }));
const { services } = compose;
const operators = Object.keys(services).filter((name) => name.startsWith('operator-'));

/** The flags of a service's command as the real command line parses them; unknown flags and missing values throw. */
function flagsOf(name: string, process: 'operator' | 'aggregator'): Record<string, string> {
  const [first, second, ...args] = services[name]?.command ?? [];
  expect([first, second]).toEqual([process, 'start']);
  const add = process === 'operator' ? addOperatorFlags : addAggregatorFlags;
  return add(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
    .parse(args, { from: 'user' })
    .opts();
}

test('redis, a node, whoever deploys, four operators and an aggregator', () => {
  expect(Object.keys(services).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'aggregator',
    'deploy',
    'node',
    'operator-1',
    'operator-2',
    'operator-3',
    'operator-4',
    'redis',
  ]);
});

describe.each([...operators.map((name) => [name, 'operator'] as const), ['aggregator', 'aggregator'] as const])(
  '%s',
  (name, process) => {
    const service = services[name];
    if (service === undefined) throw new Error(`no ${name}`);

    test('its command line is a whole configuration', () => {
      const config =
        process === 'operator'
          ? loadOperatorConfig({ flags: operatorOverrides(flagsOf(name, process)) })
          : loadAggregatorConfig({ flags: aggregatorOverrides(flagsOf(name, process)) });
      expect(config.rpcUrl).toBe('http://node:8545');
      expect(config.listen.host).toBe('0.0.0.0');
      expect(config.keystore).toMatchObject({ path: `/market/${name}.json`, passwordFile: `/market/${name}.password` });
      expect(service.ports).toEqual([`127.0.0.1:${config.listen.port}:${config.listen.port}`]);
      expect(service.healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${config.listen.port}/health/live`);
      expect(service.volumes).toContain(`${name}-data:${config.dataDir}`);
    });

    test('its state has a volume of its own, its host a fixed name, and its node is up first', () => {
      for (const volume of service.volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
      expect(service.hostname).toBe(name);
      expect(service.read_only).toBe(true);
      expect(service.depends_on['node']).toEqual({ condition: 'service_healthy' });
      expect(service.depends_on['deploy']).toEqual({ condition: 'service_completed_successfully' });
      for (const [needed, { condition }] of Object.entries(service.depends_on)) {
        if (condition === 'service_healthy') expect(services[needed]?.healthcheck).toBeDefined();
      }
    });
  },
);

test('every operator posts to the aggregator, and the aggregator finds Redis', () => {
  const { port } = loadAggregatorConfig({ flags: aggregatorOverrides(flagsOf('aggregator', 'aggregator')) }).listen;
  for (const name of operators) {
    const { aggregators } = loadOperatorConfig({ flags: operatorOverrides(flagsOf(name, 'operator')) });
    expect(aggregators).toEqual([`http://aggregator:${port}`]);
  }
  const { redisUrl, profile } = loadAggregatorConfig({
    flags: aggregatorOverrides(flagsOf('aggregator', 'aggregator')),
  });
  expect([redisUrl, profile]).toEqual(['redis://redis:6379', 'production']);
  expect(services['aggregator']?.depends_on['redis']).toEqual({ condition: 'service_healthy' });
});

test('the market is deployed once, with keys for every process, onto a node with accounts enough', () => {
  const deploy = services['deploy'];
  const [first, second, ...args] = deploy?.command ?? [];
  expect([first, second]).toEqual(['devnet', 'deploy']);
  const flags = addDeployFlags(new Command().exitOverride()).parse(args, { from: 'user' }).opts();
  expect(flags).toMatchObject({ rpcUrl: 'http://node:8545', out: '/market', operators: operators.length });
  expect(deploy?.volumes).toEqual(['market:/market']);
  const node = services['node']?.command ?? [];
  const accounts = Number(node[node.indexOf('--accounts') + 1]);
  // The one that funds others, nine who run the market or are paid by it, the aggregator, three for each operator, one for each provider.
  expect(accounts).toBeGreaterThanOrEqual(11 + 3 * operators.length + Number(flags['providers']));
});

test('every command of the image is one of the command line, with its flags', () => {
  for (const [name, { image, command }] of Object.entries(services)) {
    if (image !== 'matchmaker:local' || name === 'node') continue;
    let words = 0;
    let known = buildProgram(() => undefined);
    for (; !command[words]?.startsWith('-'); words++) {
      const child = known.commands.find((candidate) => candidate.name() === command[words]);
      if (child === undefined) throw new Error(`${name}: no command ${command[words]}`);
      known = child;
    }
    const flags = known.options.map(({ long }) => long);
    for (const word of command.slice(words)) expect(flags).toContain(word.split('=')[0]);
  }
});

test('the deployment really run against the node really started leaves what every process is told to read', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-compose-'));
  const market = path.join(folder, 'market');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const here = (word: string): string =>
    word
      .replace('http://node:8545', url)
      .replace('/market', market)
      .replace('/data/', `${folder}/`)
      .replace(/^8545$/, String(port))
      .replace(/^0\.0\.0\.0$/, '127.0.0.1');
  const node = await spawnTied(anvilBinary(), (services['node']?.command ?? []).map(here));
  try {
    const rpc = createRpc({ url, requestTimeoutMs: 5_000 });
    await untilAnswers(url, () => node.isRunning());
    const printed: string[] = [];
    const deploy = (): Promise<unknown> =>
      buildProgram((line) => printed.push(line)).parseAsync((services['deploy']?.command ?? []).map(here), {
        from: 'user',
      });
    await deploy();
    const names = ['aggregator', ...operators];
    expect(readdirSync(market).toSorted()).toEqual(
      ['deployment.json', ...names.flatMap((name) => [`${name}.json`, `${name}.password`])].toSorted(),
    );
    const addresses = names.map((name) => {
      const flags = flagsOf(name, name === 'aggregator' ? 'aggregator' : 'operator');
      expect(here(flags['deployment'] ?? '')).toBe(path.join(market, 'deployment.json'));
      const source = { path: here(flags['keystore'] ?? ''), passwordFile: here(flags['passwordFile'] ?? '') };
      return unlockKey(source, {}).address;
    });
    expect(new Set(addresses).size).toBe(names.length);
    const { contracts } = parseDeployment(JSON.parse(readFileSync(path.join(market, 'deployment.json'), 'utf8')));
    for (const address of Object.values(contracts)) expect(await rpc.request(codeAt(address, 'latest'))).not.toBe('0x');
    await deploy();
    expect(printed).toEqual([expect.stringMatching(/^deployed/), expect.stringMatching(/^there is a market already/)]);
  } finally {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

async function untilAnswers(url: string, isRunning: () => boolean): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
  for (;;) {
    try {
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (answer.ok) return;
    } catch {
      if (!isRunning()) throw new Error('the node ended before it answered');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('Redis never evicts, and no two services share a published port or a data volume', () => {
  expect(services['redis']?.command.join(' ')).toContain('--maxmemory-policy noeviction');
  const ports = Object.values(services).flatMap((service) => service.ports);
  expect(new Set(ports).size).toBe(ports.length);
  const data = Object.values(services).flatMap((service) =>
    service.volumes.filter((volume) => volume.endsWith(':/data')),
  );
  expect(new Set(data).size).toBe(data.length);
});

test('the image starts the bundle and runs unprivileged', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  expect(dockerfile).toContain('"dist/matchmaker.js"');
  expect(dockerfile).toMatch(/^USER node$/m);
});
