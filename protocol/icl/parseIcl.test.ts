import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { keccak256, stringToBytes } from 'viem';
import { parse, stringify } from 'yaml';
import capabilities from '../../config/catalogue/capabilities.json' with { type: 'json' };
import gpuModels from '../../config/catalogue/gpuModels.json' with { type: 'json' };
import regions from '../../config/catalogue/regions.json' with { type: 'json' };
import { validateOrderSpec } from '../orderSpec.js';
import { IclInvalidError, type IclProblem } from './iclProblem.js';
import { canonicalManifest } from './manifest.js';
import { parseIcl, type IclOrders } from './parseIcl.js';

const example = readFileSync(new URL('../../docs/examples/training.icl.yaml', import.meta.url), 'utf8');
const tables = { gpuModels, regions, capabilities, tokens: { uSPON: 1, USDC: 2 } };
const EXCLUDED = '0x00000000000000000000000000000000000000aa';

function read(text: string): IclOrders {
  return parseIcl(text, { tables, resolveProvider: (owner) => (owner === EXCLUDED ? 7 : null) });
}

function problemsOf(text: string): readonly IclProblem[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof IclInvalidError) return error.problems;
    throw error;
  }
  return [];
}

/** The problems of the example with one piece replaced, and the line of that piece. */
function problemsWith(piece: string, replacement: string): { problems: readonly IclProblem[]; line: number } {
  expect(example).toContain(piece);
  const line = example.slice(0, example.indexOf(piece)).split('\n').length;
  return { problems: problemsOf(example.replace(piece, replacement)), line };
}

describe('the example document', () => {
  const { name, orders } = read(example);

  test('is one order, summed over services and replicas', () => {
    expect(name).toBe('demo-training');
    expect(orders.map(({ placement, tokenSymbol }) => [placement, tokenSymbol])).toEqual([['eu', 'uSPON']]);
    expect(orders[0]?.spec).toEqual({
      milliGpu: 2000,
      cpuMilli: 8_000 + 2 * 500,
      // 32 Gi, the 8 Gi of shared memory, and two replicas of 1 Gi.
      memoryMib: (32 + 8 + 2) * 1024,
      storageGib: 200 + 2 * 5,
      models: [50, 51],
      regions: [64, 65],
      regionsExcluded: [32],
      providersWanted: [],
      providersExcluded: [7],
      tiers: 0b000_1111,
      // A persistent volume of class beta3.
      attributes: 0b10n,
      regionRequired: true,
      minUptimeBps: 0,
      minReputationBps: 0,
      maxSlashes: 255,
      tokenId: 1,
      maxPriceMicroPerHour: 4_250_000,
      durationMinutes: 720,
    });
  });

  test('has a manifest with everything that stays off the chain', () => {
    const manifest = orders[0]?.manifest;
    expect(manifest?.services.map((service) => [service.name, service.count, service.image])).toEqual([
      ['trainer', 1, 'ghcr.io/example/trainer:2.3'],
      ['store', 2, 'redis:7.2'],
    ]);
    expect(manifest?.services[0]).toMatchObject({
      pullPolicy: 'IfNotPresent',
      command: ['python', '-m', 'trainer'],
      args: ['--epochs', '3'],
      env: ['RUN_NAME=demo'],
      credentials: { registry: 'ghcr.io', username: 'example', password: '${REGISTRY_TOKEN}' },
      expose: [
        { port: 6006, portEnd: 6006, as: 80, proto: 'tcp', accept: ['board.example.org'], usePublicPort: false },
      ],
    });
    expect(manifest?.services[0]?.resources.volumes).toEqual([
      {
        name: 'default',
        bytes: '214748364800',
        persistent: true,
        storageClass: 'beta3',
        mount: '/data',
        readOnly: false,
      },
      {
        name: 'sharedmem',
        bytes: '8589934592',
        persistent: false,
        storageClass: 'ram',
        mount: '/dev/shm',
        readOnly: false,
      },
    ]);
  });

  test('hashes to the keccak of canonical JSON', () => {
    const order = orders[0];
    if (order === undefined) throw new Error('no order');
    const text = Buffer.from(canonicalManifest(order.manifest)).toString();
    expect(text.startsWith('{"name":"eu","services":[{"args":["--epochs","3"],"command":')).toBe(true);
    expect(JSON.parse(text)).toEqual(order.manifest);
    expect(order.manifestHash).toBe(keccak256(stringToBytes(text)));
    // Pinned: tenants and providers of other versions must come to the same hash.
    expect(order.manifestHash).toBe('0x859ae3503d8f545894a4000f94297370119bced32d3f0387098eed4b87ab2e73');
  });

  test('means the same however its YAML is written', () => {
    const again = read(stringify(parse(example), { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' }));
    expect(again.orders).toEqual(orders);
  });
});

describe('every error names its line, its column and the fix', () => {
  test.each([
    ['image: redis:7.2', 'imge: redis:7.2', 'did you mean `image`?'],
    ['version: "1.0"', 'version: "2.0"', 'write `version: "1.0"`'],
    ['cpu: {units: 0.5}', 'cpu: {units: half}', '1, 0.5 or 100m'],
    ['cpu: {units: 8}', 'cpu: {units: 0}', 'at least 1m'],
    ['memory: {size: 1Gi}', 'memory: {size: 1GiB}', 'write a number with k, Ki'],
    ['storage: {size: 5Gi}', 'storage: {siez: 5Gi}', 'did you mean `size`?'],
    ['duration: 12h', 'duration: 12hours', 'like 12h'],
    ['duration: 12h', 'duration: 0s', 'at least 1min'],
    ['tier: [secured, community-1]', 'tier: [secure]', 'did you mean `secured`?'],
    ['mode: provider', 'mode: fizz', 'write `mode: provider`'],
    ['model: h100', 'model: hh100', 'did you mean `h100`?'],
    ['ram: 80Gi', 'ram: 96Gi', 'known: h100 (80 GiB)'],
    ['interface: sxm', 'interface: usb', 'write pcie or sxm'],
    ['class: beta3', 'class: beta4', 'did you mean `beta1`?'],
    ['persistent: false, class: ram', 'persistent: true, class: ram', 'write `persistent: false` for class ram'],
    ['persistent: true, class: beta3', 'persistent: true, class: beta2', 'write `name: default` and `class: beta3`'],
    ['region: germany;netherlands', 'region: germny', 'did you mean `germany`?'],
    [
      'provider_exclude: "0x00000000000000000000000000000000000000aa"',
      'provider_exclude: "0x00000000000000000000000000000000000000bb"',
      "name the owner's address",
    ],
    ['provider_exclude: "0x00000000000000000000000000000000000000aa"', 'provider_exclude: bob', 'is no provider'],
    ['region_exclude: us-east', 'desired_fizz: 4', 'fizz nodes'],
    ['amount: 4.2', 'amount: -4.2', 'decimal number'],
    ['amount: 4.2', 'amount: 4.2000001', 'at most six decimals'],
    ['trainer: {token: uSPON', 'trainer: {token: uSPN', 'did you mean `uSPON`?'],
    ['store: {token: uSPON', 'store: {token: USDC', 'use one token a placement'],
    ['eu: {profile: trainer, count: 1}', 'eu: {profile: trainer, count: 0}', 'write one from 1 to 1000'],
    ['eu: {profile: trainer, count: 1}', 'eu: {profile: train, count: 1}', 'did you mean `trainer`?'],
    ['eu: {profile: store, count: 2}', 'us: {profile: store, count: 2}', 'there is no placement `us`'],
    ['- service: trainer', '- service: trainr', 'did you mean `trainer`?'],
    ['- port: 6379', '- port: 70000', 'write one from 1 to 65535'],
    ['pull_policy: IfNotPresent', 'pull_policy: Sometimes', 'Always, IfNotPresent, Never'],
    ['- RUN_NAME=demo', '- "1X=2"', 'write NAME=value'],
    ['username: example', 'user: example', 'did you mean `username`?'],
    ['sharedmem: {mount: /dev/shm}', 'sharedmem: {mount: dev/shm}', 'begin it with /'],
    ['gpu:\n          units: 2', 'gpu:\n          units: 1.5', 'write whole GPUs, or a share below 1'],
  ])('%s -> %s', (piece, replacement, fix) => {
    const { problems, line } = problemsWith(piece, replacement);
    const words = problems.map((problem) => `${problem.problem}; ${problem.fix}`);
    expect(words).toContainEqual(expect.stringContaining(fix));
    // Two of them are pieces of two lines, and the fault is in the second.
    const lines = problems.map((problem) => problem.line);
    expect(lines.some((found) => found === line || found === line + 1)).toBe(true);
    for (const problem of problems) expect(problem.column).toBeGreaterThan(0);
  });

  test('all at once, in the order of the lines', () => {
    const text = example
      .replace('duration: 12h', 'duration: 12x')
      .replace('model: h100', 'model: z9')
      .replace('redis:7.2', '""');
    const lines = problemsOf(text).map(({ line }) => line);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  test('the column is that of the value', () => {
    const { problems } = problemsWith('cpu: {units: 8}', 'cpu: {units: many}');
    const column =
      example
        .split('\n')
        .find((text) => text.includes('cpu: {units: 8}'))!
        .indexOf('8}') + 1;
    expect(problems).toEqual([
      expect.objectContaining({
        column,
        path: 'profiles.compute.trainer.resources.cpu.units',
        problem: '`many` is no number of cores',
      }),
    ]);
  });

  test('a syntax error has its line too', () => {
    expect(problemsOf('version: "1.0"\nservices: [\n')[0]).toMatchObject({
      line: expect.any(Number),
      problem: expect.stringContaining('no valid YAML'),
    });
    expect(problemsOf('a: 1\na: 2\n')[0]).toMatchObject({ line: 2 });
  });

  test('a missing part is named', () => {
    expect(problemsOf('version: "1.0"').map(({ problem }) => problem)).toEqual([
      'has no `services`',
      'has no `profiles`',
      'has no `deployment`',
    ]);
  });

  test('the message lists them all', () => {
    expect(() => read('version: 1')).toThrow(
      /line 1, column 10: version: this version is not known; write `version: "1.0"`/,
    );
  });
});

describe('GPUs', () => {
  function withGpus(trainer: string, store: string): string {
    return example
      .replace('gpu:\n          units: 2', `gpu:\n          units: ${trainer}`)
      .replace('storage: {size: 5Gi}', `storage: {size: 5Gi}\n        gpu: {units: ${store}}`);
  }

  test('shares of one device are summed over replicas', () => {
    expect(read(withGpus('0.25', '0.125')).orders[0]?.spec.milliGpu).toBe(500);
    expect(read(withGpus('0.5', '0.25')).orders[0]?.spec.milliGpu).toBe(1000);
  });

  test('shares and whole GPUs are refused with the names of the services', () => {
    expect(problemsOf(withGpus('1', '0.5'))[0]?.problem).toBe(
      'shares of a GPU (store) and whole GPUs (trainer) do not go together on one machine',
    );
  });

  test('shares of more than one device are refused', () => {
    expect(problemsOf(withGpus('0.6', '0.3'))[0]?.problem).toBe(
      'the shares of trainer, store sum to 1.2 GPUs, but shares are of one device',
    );
  });

  test('whole GPUs are summed up to eight', () => {
    expect(read(withGpus('4', '2')).orders[0]?.spec.milliGpu).toBe(8000);
    expect(problemsOf(withGpus('4', '3'))[0]?.problem).toContain('milliGpu');
  });

  test('a family stands for all its models, narrowed by memory and interface', () => {
    const all = read(example.replace('model: a100-80g', 'model: A100')).orders[0]?.spec.models;
    expect(all).toEqual([48, 49, 50, 51]);
    const narrowed = example.replace('{model: a100-80g}', '{model: a100, ram: 40Gi, interface: sxm}');
    expect(read(narrowed).orders[0]?.spec.models).toEqual([49, 51]);
  });
});

test('a document with several placements is several orders', () => {
  const text = example
    .replace(
      '  placement:\n',
      '  placement:\n    us:\n      attributes: {region: us-east, region_required: false, uptime: 99.5, slashes: 0}\n      pricing: {store: {denom: USDC, amount: "0.5"}}\n',
    )
    .replace('eu: {profile: store, count: 2}', 'eu: {profile: store, count: 2}\n    us: {profile: store, count: 1}');
  const { orders } = read(text);
  expect(orders.map(({ placement, spec }) => [placement, spec.tokenId, spec.cpuMilli, spec.regionRequired])).toEqual([
    ['us', 2, 500, false],
    ['eu', 1, 9_000, true],
  ]);
  expect(orders[0]?.spec).toMatchObject({
    minUptimeBps: 9950,
    maxSlashes: 0,
    models: [],
    milliGpu: 0,
    maxPriceMicroPerHour: 500_000,
  });
});

test('prices are exact', () => {
  expect(read(example.replace('amount: 4.2', 'amount: 0.100001')).orders[0]?.spec.maxPriceMicroPerHour).toBe(150_001);
  const large = read(example.replace('amount: 4.2', 'amount: 549755.763887')).orders[0]?.spec.maxPriceMicroPerHour;
  expect(large).toBe(2 ** 39 - 1);
  expect(problemsOf(example.replace('amount: 4.2', 'amount: 549755.763888'))).toHaveLength(1);
});

describe('any text gives orders that the market takes, or errors with lines', () => {
  function check(text: string): void {
    try {
      for (const { spec } of read(text).orders) validateOrderSpec(spec);
    } catch (error) {
      if (!(error instanceof IclInvalidError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
      for (const { line, column, problem, fix } of error.problems) {
        expect([line >= 1, column >= 1, problem !== '', fix !== '']).toEqual([true, true, true, true]);
      }
    }
  }

  test('any text at all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), check), { numRuns: 300 });
    const tokens = [
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a',
      '*a',
      '!!',
      '|',
      '>',
      '? ',
      '#',
      '<<',
      '0x1',
      '\t',
      '~',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 60 }), (parts) => check(parts.join(''))),
      { numRuns: 300 },
    );
  });

  test('the example with any piece of it cut out, doubled or replaced', () => {
    const edit = fc.tuple(
      fc.nat(example.length),
      fc.nat(80),
      fc.oneof(
        fc.constant(''),
        fc.string({ maxLength: 12 }),
        fc.constantFrom('null', '-1', '[]', '{}', '1e9', '*x', '9999999999999999999999', 'true'),
      ),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = example;
        for (const [at, length, put] of edits) text = text.slice(0, at) + put + text.slice(at + length);
        check(text);
      }),
      { numRuns: 300 },
    );
  });

  test('the example with any value of it replaced by any other', () => {
    fc.assert(
      fc.property(fc.nat(), fc.jsonValue({ maxDepth: 3 }), (choice, value) => {
        const tree: unknown = parse(example);
        const places: (() => void)[] = [];
        const walk = (node: unknown): void => {
          if (typeof node !== 'object' || node === null) return;
          for (const key of Object.keys(node)) {
            places.push(() => Reflect.set(node, key, value));
            walk(Reflect.get(node, key));
          }
        };
        walk(tree);
        places[choice % places.length]?.();
        check(stringify(tree));
      }),
      { numRuns: 300 },
    );
  });

  test('documents made to exhaust a parser', () => {
    check('['.repeat(100_000));
    check('- '.repeat(50_000));
    check(`${'{a: '.repeat(150)}1${'}'.repeat(150)}`);
    check('a: &a [*a, *a]\nb: *a\n');
    check(`a0: &a0 [x]\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`);
    check('x'.repeat(300_000));
    check('? '.repeat(3_000));
    expect(problemsOf('['.repeat(100_000))[0]?.problem).toContain('nested');
  });
});
