import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runDemo } from '../devnet/runDemo.js';
import type { Figure } from './figure.js';

const BLOCK_TIME_MS = 250;
const ORDERS = 600;
const PROVIDERS = 40;

/**
 * Snapshot to mined settlement, and order to lease, of a whole run with four operators and an aggregator as processes.
 * Throws when the run's audit finds anything wrong.
 */
export async function benchLatency(cliFile: string): Promise<Figure[]> {
  const { result, passed } = await runDemo(
    {
      operators: 4,
      providers: PROVIDERS,
      orders: ORDERS,
      seed: 5,
      keep: false,
      story: false,
      curve: 'ecdsa',
      twoChains: false,
      attack: false,
      rpcPort: undefined,
      trace: undefined,
      blockTimeMs: BLOCK_TIME_MS,
      roundLengthBlocks: undefined,
      runDir: mkdtempSync(path.join(tmpdir(), 'matchmaker-bench-')),
      cliFile,
    },
    {
      write: (text) => process.stderr.write(text),
      isTerminal: false,
      env: process.env,
      interrupted: new AbortController().signal,
      onResult: () => undefined,
    },
  );
  if (!passed) throw new Error('the run did not pass its audit');
  const setting = `${result.settlements} settlements, ${result.matched} leases, 4 operators, ${result.machines} machines, a block every ${BLOCK_TIME_MS} ms`;
  const { latencyBlocksP50, latencyBlocksP99, orderToLeaseMsP50, orderToLeaseMsP99 } = result;
  return [
    { name: 'snapshot to mined settlement, p50', value: latencyBlocksP50 ?? Number.NaN, unit: 'blocks', setting },
    {
      name: 'snapshot to mined settlement, p99',
      value: latencyBlocksP99 ?? Number.NaN,
      unit: 'blocks',
      setting: 'same run',
    },
    {
      name: 'the same in time, p50',
      value: (latencyBlocksP50 ?? Number.NaN) * BLOCK_TIME_MS,
      unit: 'ms',
      setting: 'same run',
    },
    {
      name: 'the same in time, p99',
      value: (latencyBlocksP99 ?? Number.NaN) * BLOCK_TIME_MS,
      unit: 'ms',
      setting: 'same run',
    },
    {
      name: 'order sent to lease, p50',
      value: orderToLeaseMsP50 ?? Number.NaN,
      unit: 'ms',
      setting: 'same run; bid window of 4 blocks, rounds of 8',
    },
    { name: 'order sent to lease, p99', value: orderToLeaseMsP99 ?? Number.NaN, unit: 'ms', setting: 'same run' },
    {
      name: 'signatures in the median certificate',
      value: result.quorumSigners ?? Number.NaN,
      unit: '',
      setting: 'same run',
    },
  ];
}
