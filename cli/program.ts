import { Command } from 'commander';

import { registerAggregatorCommands } from './aggregatorCommands.js';
import { registerBundleCommands } from './bundleCommands.js';
import { registerComplianceCommands } from './complianceCommands.js';
import { registerDeployCommands } from './deployCommands.js';
import { registerDevnetCommands } from './devnet.js';
import { registerDoctorCommand } from './doctorCommand.js';
import { registerEscrowCommands } from './escrowCommands.js';
import { registerExplainCommand } from './explainCommand.js';
import { registerGovernanceCommands } from './governanceCommands.js';
import { registerKeysCommands } from './keysCommands.js';
import { registerOperatorCommands } from './operatorCommands.js';
import { registerReplayCommand } from './replayCommand.js';
import { registerRestakeCommands } from './restakeCommands.js';
import { registerRewardsCommands } from './rewardsCommands.js';
import { registerOrderCommands } from './orderCommands.js';
import { registerPolicyCommands } from './policyCommands.js';
import { registerProviderCommands } from './providerCommands.js';
import { registerSignedCommands } from './signedCommands.js';
import { registerStakeCommands } from './stakeCommands.js';
import { VERSION } from './version.js';
import { registerWatchCommands } from './watchCommands.js';

/** Builds the whole command tree; results of commands go to `print`. Commander's own exits become CommanderError. */
export function buildProgram(print: (line: string) => void): Command {
  const program = new Command('matchmaker')
    .description('A marketplace for GPU and CPU capacity whose matching engine is run by staked operators')
    .version(VERSION)
    .showHelpAfterError('(add --help for the flags)')
    .exitOverride();

  registerOrderCommands(program, print);
  registerEscrowCommands(program, print);
  registerProviderCommands(program, print);
  registerStakeCommands(program, print);
  registerComplianceCommands(program, print);
  registerSignedCommands(program, print);
  registerGovernanceCommands(program, print);
  registerKeysCommands(program, print);
  registerOperatorCommands(program, print);
  registerAggregatorCommands(program);
  registerRestakeCommands(program, print);
  registerWatchCommands(program, print);
  registerDoctorCommand(program, print);
  registerRewardsCommands(program, print);
  registerBundleCommands(program, print);
  registerExplainCommand(program, print);
  registerReplayCommand(program, print);
  registerPolicyCommands(program, print);
  registerDeployCommands(program, print);
  registerDevnetCommands(program, print);
  return program;
}
