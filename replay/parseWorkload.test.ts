import { describe, expect, test } from '@jest/globals';
import { parseMachines, parseTasks } from './parseWorkload.js';
import { WorkloadInvalidError } from './workloadError.js';

const MACHINES = 'sn,cpu_milli,memory_mib,gpu,model\n';
const TASKS = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\n';

describe('a list of machines', () => {
  test('is read by its heading, whatever the line ends', () => {
    const text = `${MACHINES.trim()}\r\na,96000,393216,8,G2\r\nb,32000,262144,0,\r\n`;
    expect(parseMachines({ name: 'nodes.csv', text })).toEqual([
      { cpuMilli: 96_000, memoryMib: 393_216, devices: 8, model: 'G2' },
      { cpuMilli: 32_000, memoryMib: 262_144, devices: 0, model: '' },
    ]);
  });

  test.each([
    ['', 'line 1, column cpu_milli: is missing from the heading'],
    [MACHINES, 'line 2: there is no line below the heading'],
    [`${MACHINES}a,1,1,1\n`, 'line 2: has 4 values, the heading 5'],
    [`${MACHINES}a,1,1,1,"G2"\n`, 'line 2: quoted values are not read'],
    [`${MACHINES}a,1,1,1,G2\nb,x,1,1,G2\n`, 'line 3, column cpu_milli: `x` is no integer from 0 to 1048575'],
    [`${MACHINES}a,1048576,1,1,G2\n`, 'line 2, column cpu_milli: `1048576` is no'],
    [`${MACHINES}a,1,16777216,1,G2\n`, 'line 2, column memory_mib: `16777216` is no'],
    [`${MACHINES}a,1,1,9,G2\n`, 'line 2, column gpu: `9` is no integer from 0 to 8'],
    [`${MACHINES}a,1,1,1,\n`, 'line 2, column model: is empty on a machine with GPUs'],
  ])('that is wrong is refused by file, line and column: %j', (text, problem) => {
    expect(() => parseMachines({ name: 'nodes.csv', text })).toThrow(WorkloadInvalidError);
    expect(() => parseMachines({ name: 'nodes.csv', text })).toThrow(`nodes.csv: ${problem}`);
  });
});

describe('a list of tasks', () => {
  test('asks for nothing, a share, a device or several, of any model or of some', () => {
    const text = `${TASKS}a,1000,1024,0,0,,LS\nb,1000,1024,1,460,T4|P100,LS\nc,1000,1024,1,1000,,BE\nd,1000,1024,4,1000,G2,BE\n`;
    expect(parseTasks({ name: 'pods.csv', text })).toMatchObject([
      { name: 'a', milliGpu: 0, models: [] },
      { name: 'b', milliGpu: 460, models: ['T4', 'P100'] },
      { name: 'c', milliGpu: 1000, models: [] },
      { name: 'd', milliGpu: 4000, models: ['G2'] },
    ]);
  });

  test.each([
    ['a,1,1,1,0,,LS', 'column gpu_milli: `0` is no integer from 1 to 1000'],
    ['a,1,1,1,1001,,LS', 'column gpu_milli: `1001` is no'],
    ['a,1,1,-1,0,,LS', 'column num_gpu: `-1` is no'],
    ['a,1.5,1,0,0,,LS', 'column cpu_milli: `1.5` is no'],
  ])('that is wrong is refused: %s', (line, problem) => {
    expect(() => parseTasks({ name: 'pods.csv', text: TASKS + line })).toThrow(`pods.csv: line 2, ${problem}`);
  });
});
