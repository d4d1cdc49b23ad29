import type { Command } from 'commander';
import { isAddressEqual, type Address } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import { iRewardsCoordinatorAbi } from '../chain/contracts/generated/IRewardsCoordinator.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { readToken, type Token } from '../chain/eigenlayer/readToken.js';
import { ClaimFileError, parseClaim, parseEarnings } from '../chain/operatorRewards/claimFile.js';
import { claimOperatorRewards, findRoot, readRoot } from '../chain/operatorRewards/claimRewards.js';
import { readSubmissions } from '../chain/operatorRewards/readSubmissions.js';
import { readPeriodLimits, type PeriodLimits, type RewardPeriod } from '../chain/operatorRewards/rewardPeriod.js';
import {
  prepareOperatorRewards,
  submitOperatorRewards,
  type PreparedRewards,
} from '../chain/operatorRewards/submitOperatorRewards.js';
import { verifySubmission, type SubmissionVerdict } from '../chain/operatorRewards/verifySubmission.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { MatchmakerError } from '../engine/error.js';
import { EigenClaimTree, type RewardsClaim } from '../protocol/rewards/eigenClaimTree.js';
import { formatAmount } from '../sdk/amounts.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { keyOf } from './marketFlags.js';
import { amountText, fieldLines, printResult, tableLines, timeText } from './marketOutput.js';
import { addressOf, amountOf, hashOf, minutesOf } from './marketValues.js';
import {
  addStakeReadFlags,
  addStakeWriteFlags,
  openStakeReader,
  openStakeWriter,
  type StakeReader,
  type StakeReadFlags,
  type StakeWriteFlags,
} from './stakeChainFlags.js';
import { InvalidFlagError, MissingFlagError } from './usage.js';

type Print = (line: string) => void;

/** What `rewards operators verify` ends with when a submission is not what the signatures give. */
export class SubmissionWrongError extends MatchmakerError<'SUBMISSION_WRONG'> {
  constructor(hashes: readonly string[]) {
    super(
      'SUBMISSION_WRONG',
      `not what the signatures of its period give: submission ${hashes.join(', ')}; ask the AVS`,
      { metadata: { hashes } },
    );
  }
}

/** Registers `rewards operators submit|verify|status|claim`. */
export function registerOperatorRewardsCommands(rewards: Command, print: Print): void {
  const operators = rewards
    .command('operators')
    .description('pay operators and their restakers through EigenLayer, by the weight of their signatures');
  registerSubmit(operators, print);
  registerVerify(operators, print);
  registerStatus(operators, print);
  registerClaim(operators, print);
}

interface SubmitFlags extends StakeWriteFlags {
  readonly amount: string;
  readonly token?: string;
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly again: boolean;
  readonly dryRun: boolean;
}

function registerSubmit(operators: Command, print: Print): void {
  addStakeWriteFlags(
    operators
      .command('submit')
      .description("divide an amount by signing weight over a past period and give it to EigenLayer; the AVS's key"),
  )
    .requiredOption('--amount <tokens>', 'whole tokens for all operators together')
    .option(
      '--from <time>',
      'start, seconds since 1970 or like 2026-01-31T12:00Z; default: the end of the last submission',
    )
    .option('--to <time>', 'end, not in it; default: the newest moment that EigenLayer takes')
    .option('--last <duration>', 'instead of --from: so long before the end')
    .option('--token <address>', 'reward token on the stake chain; default: the stake token')
    .option('--again', 'pay although a part of the period was paid in this token before', false)
    .option('--dry-run', 'compute and print, send nothing', false)
    .action(async (flags: SubmitFlags) => {
      const reader = openStakeReader(flags);
      const { deployment, rpc } = reader;
      const marketRpc = requireMarket(reader);
      const token = await readToken(
        rpc,
        flags.token === undefined ? deployment.stakeToken : addressOf('--token', flags.token),
      );
      const limits = await readPeriodLimits(deployment, rpc);
      const period = await periodOf(flags, reader, { token: token.address, limits });
      const prepared = await prepareOperatorRewards(
        deployment,
        { period, token: token.address, amount: amountOf(flags.amount, token), again: flags.again },
        { rpc, marketRpc },
      );
      const transactionHash = flags.dryRun
        ? null
        : await submitOperatorRewards(deployment, prepared, openStakeWriter(flags));
      printResult(print, flags.json, {
        json: { ...preparedJson(prepared, token), transactionHash },
        lines: [
          ...preparedLines(prepared, token),
          transactionHash === null ? 'nothing was sent (--dry-run)' : `submitted in ${transactionHash}`,
        ],
      });
    });
}

function registerVerify(operators: Command, print: Print): void {
  addStakeReadFlags(
    operators
      .command('verify')
      .description('compute what was submitted anew from the chain; exits with 1 when a submission is wrong'),
  )
    .option('--submission <hash>', 'only this one; default: all of the operator set')
    .action(async (flags: StakeReadFlags & { submission?: string }) => {
      const reader = openStakeReader(flags);
      const { deployment, rpc } = reader;
      const marketRpc = requireMarket(reader);
      const wanted = flags.submission === undefined ? undefined : hashOf('--submission', flags.submission);
      const all = await readSubmissions(deployment, rpc);
      const submissions = all.filter(({ hash }) => wanted === undefined || hash === wanted);
      if (wanted !== undefined && submissions.length === 0) {
        throw new InvalidFlagError(
          '--submission',
          `the operator set has no submission ${wanted}`,
          'leave it out to see all',
        );
      }
      const verdicts: SubmissionVerdict[] = [];
      for (const submission of submissions) {
        verdicts.push(await verifySubmission(deployment, submission, { rpc, marketRpc }));
      }
      printResult(print, flags.json, {
        json: { submissions: verdicts },
        lines: verdicts.length === 0 ? ['nothing was submitted for this operator set'] : verdicts.flatMap(verdictLines),
      });
      const wrong = verdicts.filter(({ isCorrect }) => !isCorrect).map(({ submission }) => submission.hash);
      if (wrong.length > 0) throw new SubmissionWrongError(wrong);
    });
}

function registerStatus(operators: Command, print: Print): void {
  addStakeWriteFlags(
    operators.command('status').description('distribution roots, and what an earner has claimed of a token'),
  )
    .option('--earner <address>', "operator or restaker; default: the keystore's account, if one is named")
    .option('--token <address>', 'reward token; default: the stake token')
    .action(async (flags: StakeWriteFlags & { earner?: string; token?: string }) => {
      const { deployment, rpc } = openStakeReader(flags);
      const token = await readToken(
        rpc,
        flags.token === undefined ? deployment.stakeToken : addressOf('--token', flags.token),
      );
      const coordinator = { address: deployment.eigenlayer.rewardsCoordinator, abi: iRewardsCoordinatorAbi };
      const count = Number(
        await readEigen(rpc, { ...coordinator, functionName: 'getDistributionRootsLength', args: [] }),
      );
      const newest = count === 0 ? null : await readRoot(deployment, rpc, count - 1);
      const earner = earnerOf(flags);
      const [claimed, claimer] =
        earner === null
          ? [null, null]
          : await Promise.all([
              readEigen(rpc, { ...coordinator, functionName: 'cumulativeClaimed', args: [earner, token.address] }),
              readEigen(rpc, { ...coordinator, functionName: 'claimerFor', args: [earner] }),
            ]);
      const named = claimer === null || BigInt(claimer) === 0n ? earner : claimer;
      printResult(print, flags.json, {
        json: {
          roots: count,
          newest,
          earner,
          claimer: named,
          token: token.symbol,
          claimed: claimed === null ? null : formatAmount(claimed, token.decimals),
        },
        lines: fieldLines([
          ['roots', String(count)],
          ['newest', newest === null ? 'none yet' : `${newest.rootIndex}: ${newest.root}`],
          ['rewards until', newest === null ? null : timeText(newest.calculatedUntilSeconds)],
          [
            'claimable',
            newest === null
              ? null
              : newest.isDisabled
                ? 'no, it was taken back'
                : `from ${timeText(newest.activeFromSeconds)}`,
          ],
          ['earner', earner],
          ['claimer', named],
          ['claimed', claimed === null ? null : amountText(claimed, token)],
        ]),
      });
    });
}

interface ClaimFlags extends StakeWriteFlags {
  readonly earnings?: string;
  readonly claim?: string;
  readonly earner?: string;
  readonly recipient?: string;
}

function registerClaim(operators: Command, print: Print): void {
  addStakeWriteFlags(
    operators
      .command('claim')
      .description('pay out what an operator or a restaker has earned; its own key, or its claimer’s'),
  )
    .option(
      '--earnings <file>',
      'file of everything that a distribution root stands for, as `devnet rewards-root` writes it',
    )
    .option('--claim <file>', 'or a claim with the fields of processClaim, as EigenLayer’s own services make it')
    .option('--earner <address>', "with --earnings: who earned it; default: the keystore's account")
    .option('--recipient <address>', 'who is paid; default: the earner')
    .action(async (flags: ClaimFlags) => {
      const { deployment, rpc, lane } = openStakeWriter(flags);
      const claim = await claimOf(flags, { deployment, rpc, account: lane.address });
      const recipient =
        flags.recipient === undefined ? claim.earnerLeaf.earner : addressOf('--recipient', flags.recipient);
      const { paid, transactionHash } = await claimOperatorRewards(deployment, { claim, recipient }, { lane, rpc });
      const tokens = await Promise.all(paid.map(({ token }) => readToken(rpc, token)));
      printResult(print, flags.json, {
        json: {
          earner: claim.earnerLeaf.earner,
          recipient,
          rootIndex: claim.rootIndex,
          paid: paid.map(({ token, amount }, index) => ({
            token,
            symbol: tokens[index]?.symbol,
            amount: formatAmount(amount, tokens[index]?.decimals ?? 0),
          })),
          transactionHash,
        },
        lines: paid.map(
          ({ amount }, index) =>
            `paid ${amountText(amount, tokens[index] ?? { symbol: '', decimals: 0 })} to ${recipient}`,
        ),
      });
    });
}

async function claimOf(
  flags: ClaimFlags,
  { deployment, rpc, account }: Pick<StakeReader, 'deployment' | 'rpc'> & { readonly account: Address },
): Promise<RewardsClaim> {
  if (flags.claim !== undefined && flags.earnings === undefined)
    return parseClaim(readJsonFile('--claim', flags.claim));
  if (flags.earnings === undefined || flags.claim !== undefined) {
    throw new InvalidFlagError(
      '--earnings',
      'a claim is made from one file',
      'give exactly one of --earnings and --claim',
    );
  }
  const file = parseEarnings(readJsonFile('--earnings', flags.earnings));
  const { rewardsCoordinator } = deployment.eigenlayer;
  if (file.chainId !== deployment.stake.chainId || !isAddressEqual(file.rewardsCoordinator, rewardsCoordinator)) {
    throw new ClaimFileError('file of earnings of this EigenLayer', [
      `it is for ${file.rewardsCoordinator} on chain ${file.chainId}, not for ${rewardsCoordinator} on chain ${deployment.stake.chainId}`,
    ]);
  }
  const tree = new EigenClaimTree(file.earnings);
  const { rootIndex } = await findRoot(deployment, rpc, tree.root);
  return tree.claimOf(rootIndex, flags.earner === undefined ? account : addressOf('--earner', flags.earner));
}

// ---- flags

function requireMarket({ marketRpc }: StakeReader): Rpc {
  if (marketRpc !== null) return marketRpc;
  throw new MissingFlagError('--rpc', 'MATCHMAKER_RPC_URL', 'the JSON-RPC endpoint of the market chain');
}

function earnerOf(flags: StakeWriteFlags & { readonly earner?: string }): Address | null {
  if (flags.earner !== undefined) return addressOf('--earner', flags.earner);
  if (flags.keystore === undefined && flags.privateKeyEnv === undefined) return null;
  return privateKeyToAccount(keyOf(flags)).address;
}

/** Seconds since 1970 from digits or an ISO date. Throws InvalidFlagError. */
function secondsOf(flag: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const milliseconds = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new InvalidFlagError(flag, `\`${text}\` is no time`, 'write seconds since 1970, or like 2026-01-31T12:00Z');
  }
  return Math.floor(milliseconds / 1_000);
}

async function periodOf(
  flags: SubmitFlags,
  { deployment, rpc }: StakeReader,
  { token, limits }: { readonly token: Address; readonly limits: PeriodLimits },
): Promise<RewardPeriod> {
  const { intervalSeconds, nowSeconds } = limits;
  const floor = (seconds: number): number => seconds - (seconds % intervalSeconds);
  const toSeconds = flags.to === undefined ? floor(nowSeconds - 1) : secondsOf('--to', flags.to);
  if (flags.from !== undefined && flags.last !== undefined) {
    throw new InvalidFlagError('--last', 'the start is named twice', 'give --from or --last');
  }
  if (flags.from !== undefined) return { fromSeconds: secondsOf('--from', flags.from), toSeconds };
  if (flags.last !== undefined) {
    return { fromSeconds: floor(toSeconds - minutesOf('--last', flags.last) * 60), toSeconds };
  }
  const submissions = await readSubmissions(deployment, rpc);
  const paid = submissions.filter((row) => isAddressEqual(row.token, token)).map(({ period }) => period.toSeconds);
  if (paid.length === 0) {
    throw new MissingFlagError('--from', null, 'the start of the first period, or its length with --last');
  }
  return { fromSeconds: Math.max(...paid), toSeconds };
}

// ---- output

function preparedJson(
  { rewards, participation, amounts, strategies, description }: PreparedRewards,
  token: Token,
): object {
  const roundsOf = new Map(participation.credits.map((credit) => [credit.operator, credit]));
  return {
    ...rewards.period,
    token: token.symbol,
    amount: formatAmount(rewards.amount, token.decimals),
    rounds: participation.rounds.length,
    uncountedRounds: participation.uncountedRounds,
    operators: amounts.map(({ operator, amount }) => ({
      operator,
      rounds: roundsOf.get(operator)?.rounds,
      weight: roundsOf.get(operator)?.weight,
      amount: formatAmount(amount, token.decimals),
    })),
    strategies,
    description,
  };
}

function preparedLines({ rewards, participation, amounts }: PreparedRewards, token: Token): readonly string[] {
  const { fromSeconds, toSeconds } = rewards.period;
  const credits = new Map(participation.credits.map((credit) => [credit.operator, credit]));
  return [
    `${timeText(fromSeconds)} to ${timeText(toSeconds)}: ${participation.rounds.length} settled rounds, ${amountText(rewards.amount, token)}`,
    ...(participation.uncountedRounds.length === 0
      ? []
      : [`rounds whose signatures were not found: ${participation.uncountedRounds.join(', ')}`]),
    ...tableLines(
      ['operator', 'rounds', 'signing weight', token.symbol],
      amounts.map(({ operator, amount }) => [
        operator,
        String(credits.get(operator)?.rounds ?? 0),
        String(credits.get(operator)?.weight ?? 0n),
        formatAmount(amount, token.decimals),
      ]),
    ),
  ];
}

function verdictLines({ submission, expected, isCorrect }: SubmissionVerdict): readonly string[] {
  const { fromSeconds, toSeconds } = submission.period;
  const title = `${submission.hash}: ${timeText(fromSeconds)} to ${timeText(toSeconds)}: ${isCorrect ? 'right' : 'WRONG'}`;
  if (isCorrect) return [title];
  const units = new Map(expected.map(({ operator, amount }) => [operator.toLowerCase(), amount]));
  const given = new Map(submission.amounts.map(({ operator, amount }) => [operator.toLowerCase(), amount]));
  return [
    title,
    ...tableLines(
      ['operator', 'given', 'should be'],
      [...new Set([...given.keys(), ...units.keys()])].map((operator) => [
        operator,
        String(given.get(operator) ?? 0n),
        String(units.get(operator) ?? 0n),
      ]),
    ),
  ];
}
