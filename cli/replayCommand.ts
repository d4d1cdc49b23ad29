import { readFileSync } from 'node:fs';

import { Option, type Command } from 'commander';
import { z } from 'zod';

import { parsePacking } from '../chain/deploy/termsFile.js';
import type { PackingTerms } from '../engine/policy.js';
import { parseMachines, parseTasks } from '../replay/parseWorkload.js';
import type { WorkloadFile } from '../replay/parseWorkload.js';
import { REPORTED_LOADS, replayPacking } from '../replay/packingReplay.js';
import type { Allocation, ReplayOptions } from '../replay/packingReplay.js';
import { tradeReport } from '../replay/tradeReport.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { messageOf } from '../service/thrown.js';
import { fieldLines, printResult, tableLines } from './marketOutput.js';
import { integer, InvalidFlagError } from './usage.js';

interface ReplayFlags {
  readonly nodes: string;
  readonly pods: string;
  readonly inflate: string;
  readonly seed: number;
  readonly terms?: string;
  readonly trade: boolean;
  readonly spread: number;
  readonly json: boolean;
}

/** Registers `replay`: how full a cluster gets when a list of tasks arrives one by one and the packing component places them. */
export function registerReplayCommand(program: Command, print: (line: string) => void): void {
  program
    .command('replay')
    .description('how well the packing component packs a list of tasks on a list of machines')
    .requiredOption('--nodes <file>', 'machines: CSV with cpu_milli, memory_mib, gpu, model')
    .requiredOption('--pods <file>', 'tasks: CSV with name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec')
    .option('--inflate <ratio>', 'GPU that arrives, as a ratio of what is installed', '1.3')
    .option('--seed <number>', 'seed of the order of arrival', integer, 42)
    .option('--terms <file>', 'packing terms for the whole run, instead of deriving them from what has arrived')
    .option('--trade', 'what packing costs in price, by packing weight, where prices differ', false)
    .addOption(
      new Option('--spread <percent>', 'with --trade: how far unit prices lie around their middle')
        .default(20)
        .argParser(integer),
    )
    .option('--json', 'print one JSON object', false)
    .action((flags: ReplayFlags) => {
      const options = optionsOf(flags);
      if (!flags.trade) {
        const result = replayPacking(options);
        const { seed, allocation, placed, skipped } = result;
        printResult(print, flags.json, {
          json: result,
          lines: fieldLines([
            ['seed', String(seed)],
            ...REPORTED_LOADS.map((load) => [`allocated at ${load} %`, textOf(allocation[load])] as const),
            ['placed', String(placed)],
            ['skipped', String(skipped)],
          ]),
        });
        return;
      }
      if (flags.spread < 0 || flags.spread > 90) {
        throw new InvalidFlagError(
          '--spread',
          `${flags.spread} is out of range`,
          'write a whole percentage from 0 to 90',
        );
      }
      const rows = tradeReport({ ...options, spreadPercent: flags.spread });
      printResult(print, flags.json, {
        json: { seed: flags.seed, spreadPercent: flags.spread, rows },
        lines: tableLines(
          ['fit weight', 'packing weight', 'paid / cheapest', 'at 100 %', 'at 130 %', 'placed', 'skipped'],
          rows.map((row) => [
            String(row.weightFitBps),
            String(row.weightPackingBps),
            row.paidToCheapest.toFixed(4),
            textOf(row.allocation[100]),
            textOf(row.allocation[130]),
            String(row.placed),
            String(row.skipped),
          ]),
        ),
      });
    });
}

function optionsOf(flags: ReplayFlags): ReplayOptions {
  if (flags.seed < 0 || flags.seed > 0xffff_ffff) {
    throw new InvalidFlagError('--seed', `${flags.seed} is out of range`, 'write a whole number from 0 to 4294967295');
  }
  return {
    machines: parseMachines(readWorkload('--nodes', flags.nodes)),
    tasks: parseTasks(readWorkload('--pods', flags.pods)),
    inflatePermille: permilleOf(flags.inflate),
    seed: flags.seed,
    terms: flags.terms === undefined ? null : readTerms(flags.terms),
  };
}

function readTerms(file: string): PackingTerms {
  const json = readJsonFile('--terms', file);
  try {
    return parsePacking(json);
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new InvalidFlagError('--terms', `${file} holds no packing terms: ${problem}`, 'see `policy derive`');
  }
}

/** Reads a file of a workload. Throws InvalidFlagError that names the flag when it cannot be read. */
export function readWorkload(flag: string, file: string): WorkloadFile {
  try {
    return { name: file, text: readFileSync(file, 'utf8') };
  } catch {
    throw new InvalidFlagError(flag, `${file} cannot be read`, 'name a CSV file');
  }
}

function permilleOf(ratio: string): number {
  const [, whole, decimals = ''] = /^(\d{1,2})(?:\.(\d{1,3}))?$/.exec(ratio) ?? [];
  if (whole === undefined || Number(ratio) === 0) {
    throw new InvalidFlagError(
      '--inflate',
      `\`${ratio}\` is no ratio`,
      'write a number like 1.3, at most three decimals',
    );
  }
  return Number(whole) * 1000 + Number(decimals.padEnd(3, '0'));
}

function textOf(percent: Allocation[100]): string {
  return percent === null ? '-' : percent.toFixed(2);
}
