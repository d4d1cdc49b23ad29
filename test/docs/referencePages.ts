import type { Command } from 'commander';
import type { Abi } from 'viem';

import { REFUSAL_ADVICE } from '../../sdk/calls/refusalAdvice.js';

/** A table of a page; the first row is its head. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')));
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** docs/commands.md: every command of the tree with its arguments and the flags that are its own. */
export function commandsPage(program: Command): string {
  const sections: string[] = [];
  for (const group of program.commands) {
    const rows: string[][] = [];
    const walk = (command: Command, at: string): void => {
      for (const child of command.commands) walk(child, `${at} ${child.name()}`);
      if (command.commands.length > 0) return;
      const words = command.registeredArguments.map((argument) => {
        const text = `${argument.name()}${argument.variadic ? '...' : ''}`.toUpperCase();
        return argument.required ? ` ${text}` : ` [${text}]`;
      });
      const flags = command.options
        .filter(({ long }) => !SHARED_FLAGS.has(long ?? ''))
        .map(({ flags: text, mandatory }) => `\`${text}\`${mandatory ? ' (required)' : ''}`);
      rows.push([`\`${at}${words.join('')}\``, command.description(), flags.join(', ')]);
    };
    walk(group, group.name());
    sections.push(`## ${group.name()}\n\n${group.description()}\n\n${table([['command', 'does', 'flags'], ...rows])}`);
  }
  return `# Commands

Written by the test of this page from the commands themselves: \`UPDATE_DOCS=1 npx jest --selectProjects unit --testPathPatterns test/docs/reference\`.

Every command that reads a market takes \`--deployment\` (\`MATCHMAKER_DEPLOYMENT\`), \`--rpc\` (\`MATCHMAKER_RPC_URL\`) and \`--json\`. Every command that sends a transaction takes \`--keystore\` (\`MATCHMAKER_KEYSTORE\`) with \`--password-file\` (\`MATCHMAKER_PASSWORD_FILE\`) or \`--password-env\`, or \`--private-key-env\`. Commands about operators and restaking take \`--stake-rpc\` (\`MATCHMAKER_STAKE_RPC_URL\`) too, needed where the stake chain is another than the market's. Exit codes: 0 done, 1 the market or the node refused, 2 the command was not right.

${sections.join('\n\n')}
`;
}

const SHARED_FLAGS = new Set([
  '--deployment',
  '--rpc',
  '--stake-rpc',
  '--json',
  '--keystore',
  '--password-file',
  '--password-env',
  '--private-key-env',
]);

/** docs/contracts.md: the events of each interface, and what every error of the market means and asks for. */
export function contractsPage(interfaces: ReadonlyMap<string, Abi>, errors: Abi): string {
  const events = [...interfaces].map(([name, abi]) => {
    const rows = abi
      .filter((item) => item.type === 'event')
      .map((item) => [
        `\`${item.name}\``,
        item.inputs
          .map(({ name: field, type, indexed }) => `${field ?? ''} ${type}${indexed === true ? ' (indexed)' : ''}`)
          .join(', '),
      ]);
    return `### ${name}\n\n${table([['event', 'fields'], ...rows])}`;
  });
  const names = [...new Set(errors.flatMap((item) => (item.type === 'error' ? [item.name] : [])))].sort();
  const rows = names.map((name) => {
    const advice = REFUSAL_ADVICE[name];
    if (advice === undefined) throw new Error(`error ${name} has no advice`);
    return [`\`${name}\``, advice.problem, advice.fix, advice.retryable === true ? 'yes' : ''];
  });
  return `# Events and errors of the market

Written by the test of this page from the contracts' ABIs and the SDK's advice: \`UPDATE_DOCS=1 npx jest --selectProjects unit --testPathPatterns test/docs/reference\`.

## Events

${events.join('\n\n')}

## Errors

A call that is refused ends with one of these. Commands and the SDK print problem and remedy with the arguments in place of the braces.

${table([['error', 'problem', 'remedy', 'may pass later'], ...rows])}
`;
}
