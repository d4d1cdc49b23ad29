import type { Command } from 'commander';

import { approveProposal } from '../sdk/provider/approveProposal.js';
import { listProposals } from '../sdk/provider/listProposals.js';
import { rejectProposal } from '../sdk/provider/rejectProposal.js';
import { voteOnProposal } from '../sdk/provider/voteOnProposal.js';
import { withdrawProposal } from '../sdk/provider/withdrawProposal.js';
import { CATALOGUE } from '../sdk/readIcl.js';
import { addReadFlags, addWriteFlags, openReader, openWriter, type ReadFlags, type WriteFlags } from './marketFlags.js';
import { printResult, tableLines } from './marketOutput.js';
import { nameOfId } from './marketValues.js';
import { integer, InvalidFlagError } from './usage.js';

/** Registers `provider proposal list|approve|reject|withdraw|vote` below a command. */
export function registerProposalCommands(provider: Command, print: (line: string) => void): void {
  const proposal = provider.command('proposal').description('decide who becomes a provider');

  addReadFlags(proposal.command('list').description('who wants to become a provider'))
    .option('--all', 'also what was decided', false)
    .action(async (flags: ReadFlags & { all: boolean }) => {
      const found = await listProposals(openReader(flags));
      const proposals = flags.all ? found : found.filter(({ state }) => state === 'Pending');
      printResult(print, flags.json, {
        json: { proposals },
        lines:
          proposals.length === 0
            ? ['no proposal is pending']
            : tableLines(
                ['proposal', 'state', 'name', 'region', 'tier', 'GPUs', 'cores', 'yes', 'no', 'host', 'owner'],
                proposals.map((entry) => [
                  String(entry.proposalId),
                  entry.state,
                  entry.name,
                  nameOfId(CATALOGUE.regions, entry.region),
                  String(entry.tier),
                  String(entry.devices),
                  String(entry.cores),
                  String(entry.supporting),
                  String(entry.opposing),
                  entry.hostUri,
                  entry.owner,
                ]),
              ),
      });
    });

  for (const [name, description, act, past] of [
    ['approve', 'let a would-be provider in (approver role)', approveProposal, 'approved'],
    ['reject', 'turn a would-be provider away (approver role)', rejectProposal, 'rejected'],
    ['withdraw', 'take your own proposal back', withdrawProposal, 'withdrawn'],
  ] as const) {
    addWriteFlags(proposal.command(name).description(description))
      .argument('<proposal>', 'proposal id', integer)
      .action(async (proposalId: number, flags: WriteFlags) => {
        const done = await act(openWriter(flags), { proposalId });
        printResult(print, flags.json, { json: { proposalId, ...done }, lines: [`proposal ${proposalId} is ${past}`] });
      });
  }
  addWriteFlags(proposal.command('vote').description('vote as a member of the council'))
    .argument('<proposal>', 'proposal id', integer)
    .argument('<vote>', 'yes or no')
    .action(async (proposalId: number, vote: string, flags: WriteFlags) => {
      if (vote !== 'yes' && vote !== 'no')
        throw new InvalidFlagError('vote', `\`${vote}\` is no vote`, 'write yes or no');
      const done = await voteOnProposal(openWriter(flags), { proposalId, support: vote === 'yes' });
      printResult(print, flags.json, {
        json: { proposalId, vote, ...done },
        lines: [`voted ${vote} on proposal ${proposalId}`],
      });
    });
}
