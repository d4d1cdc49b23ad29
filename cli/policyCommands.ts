import type { Command } from 'commander';

import { derivePackingTerms } from '../engine/derivation/derivePackingTerms.js';
import type { DerivedPacking } from '../engine/derivation/derivePackingTerms.js';
import { parseMachines, parseTasks } from '../replay/parseWorkload.js';
import { CATALOGUE } from '../sdk/readIcl.js';
import { modelOf, nameOfId } from './marketValues.js';
import { printResult, tableLines } from './marketOutput.js';
import { readWorkload } from './replayCommand.js';
import { repeated } from './usage.js';

interface DeriveFlags {
  readonly orders: readonly string[];
  readonly machines?: readonly string[];
  readonly json: boolean;
}

/** Registers `policy`: what goes into a match policy. */
export function registerPolicyCommands(program: Command, print: (line: string) => void): void {
  const policy = program.command('policy').description('what goes into a match policy');
  policy
    .command('derive')
    .description("packing terms from a market's past orders, and what they rest on")
    .requiredOption('--orders <file>', 'past orders: CSV as `replay --pods` takes it; may be given again', repeated)
    .option(
      '--machines <file>',
      'installed machines: CSV as `replay --nodes` takes it, without which all models count alike; may be given again',
      repeated,
    )
    .option('--json', 'print one JSON object', false)
    .action((flags: DeriveFlags) => {
      const orders = flags.orders.flatMap((file) => parseTasks(readWorkload('--orders', file)));
      const machines = (flags.machines ?? []).flatMap((file) => parseMachines(readWorkload('--machines', file)));
      const derived = derivePackingTerms(
        // Without machines models play no part, so they need no ids.
        orders.map((order) => ({ ...order, models: machines.length === 0 ? [] : order.models.map(idOfModel) })),
        machines
          .filter(({ devices }) => devices > 0)
          .map(({ model, devices }) => ({ model: idOfModel(model), milliGpu: 1000 * devices })),
      );
      printResult(print, flags.json, { json: derived, lines: derivationLines(derived) });
    });
}

/** Id of a model by its short name, in upper or lower case. Throws InvalidFlagError. */
function idOfModel(name: string): number {
  return modelOf(name.toLowerCase());
}

function derivationLines({ terms, ...past }: DerivedPacking): readonly string[] {
  const lines = [
    `packing terms from ${past.orders} orders, ${past.shareOrders} of them for a share of a device, ${past.wholeDeviceOrders} for whole ones:`,
    JSON.stringify(terms),
  ];
  if (past.shareSizes.length > 0) {
    lines.push(
      '',
      'what a share is worth (of 10000 of a device):',
      ...tableLines(
        ['milli-GPU', 'orders', 'worth'],
        past.shareSizes.map(({ milliGpu, orders, worthBps }) => [milliGpu, orders, worthBps].map(String)),
      ),
    );
  }
  if (past.models.length > 0) {
    lines.push(
      '',
      'how busy orders that name models would keep each (of 1024, at a load of 100 %):',
      ...tableLines(
        ['model', 'busy'],
        past.models.map(({ model, askedBy1024 }) => [nameOfId(CATALOGUE.gpuModels, model), String(askedBy1024)]),
      ),
    );
  }
  return lines;
}
