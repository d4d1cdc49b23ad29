import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importTrace } from './importTrace.js';

const folder = mkdtempSync(join(tmpdir(), 'matchmaker-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NODE_COLUMNS = 'sn,cpu_milli,memory_mib,gpu,model';
const POD_COLUMNS = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos';

function trace(nodes: readonly string[], pods: readonly string[], orders?: number): ReturnType<typeof importTrace> {
  const nodesFile = join(folder, 'nodes.csv');
  const podsFile = join(folder, 'pods.csv');
  writeFileSync(nodesFile, [NODE_COLUMNS, ...nodes].join('\n'));
  writeFileSync(podsFile, [POD_COLUMNS, ...pods].join('\n'));
  return importTrace({ nodesFile, podsFile, orders, providers: 2, seed: 1 });
}

const NODES = ['a,32000,262144,0,', 'b,96000,393216,8,V100', 'c,64000,262144,2,T4'];

describe('importTrace', () => {
  it('makes machines of the nodes, spread over the providers, with models as ids', () => {
    const { machines, modelNames, providers } = trace(NODES, ['p,1000,0,0,0,,LS']);
    expect(providers).toHaveLength(2);
    expect(
      machines.map(({ provider, spec }) => [provider, spec.model, spec.cpuMilli, spec.memoryMib, spec.deviceCount]),
    ).toEqual([
      [0, 0, 32_000, 262_144, 0],
      [1, 1, 96_000, 393_216, 8],
      [0, 2, 64_000, 262_144, 2],
    ]);
    expect([...modelNames]).toEqual([
      [1, 'V100'],
      [2, 'T4'],
    ]);
  });

  it('reads shares, whole devices, and tasks without GPU', () => {
    const pods = ['p,1000,10,0,0,,LS', 'p,2000,20,1,460,,LS', 'p,3000,30,1,1000,,LS', 'p,4000,40,4,1000,,LS'];
    expect(trace(NODES, pods).orders.map(({ spec }) => [spec.milliGpu, spec.cpuMilli, spec.memoryMib])).toEqual([
      [0, 1_000, 10],
      [460, 2_000, 20],
      [1_000, 3_000, 30],
      [4_000, 4_000, 40],
    ]);
  });

  it('reads accepted models, also one that no node has, and drops them where no GPU is asked for', () => {
    const { orders } = trace(NODES, ['p,1000,10,1,500,T4|A10,LS', 'p,1000,10,0,0,T4,LS']);
    expect(orders.map(({ spec }) => spec.models)).toEqual([[2, 3], []]);
  });

  it('lets a task without cpu ask for the least an order may', () => {
    expect(trace(NODES, ['p,0,10,1,500,,LS']).orders[0]?.spec.cpuMilli).toBe(1);
  });

  it('takes the first rows only when told to', () => {
    const pods = ['p,1000,10,0,0,,LS', 'p,2000,10,0,0,,LS', 'p,3000,10,0,0,,LS'];
    expect(trace(NODES, pods, 2).orders.map(({ spec }) => spec.cpuMilli)).toEqual([1_000, 2_000]);
    expect(trace(NODES, pods, 9).orders).toHaveLength(3);
  });

  it('asks no less than any machine may cost', () => {
    const { machines, orders } = trace(NODES, ['p,64000,737280,8,1000,,LS', 'p,1,1,1,1,,LS']);
    for (const { spec } of orders) {
      for (const { offers } of machines) {
        for (const offer of offers) {
          const price =
            (spec.milliGpu * offer.gpuMicroPerHour) / 1_000 +
            (spec.cpuMilli * offer.coreMicroPerHour) / 1_000 +
            (spec.memoryMib * offer.memoryGibMicroPerHour) / 1_024;
          expect(spec.maxPriceMicroPerHour).toBeGreaterThanOrEqual(Math.floor(price));
        }
      }
    }
  });

  it.each([
    [
      'a node with GPUs of no model',
      ['a,32000,1,2,'],
      ['p,1000,10,0,0,,LS'],
      /nodes.csv, line 2: gpu is 2 and model ''/,
    ],
    ['a node with nine GPUs', ['a,32000,1,9,T4'], ['p,1000,10,0,0,,LS'], /nodes.csv, line 2: gpu is '9'/],
    [
      'a share above one device',
      NODES,
      ['p,1000,10,0,0,,LS', 'p,1000,10,1,1001,,LS'],
      /pods.csv, line 3: gpu_milli is '1001'/,
    ],
    ['a share of nothing', NODES, ['p,1000,10,1,0,,LS'], /pods.csv, line 2: gpu_milli is '0'/],
    ['nine models', NODES, ['p,1000,10,1,500,a|b|c|d|e|f|g|h|i,LS'], /pods.csv, line 2: gpu_spec names 9 models/],
    ['cpu that no order can ask for', NODES, ['p,1048576,10,0,0,,LS'], /pods.csv, line 2: cpu_milli is '1048576'/],
  ])('refuses %s', (_, nodes, pods, message) => {
    expect(() => trace(nodes, pods)).toThrow(message);
  });
});
