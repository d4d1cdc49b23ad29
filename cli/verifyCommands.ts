import { Option, type Command } from 'commander';

import { approveAttributes } from '../sdk/provider/approveAttributes.js';
import { approveCapabilities } from '../sdk/provider/approveCapabilities.js';
import { getAttributes, type Attributes } from '../sdk/provider/getAttributes.js';
import { getProvider, PROVIDER_STATUSES, type ProviderStatus } from '../sdk/provider/getProvider.js';
import { removeAttributesOf } from '../sdk/provider/removeAttributesOf.js';
import { removeCapabilitiesOf } from '../sdk/provider/removeCapabilitiesOf.js';
import { setProviderStatus } from '../sdk/provider/setProviderStatus.js';
import { setProviderTier } from '../sdk/provider/setProviderTier.js';
import { addReadFlags, addWriteFlags, openReader, openWriter, type ReadFlags, type WriteFlags } from './marketFlags.js';
import { fieldLines, printResult } from './marketOutput.js';
import { capabilityBits, capabilityNames, hashOf, rowOf } from './marketValues.js';
import { integer } from './usage.js';

type Print = (line: string) => void;
type Category = 'cpu' | 'gpu';

const CATEGORIES: Readonly<Record<string, Category>> = { cpu: 'cpu', gpu: 'gpu' };

/** Registers `provider verify show|approve|approve-capabilities|remove|remove-capabilities|tier|status` below a command. */
export function registerVerifyCommands(provider: Command, print: Print): void {
  const verify = provider.command('verify').description("the verifier's work: hardware, capabilities, tier and status");
  registerLooking(verify, print);
  registerAttributes(verify, print);
  registerCapabilities(verify, print);
  registerStanding(verify, print);
}

function ofProvider(verify: Command, name: string, description: string): Command {
  return addWriteFlags(verify.command(name).description(description)).argument('<provider>', 'provider id', integer);
}

function registerLooking(verify: Command, print: Print): void {
  addReadFlags(verify.command('show').description('what a provider has submitted, and what counts; for anyone'))
    .argument('<provider>', 'provider id', integer)
    .action(async (providerId: number, flags: ReadFlags) => {
      const client = openReader(flags);
      const [{ cpu, gpu }, provider] = await Promise.all([
        getAttributes(client, { providerId }),
        getProvider(client, { providerId }),
      ]);
      const { status, tier, capabilities, pendingCapabilities } = provider;
      printResult(print, flags.json, {
        json: { providerId, status, tier, cpu, gpu, capabilities, pendingCapabilities },
        lines: fieldLines([
          ['provider', `${providerId}${provider.name === '' ? '' : ` (${provider.name})`}`],
          ['status', status],
          ['trust tier', String(tier)],
          ['gpu', rowsText(gpu.active)],
          ['gpu pending', pendingText(gpu)],
          ['gpu hash', gpu.pending?.hash ?? null],
          ['cpu', rowsText(cpu.active)],
          ['cpu pending', pendingText(cpu)],
          ['cpu hash', cpu.pending?.hash ?? null],
          ['capabilities', capabilityNames(capabilities)],
          ['capabilities pending', pendingCapabilities === null ? 'nothing' : capabilityNames(pendingCapabilities)],
        ]),
      });
    });
}

function registerAttributes(verify: Command, print: Print): void {
  ofProvider(verify, 'approve', 'let pending hardware count for rewards (verifier role)')
    .argument('<category>', 'cpu or gpu')
    .requiredOption('--hash <hash>', 'of what you looked at, from `verify show`; refused when it has changed since')
    .action(async (providerId: number, name: string, flags: WriteFlags & { hash: string }) => {
      const category = rowOf('category', name, CATEGORIES);
      const pendingHash = hashOf('--hash', flags.hash);
      const done = await approveAttributes(openWriter(flags), { providerId, category, pendingHash });
      printResult(print, flags.json, {
        json: { providerId, category, pendingHash, ...done },
        lines: [`the ${category} rows of provider ${providerId} count`],
      });
    });
  ofProvider(verify, 'remove', 'take hardware away, active and pending (verifier role)')
    .argument('<category>', 'cpu or gpu')
    .action(async (providerId: number, name: string, flags: WriteFlags) => {
      const category = rowOf('category', name, CATEGORIES);
      const done = await removeAttributesOf(openWriter(flags), { providerId, category });
      printResult(print, flags.json, {
        json: { providerId, category, ...done },
        lines: [`provider ${providerId} has no ${category} rows`],
      });
    });
}

function registerCapabilities(verify: Command, print: Print): void {
  ofProvider(verify, 'approve-capabilities', 'let pending capabilities count in matching (verifier role)')
    .argument('<names...>', 'those you looked at, from `verify show`; refused when they have changed since, or none')
    .action(async (providerId: number, names: string[], flags: WriteFlags) => {
      const capabilities = names.length === 1 && names[0] === 'none' ? 0n : capabilityBits(names);
      const done = await approveCapabilities(openWriter(flags), { providerId, capabilities });
      printResult(print, flags.json, {
        json: { providerId, capabilities, ...done },
        lines: [`provider ${providerId} has ${capabilityNames(capabilities)}`],
      });
    });
  ofProvider(verify, 'remove-capabilities', 'take all capabilities away, active and pending (verifier role)').action(
    async (providerId: number, flags: WriteFlags) => {
      const done = await removeCapabilitiesOf(openWriter(flags), { providerId });
      printResult(print, flags.json, {
        json: { providerId, ...done },
        lines: [`provider ${providerId} has no capabilities`],
      });
    },
  );
}

function registerStanding(verify: Command, print: Print): void {
  ofProvider(verify, 'tier', 'move a provider to another trust tier (verifier role)')
    .argument('<tier>', '1, the most trusted, to 7', integer)
    .action(async (providerId: number, tier: number, flags: WriteFlags) => {
      const done = await setProviderTier(openWriter(flags), { providerId, tier });
      printResult(print, flags.json, {
        json: { providerId, tier, ...done },
        lines: [`provider ${providerId} is in tier ${tier}`],
      });
    });
  ofProvider(verify, 'status', 'suspend or deactivate a provider, or let it back in (verifier role)')
    .addOption(
      new Option('--to <status>', 'the new status')
        .choices(PROVIDER_STATUSES.filter((status) => status !== 'Unregistered'))
        .makeOptionMandatory(),
    )
    .action(async (providerId: number, flags: WriteFlags & { to: ProviderStatus }) => {
      const done = await setProviderStatus(openWriter(flags), { providerId, status: flags.to });
      printResult(print, flags.json, {
        json: { providerId, status: flags.to, ...done },
        lines: [`provider ${providerId} is ${flags.to}`],
      });
    });
}

function rowsText(rows: Attributes['active']): string {
  return rows.length === 0 ? 'nothing' : rows.map(({ name, units }) => `${name}=${units}`).join(', ');
}

function pendingText({ pending }: Attributes): string {
  return pending === null ? 'nothing' : rowsText(pending.rows);
}
