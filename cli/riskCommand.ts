import type { Command } from 'commander';

import { describeSlashingWindow } from '../chain/eigenlayer/slashingWindow.js';
import { readToken, type Token } from '../chain/eigenlayer/readToken.js';
import { readRisk, type ObservedRounds, type OperatorRisk, type Risk } from '../chain/restaking/readRisk.js';
import { lastSettlements } from '../chain/restaking/readSettlements.js';
import type { SetTerms } from '../chain/restaking/readSetTerms.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { fieldLines, printResult, tableLines } from './marketOutput.js';
import { addressOf } from './marketValues.js';
import { durationText, percentText } from './restakeText.js';
import { readRoundVotes } from './roundVotes.js';
import { addStakeReadFlags, openStakeReader, type StakeReader, type StakeReadFlags } from './stakeChainFlags.js';
import { integer, repeated } from './usage.js';

interface RiskFlags extends StakeReadFlags {
  readonly operator?: string;
  readonly rounds: number;
  readonly aggregator?: readonly string[];
  readonly since?: number;
}

const DEFAULT_ROUNDS = 50;

/** What each fault of the judge is, for people. */
const FAULT_TEXT = {
  Equivocation: 'signed two different batches of one round',
  WrongRecord: 'signed a match that the rules forbid, or with another price, device or provider',
  BetterCandidate: 'signed a match although a better machine was free',
  UnknownName: 'signed a match that names an order, machine, offer or bid that never existed',
  OmittedOrder: 'signed a batch that leaves out an order that a machine could have taken',
} as const;

/** Registers `restake risk`. */
export function registerRiskCommand(restake: Command, print: (line: string) => void): void {
  addStakeReadFlags(
    restake
      .command('risk')
      .description('what can be slashed, for what, by whom and when; every operator’s stake, signing rate and slashes'),
  )
    .option('--operator <address>', 'only this operator')
    .option(
      '--rounds <number>',
      'settled rounds to count signatures over; 0 asks the market chain nothing',
      integer,
      DEFAULT_ROUNDS,
    )
    .option('--aggregator <url>', 'aggregator to ask who signed something else; repeat for several', repeated)
    .option(
      '--since <block>',
      'block of the stake chain to look for slashes from; default: the operator set’s first',
      integer,
    )
    .action(async (flags: RiskFlags) => {
      const reader = openStakeReader(flags);
      const { deployment, rpc } = reader;
      const [token, risk] = await Promise.all([
        readToken(rpc, deployment.stakeToken),
        observe(reader, flags).then((observed) =>
          readRisk(deployment, rpc, {
            observed,
            ...(flags.operator === undefined ? {} : { operator: addressOf('--operator', flags.operator) }),
            ...(flags.since === undefined ? {} : { fromBlock: flags.since }),
          }),
        ),
      ]);
      printResult(print, flags.json, {
        json: riskJson(risk, reader),
        lines: riskLines(risk, reader, token),
      });
    });
}

/** Signatures of the last settled rounds, and what aggregators say of them; null where the market chain is not to be asked. */
async function observe({ deployment, marketRpc }: StakeReader, flags: RiskFlags): Promise<ObservedRounds | null> {
  if (marketRpc === null || flags.rounds <= 0) return null;
  const head = await marketRpc.request(latestBlock());
  const settled = await lastSettlements(deployment, marketRpc, { headNumber: head.number, count: flags.rounds });
  const { aggregator } = flags;
  const rounds = settled.map(({ round }) => round);
  return { settled, votes: aggregator === undefined ? null : await readRoundVotes(aggregator, rounds) };
}

function riskJson({ head, ...risk }: Risk, { deployment }: StakeReader): object {
  return {
    block: head.number,
    operatorSet: deployment.operatorSet,
    strategy: deployment.strategy,
    economicSecurity: deployment.economicSecurity,
    ...risk,
  };
}

function riskLines(risk: Risk, { deployment }: StakeReader, token: Token): readonly string[] {
  const { terms, operators } = risk;
  const { blockTimeMs } = deployment.stake;
  const { id, avs } = deployment.operatorSet;
  return [
    `operator set ${id} of ${avs}, stake in ${token.symbol}, as of block ${risk.head.number}`,
    '',
    ...conditionLines(terms),
    '',
    ...delayLines(terms, blockTimeMs),
    '',
    ...operatorLines(risk),
    ...operators.flatMap((operator) => detailLines(operator, terms, blockTimeMs)),
    ...offenceLines(risk),
  ];
}

function conditionLines({ slasher, pendingSlasher, slasherTerms, ...terms }: SetTerms): readonly string[] {
  const pending =
    pendingSlasher === null
      ? []
      : [`WARNING: ${pendingSlasher.slasher} becomes the slasher in block ${pendingSlasher.effectBlock}`];
  if (slasherTerms === null) {
    return [
      `slasher ${slasher} is not Matchmaker's judge: whoever holds it can slash all that is allocated, at any time, for any reason`,
      ...pending,
    ];
  }
  const { conditions, challengeWindowSeconds, challengerBps, victimBps, claimPeriodSeconds, treasury } = slasherTerms;
  return [
    `slasher ${slasher}, by proof alone: no owner, no veto, anyone may prove`,
    ...pending,
    ...tableLines(
      ['fault', 'loses', 'what the operator did'],
      conditions.map(({ fault, wad }) => [fault, percentText(wad, 10n ** 18n), FAULT_TEXT[fault]]),
    ),
    'loses: of what the operator allocates to this set; the first by one key alone, the others only where a quorum signed',
    `a batch can be proven wrong for ${durationText(challengeWindowSeconds)} after its snapshot`,
    terms.isRedistributing
      ? `of what is slashed ${challengerBps / 100} % go to the challenger, up to ${victimBps / 100} % to the wronged tenant (${durationText(claimPeriodSeconds)} to claim), the rest to ${treasury}`
      : 'what is slashed is burnt',
  ];
}

function delayLines(terms: SetTerms, blockTimeMs: number): readonly string[] {
  const blocks = (count: number): string => `${count} blocks, about ${durationText((count * blockTimeMs) / 1_000)}`;
  return [
    ...fieldLines([
      ['withdrawal takes', `${blocks(terms.withdrawalDelayBlocks)}; slashable all that time`],
      ['operator leaving', `slashable for ${blocks(terms.deallocationDelayBlocks)} more`],
      ['allocation delay', `a new one counts after ${blocks(terms.allocationConfigurationDelayBlocks)}`],
      ['another slasher', `takes over after ${blocks(terms.slasherConfigurationDelayBlocks)}`],
    ]),
    terms.window === null ? 'slashing window: unknown with this slasher' : describeSlashingWindow(terms.window),
  ];
}

function operatorLines({ operators, rounds }: Risk): readonly string[] {
  if (operators.length === 0) return ['no operator is in the set'];
  const total = operators.reduce((sum, { slashableShares }) => sum + slashableShares, 0n);
  const asked = operators.some(({ record }) => record !== null);
  return [
    ...tableLines(
      ['operator', 'allocates', 'slashable shares', 'of the set', 'signed', 'otherwise', 'slashes', 'other sets'],
      operators.map((row) => [
        row.operator,
        percentText(row.magnitude, row.maxMagnitude),
        String(row.slashableShares),
        percentText(row.slashableShares, total),
        row.record === null ? '?' : `${row.record.signed}/${row.record.rounds}`,
        row.record === null || row.record.disagreed === null ? '?' : String(row.record.disagreed.length),
        String(row.slashes.length),
        String(row.otherSets.length),
      ]),
    ),
    asked
      ? `signed: of the last ${rounds.length} settled rounds, in those that the operator's key could sign; otherwise: rounds for which it signed another batch (? without --aggregator)`
      : 'signed: unknown without the market chain (--rpc)',
  ];
}

function detailLines(row: OperatorRisk, terms: SetTerms, blockTimeMs: number): readonly string[] {
  const lines = [
    row.slashability.state === 'left' ? `has left; slashable through block ${row.slashability.untilBlock}` : null,
    row.signingKey === null ? 'has no signing key in the set' : null,
    row.pending === null
      ? null
      : `allocates ${percentText(row.pending.magnitude, row.maxMagnitude)} from block ${row.pending.effectBlock} on`,
    row.delegationApprover === null ? null : `takes stake only with the consent of ${row.delegationApprover}`,
    row.allocationDelayBlocks === null
      ? 'has no allocation delay in force'
      : `a new allocation counts after ${row.allocationDelayBlocks} blocks, ${durationText((row.allocationDelayBlocks * blockTimeMs) / 1_000)}`,
    ...row.otherSets.map(
      ({ operatorSet, magnitude }) =>
        `allocates ${percentText(magnitude, row.maxMagnitude)} to set ${operatorSet.id} of ${operatorSet.avs}, which slashes by rules of its own`,
    ),
    ...row.slashes.map(
      ({ blockNumber, parts, description }) =>
        `slashed in block ${blockNumber}: ${parts.map(({ wad }) => percentText(wad, 10n ** 18n)).join(', ')} of its stake (${description})`,
    ),
    row.record === null || row.record.conflicted === null || row.record.conflicted.length === 0
      ? null
      : `signed two batches of round ${row.record.conflicted.join(', ')}: an equivocation, slashable for ${durationText(terms.slasherTerms?.challengeWindowSeconds ?? 0)} after the snapshot`,
  ].filter((line) => line !== null);
  return lines.length === 0 ? [] : ['', row.operator, ...lines.map((line) => `  ${line}`)];
}

function offenceLines({ offences }: Risk): readonly string[] {
  if (offences.length === 0) return [];
  return [
    '',
    ...tableLines(
      ['offence', 'fault', 'round', 'block', 'slashed'],
      offences.map((row) => [
        row.offenceId,
        row.fault ?? 'unknown',
        String(row.round),
        String(row.blockNumber),
        String(row.slashed.length),
      ]),
    ),
  ];
}
