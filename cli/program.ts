import { Command } from 'commander';

import { registerAggregatorCommands } from './aggregatorCommands.js';
import { registerDevnetCommands } from './devnet.js';
import { registerOperatorCommands } from './operatorCommands.js';
import { VERSION } from './version.js';

/** Builds the whole command tree; results of commands go to `print`. Commander's own exits become CommanderError. */
export function buildProgram(print: (line: string) => void): Command {
  const program = new Command('matchmaker')
    .description('A marketplace for GPU and CPU capacity whose matching engine is run by staked operators')
    .version(VERSION)
    .showHelpAfterError('(add --help for the flags)')
    .exitOverride();

  registerOperatorCommands(program, print);
  registerAggregatorCommands(program);
  registerDevnetCommands(program, print);
  return program;
}
