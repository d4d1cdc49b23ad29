import type { Command } from 'commander';

import { readBlock } from '../sdk/calls/readBlock.js';
import { signatureOf } from '../sdk/governance/abiArguments.js';
import { callRestricted } from '../sdk/governance/callRestricted.js';
import { cancelOperation } from '../sdk/governance/cancelOperation.js';
import { executeOperation } from '../sdk/governance/executeOperation.js';
import { getPause } from '../sdk/governance/getPause.js';
import { getRight } from '../sdk/governance/getRight.js';
import { listOperations, type Operation } from '../sdk/governance/listOperations.js';
import { listRestricted } from '../sdk/governance/listRestricted.js';
import { listRoles, type Role } from '../sdk/governance/listRoles.js';
import { functionsOf, marketCall, type ContractName, type MarketCall } from '../sdk/governance/marketCall.js';
import { pauseMarket } from '../sdk/governance/pauseMarket.js';
import { scheduleCall } from '../sdk/governance/scheduleCall.js';
import { unpauseMarket } from '../sdk/governance/unpauseMarket.js';
import { upgradeCall } from '../sdk/governance/upgradeCall.js';
import { requireAccount, type MarketClient } from '../sdk/marketClient.js';
import { addReadFlags, addWriteFlags, openReader, openWriter, type ReadFlags, type WriteFlags } from './marketFlags.js';
import { fieldLines, printResult, tableLines, timeText } from './marketOutput.js';
import { addressOf, bytesOf, hashOf, minutesOf, rowOf } from './marketValues.js';

type Print = (line: string) => void;

const CALL_HELP = `
Arguments are JSON, one for each parameter. Integers above 2^53 are quoted within objects and lists; alone, nothing needs quotes:
  governance schedule orderRequest setBidWindowBlocks 40
  governance schedule bid setBidTerms '{"maxBidsPerOrder":32,"maxBidsPerProvider":256,"bondMicro":1000000}'
\`governance functions CONTRACT\` lists what there is.`;

/** Registers `governance status|functions|call|schedule|execute|cancel|upgrade|pause|unpause`. */
export function registerGovernanceCommands(program: Command, print: Print): void {
  const governance = program
    .command('governance')
    .description('roles, their delayed calls, parameters, upgrades, and the emergency brake');
  registerReading(governance, print);
  registerCalls(governance, print);
  registerOperations(governance, print);
  registerPause(governance, print);
}

function registerReading(governance: Command, print: Print): void {
  addReadFlags(
    governance.command('status').description('roles with their delays, pending operations, the pause'),
  ).action(async (flags: ReadFlags) => {
    const client = openReader(flags);
    const [roles, operations, { pausedUntilSeconds }] = await Promise.all([
      listRoles(client),
      listOperations(client),
      getPause(client),
    ]);
    printResult(print, flags.json, {
      json: { pausedUntilSeconds, roles, operations },
      lines: [
        pausedUntilSeconds === null ? 'the market runs' : `the market is paused until ${timeText(pausedUntilSeconds)}`,
        '',
        ...tableLines(['role', 'name', 'account', 'delay'], roles.flatMap(roleRows)),
        '',
        ...(operations.length === 0 ? ['no operation is pending'] : operations.flatMap(operationLines)),
      ],
    });
  });

  addReadFlags(governance.command('functions').description('what roles may call on a contract, with the arguments'))
    .argument('<contract>', 'as the deployment file names it, like escrow or accessManager')
    .action(async (name: string, flags: ReadFlags) => {
      const client = openReader(flags);
      const contract = contractOf(client, name);
      const roles = new Map((await listRoles(client)).map((role) => [role.roleId, role.name]));
      const restricted =
        contract === 'accessManager'
          ? functionsOf(contract).map((of) => ({ function: of, roleId: 0n }))
          : await listRestricted(client, { contract });
      const rows = restricted.map(({ function: of, roleId }) => ({
        function: of.name,
        role: roles.get(roleId) ?? String(roleId),
        parameters: of.inputs.map(signatureOf),
      }));
      printResult(print, flags.json, {
        json: { contract, functions: rows },
        lines:
          rows.length === 0
            ? [`no role may call anything on ${contract}`]
            : tableLines(
                ['function', 'role', 'arguments'],
                rows.map((row) => [row.function, row.role, row.parameters.join(', ')]),
              ),
      });
    });
}

function registerCalls(governance: Command, print: Print): void {
  addCall(governance, 'call', 'make a call that your role allows without delay').action(
    async (contract: string, functionName: string, texts: string[], flags: WriteFlags) => {
      const client = openWriter(flags);
      const call = callOf(client, contract, functionName, texts);
      const done = await callRestricted(client, { call });
      printResult(print, flags.json, { json: { ...callJson(call), ...done }, lines: [`called ${callText(call)}`] });
    },
  );

  addCall(governance, 'schedule', 'schedule a call that your role allows after a delay')
    .option('--in <duration>', 'when it can be executed; default: as early as the delay allows')
    .action(async (contract: string, functionName: string, texts: string[], flags: WriteFlags & { in?: string }) => {
      const client = openWriter(flags);
      const call = callOf(client, contract, functionName, texts);
      const atSeconds =
        flags.in === undefined
          ? {}
          : { atSeconds: Number((await readBlock(client)).timestamp) + minutesOf('--in', flags.in) * 60 };
      await schedule(print, flags, client, { call, ...atSeconds });
    });

  addWriteFlags(
    governance
      .command('upgrade')
      .description("replace a contract's code: schedules it, or does it at once where your role has no delay"),
  )
    .argument('<contract>', 'a proxy, as the deployment file names it, like escrow')
    .argument('<implementation>', 'address of the new code')
    .option('--data <hex>', 'call that the new code makes of itself', '0x')
    .action(async (name: string, text: string, flags: WriteFlags & { data: string }) => {
      const client = openWriter(flags);
      const call = await upgradeCall(client, {
        contract: contractOf(client, name),
        implementation: addressOf('implementation', text),
        data: bytesOf('--data', flags.data),
      });
      const { may } = await getRight(client, { account: requireAccount(client, 'upgrade'), call });
      if (may !== 'at-once') {
        await schedule(print, flags, client, { call });
        return;
      }
      const done = await callRestricted(client, { call });
      printResult(print, flags.json, {
        json: { ...callJson(call), operationId: null, ...done },
        lines: [`${call.contract} runs the code at ${text}`],
      });
    });
}

function addCall(governance: Command, name: string, description: string): Command {
  return addWriteFlags(governance.command(name).description(description))
    .argument('<contract>', 'as the deployment file names it, like escrow')
    .argument('<function>', 'like setFeeTerms')
    .argument('[arguments...]', 'JSON, one for each parameter')
    .addHelpText('after', CALL_HELP);
}

async function schedule(
  print: Print,
  flags: WriteFlags,
  client: MarketClient,
  of: { readonly call: MarketCall; readonly atSeconds?: number },
): Promise<void> {
  const done = await scheduleCall(client, of);
  printResult(print, flags.json, {
    json: { ...callJson(of.call), ...done },
    lines: fieldLines([
      ['scheduled', callText(of.call)],
      ['operation', done.operationId],
      ['executable from', timeText(done.executableAtSeconds)],
      ['then', `governance execute ${done.operationId}`],
    ]),
  });
}

function registerOperations(governance: Command, print: Print): void {
  for (const [name, description, act, past] of [
    ['execute', 'execute an operation that you scheduled, once its delay is over', executeOperation, 'executed'],
    ['cancel', 'cancel a pending operation', cancelOperation, 'cancelled'],
  ] as const) {
    addWriteFlags(governance.command(name).description(description))
      .argument('<operation>', 'id that `governance schedule` printed')
      .action(async (text: string, flags: WriteFlags) => {
        const operationId = hashOf('operation', text);
        const { operation, ...done } = await act(openWriter(flags), { operationId });
        printResult(print, flags.json, {
          json: { operationId, ...(operation.call === null ? {} : callJson(operation.call)), ...done },
          lines: [`${past} ${operationText(operation)}`],
        });
      });
  }
}

function registerPause(governance: Command, print: Print): void {
  addWriteFlags(
    governance.command('pause').description('stop new deposits, orders, bids, providers and stake (guardian role)'),
  )
    .requiredOption('--for <duration>', 'at most 3d; it ends by itself and cannot be lengthened')
    .action(async (flags: WriteFlags & { for: string }) => {
      const done = await pauseMarket(openWriter(flags), { durationSeconds: minutesOf('--for', flags.for) * 60 });
      printResult(print, flags.json, { json: done, lines: [`paused until ${timeText(done.untilSeconds)}`] });
    });
  addWriteFlags(governance.command('unpause').description('end a pause early (guardian role)')).action(
    async (flags: WriteFlags) => {
      const done = await unpauseMarket(openWriter(flags));
      printResult(print, flags.json, { json: done, lines: ['the market runs'] });
    },
  );
}

function contractOf(client: MarketClient, name: string): ContractName {
  const names = Object.fromEntries(Object.keys(client.contracts).map((key) => [key, key as ContractName]));
  return rowOf('contract', name, names);
}

function callOf(client: MarketClient, contract: string, functionName: string, texts: readonly string[]): MarketCall {
  return marketCall(client, { contract: contractOf(client, contract), functionName, args: texts.map(valueOf) });
}

/** Lists and tuples are JSON; everything else is taken as it is written, so that no digit of a large number is lost. */
function valueOf(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function callJson({ contract, target, functionName, args, data }: MarketCall): Record<string, unknown> {
  return { contract, target, function: functionName, args, data };
}

function callText({ contract, functionName, args }: MarketCall): string {
  return `${contract}.${functionName}(${args.map(argumentText).join(', ')})`;
}

function argumentText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'bigint') return String(value);
  return JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
}

function operationText({ call, target, data }: Operation): string {
  return call === null ? `a call of ${target} with ${data}` : callText(call);
}

function operationLines(operation: Operation): readonly string[] {
  return fieldLines([
    ['operation', operation.operationId],
    ['  does', operationText(operation)],
    ['  by', operation.caller],
    ['  executable from', timeText(operation.executableAtSeconds)],
    ['  lapses at', timeText(operation.lapsesAtSeconds)],
  ]);
}

function roleRows({ roleId, name, members }: Role): readonly (readonly string[])[] {
  if (members.length === 0) return [[String(roleId), name, 'nobody', '-']];
  return members.map(({ account, delaySeconds }) => [
    String(roleId),
    name,
    account,
    delaySeconds === 0 ? 'none' : `${delaySeconds} s`,
  ]);
}
