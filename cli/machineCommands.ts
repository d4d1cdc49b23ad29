import type { Command } from 'commander';

import { formatMicro } from '../sdk/amounts.js';
import { activateMachine } from '../sdk/provider/activateMachine.js';
import { deactivateMachine } from '../sdk/provider/deactivateMachine.js';
import { getMachine, type Machine } from '../sdk/provider/getMachine.js';
import { growMachine } from '../sdk/provider/growMachine.js';
import { listMachines } from '../sdk/provider/listMachines.js';
import type { MachineSpec } from '../sdk/provider/machineSpec.js';
import { reconfigureMachine } from '../sdk/provider/reconfigureMachine.js';
import { registerMachine } from '../sdk/provider/registerMachine.js';
import { retireMachine } from '../sdk/provider/retireMachine.js';
import { setOffer } from '../sdk/provider/setOffer.js';
import { withdrawOffer } from '../sdk/provider/withdrawOffer.js';
import { CATALOGUE } from '../sdk/readIcl.js';
import { listTokens } from '../sdk/tokens/listTokens.js';
import { addWriteFlags, openEither, openWriter, type WriteFlags } from './marketFlags.js';
import { printIds, printResult, tableLines } from './marketOutput.js';
import {
  cpuOf,
  memoryOf,
  microOf,
  modelOf,
  nameOfId,
  providerOf,
  regionOf,
  storageOf,
  tokenOf,
} from './marketValues.js';
import { integer, InvalidFlagError } from './usage.js';

interface SpecFlags extends WriteFlags {
  readonly provider?: number;
  readonly model?: string;
  readonly gpus?: number;
  readonly region?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
}

/** Registers `provider machine ...` and `provider offer ...` below a command. */
export function registerMachineCommands(provider: Command, print: (line: string) => void): void {
  const machine = provider.command('machine').description('machines: what orders are matched with');

  addSpecFlags(addWriteFlags(machine.command('register').description('add a machine; own stake must cover it')))
    .option('--provider <id>', 'provider; default: the one you own', integer)
    .option('--quiet', 'print the machine id alone', false)
    .action(async (flags: SpecFlags & { quiet: boolean }) => {
      const client = openWriter(flags);
      const spec = fullSpec(flags);
      const providerId = await providerOf(client, flags.provider);
      const done = await registerMachine(client, { providerId, spec });
      if (flags.quiet) {
        printIds(print, [done.machineId]);
        return;
      }
      printResult(print, flags.json, {
        json: { providerId, spec, ...done },
        lines: [`machine ${done.machineId} registered; it is matched once it is active and has an offer`],
      });
    });

  addWriteFlags(machine.command('activate').description('let a machine be matched'))
    .argument('<machine>', 'machine id', integer)
    .action(async (machineId: number, flags: WriteFlags) => {
      const done = await activateMachine(openWriter(flags), { machineId });
      printResult(print, flags.json, {
        json: { machineId, ...done },
        lines: [`machine ${machineId} is matched from round ${done.fromRound} on`],
      });
    });

  addWriteFlags(machine.command('deactivate').description('keep a machine from being matched; its leases go on'))
    .argument('<machine>', 'machine id', integer)
    .action(async (machineId: number, flags: WriteFlags) => {
      const done = await deactivateMachine(openWriter(flags), { machineId });
      printResult(print, flags.json, {
        json: { machineId, ...done },
        lines: [`machine ${machineId} is not matched from round ${done.untilRound} on`],
      });
    });

  for (const [name, description, change] of [
    ['grow', 'raise the capacity of a machine, also of an active one', growMachine],
    ['reconfigure', 'change an inactive machine in any way', reconfigureMachine],
  ] as const) {
    addSpecFlags(addWriteFlags(machine.command(name).description(description)))
      .argument('<machine>', 'machine id', integer)
      .action(async (machineId: number, flags: SpecFlags) => {
        const client = openWriter(flags);
        const spec = changedSpec(await getMachine(client, { machineId }), flags);
        const done = await change(client, { machineId, spec });
        printResult(print, flags.json, {
          json: { machineId, spec, ...done },
          lines: [`machine ${machineId} has its new totals`],
        });
      });
  }

  addWriteFlags(
    machine.command('retire').description('take an inactive machine without leases away, and free its stake'),
  )
    .argument('<machine>', 'machine id', integer)
    .action(async (machineId: number, flags: WriteFlags) => {
      const done = await retireMachine(openWriter(flags), { machineId });
      printResult(print, flags.json, { json: { machineId, ...done }, lines: [`machine ${machineId} is retired`] });
    });

  addWriteFlags(machine.command('list').description('machines with what is free and what they cost'))
    .option('--provider <id>', 'provider; default: the one you own', integer)
    .option('--all', "everybody's", false)
    .action(async (flags: WriteFlags & { provider?: number; all: boolean }) => {
      const client = openEither(flags);
      const machines = await listMachines(
        client,
        flags.all ? {} : { providerId: await providerOf(client, flags.provider) },
      );
      const symbols = new Map((await listTokens(client)).map(({ tokenId, symbol }) => [tokenId, symbol]));
      printResult(print, flags.json, {
        json: { machines },
        lines: tableLines(
          [
            'machine',
            'provider',
            'model',
            'region',
            'free GPUs',
            'free cores',
            'free GiB',
            'free disk GiB',
            'rounds',
            'offers',
          ],
          machines.map((entry) => machineRow(entry, symbols)),
        ),
      });
    });

  const offer = provider.command('offer').description("a machine's standing prices, one for each token");
  addWriteFlags(offer.command('set').description('publish or change prices, whole tokens an hour'))
    .argument('<machine>', 'machine id', integer)
    .requiredOption('--token <symbol>', 'token')
    .requiredOption('--core <amount>', 'a core')
    .requiredOption('--memory-gib <amount>', 'a GiB of memory')
    .requiredOption('--storage-tib <amount>', '1024 GiB of storage')
    .option('--gpu <amount>', 'a GPU', '0')
    .option('--slot <number>', 'slot 0 to 3; default: the one with this token, else the first free one', integer)
    .action(
      async (
        machineId: number,
        flags: WriteFlags & {
          token: string;
          core: string;
          memoryGib: string;
          storageTib: string;
          gpu: string;
          slot?: number;
        },
      ) => {
        const client = openWriter(flags);
        const { tokenId } = await tokenOf(client, flags.token);
        const { offers } = await getMachine(client, { machineId });
        const offerIndex =
          flags.slot ?? offers.find((entry) => entry.tokenId === tokenId)?.offerIndex ?? freeSlot(offers);
        const terms = {
          tokenId,
          gpuMicroPerHour: microOf('--gpu', flags.gpu),
          coreMicroPerHour: microOf('--core', flags.core),
          memoryGibMicroPerHour: microOf('--memory-gib', flags.memoryGib),
          storageTibMicroPerHour: microOf('--storage-tib', flags.storageTib),
        };
        const done = await setOffer(client, { machineId, offerIndex, terms });
        printResult(print, flags.json, {
          json: { machineId, offerIndex, terms, ...done },
          lines: [`offer ${offerIndex} of machine ${machineId} holds from round ${done.fromRound} on`],
        });
      },
    );
  addWriteFlags(offer.command('withdraw').description('take an offer away'))
    .argument('<machine>', 'machine id', integer)
    .requiredOption('--slot <number>', 'slot 0 to 3', integer)
    .action(async (machineId: number, flags: WriteFlags & { slot: number }) => {
      const done = await withdrawOffer(openWriter(flags), { machineId, offerIndex: flags.slot });
      printResult(print, flags.json, {
        json: { machineId, offerIndex: flags.slot, ...done },
        lines: [`offer ${flags.slot} of machine ${machineId} ends with round ${done.fromRound}`],
      });
    });
}

function addSpecFlags(command: Command): Command {
  return command
    .option('--model <name>', 'GPU model by its short name, or none')
    .option('--gpus <number>', 'GPUs, up to 8', integer)
    .option('--region <code>', 'like germany or us-east')
    .option('--cpu <cores>', 'like 64')
    .option('--memory <size>', 'like 512Gi')
    .option('--storage <size>', 'like 4Ti');
}

function fullSpec(flags: SpecFlags): MachineSpec {
  const { region, cpu, memory, storage } = flags;
  if (region === undefined || cpu === undefined || memory === undefined || storage === undefined) {
    throw new InvalidFlagError(
      'machine',
      'its hardware is incomplete',
      'name --region, --cpu, --memory and --storage, and --model and --gpus of a GPU machine',
    );
  }
  return changedSpec({ model: 0, region: 0, cpuMilli: 0, memoryMib: 0, storageGib: 0, deviceCount: 0 }, flags);
}

function changedSpec(before: MachineSpec, flags: SpecFlags): MachineSpec {
  return {
    model: flags.model === undefined ? before.model : modelOf(flags.model),
    region: flags.region === undefined ? before.region : regionOf(flags.region),
    cpuMilli: flags.cpu === undefined ? before.cpuMilli : cpuOf('--cpu', flags.cpu),
    memoryMib: flags.memory === undefined ? before.memoryMib : memoryOf('--memory', flags.memory),
    storageGib: flags.storage === undefined ? before.storageGib : storageOf('--storage', flags.storage),
    deviceCount: flags.gpus ?? (flags.model === 'none' ? 0 : before.deviceCount),
  };
}

function freeSlot(offers: readonly { readonly offerIndex: number }[]): number {
  const free = [0, 1, 2, 3].find((index) => offers.every(({ offerIndex }) => offerIndex !== index));
  if (free !== undefined) return free;
  throw new InvalidFlagError('--slot', 'all four slots hold offers', 'name the one to replace');
}

function machineRow(machine: Machine, symbols: ReadonlyMap<number, string>): readonly string[] {
  const free = machine.freeMilliGpu.reduce((sum, milli) => sum + milli, 0);
  return [
    String(machine.machineId),
    String(machine.providerId),
    machine.model === 0 ? '-' : nameOfId(CATALOGUE.gpuModels, machine.model),
    nameOfId(CATALOGUE.regions, machine.region),
    `${free / 1000}/${machine.deviceCount}`,
    `${machine.freeCpuMilli / 1000}/${machine.cpuMilli / 1000}`,
    `${Math.floor(machine.freeMemoryMib / 1024)}/${Math.floor(machine.memoryMib / 1024)}`,
    `${machine.freeStorageGib}/${machine.storageGib}`,
    roundsText(machine),
    machine.offers.length === 0
      ? '-'
      : machine.offers
          .map(
            (offer) =>
              `${formatMicro(machine.model === 0 ? offer.coreMicroPerHour : offer.gpuMicroPerHour)} ${symbols.get(offer.tokenId) ?? `token ${offer.tokenId}`}/${machine.model === 0 ? 'core' : 'GPU'}`,
          )
          .join(', '),
  ];
}

function roundsText({ activeFromRound, activeUntilRound }: Machine): string {
  if (activeFromRound >= activeUntilRound) return 'inactive';
  return activeUntilRound === 0xffff_ffff ? `from ${activeFromRound}` : `${activeFromRound}-${activeUntilRound - 1}`;
}
