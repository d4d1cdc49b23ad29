import { randomBytes } from 'node:crypto';

import type { Command } from 'commander';
import { erc20Abi, isAddressEqual, isHex, toHex, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { z } from 'zod';

import { iStrategyAbi } from '../chain/contracts/generated/IStrategy.js';
import { approveDelegation } from '../chain/eigenlayer/approveDelegation.js';
import { completeWithdrawals } from '../chain/eigenlayer/completeWithdrawals.js';
import { delegateTo, type DelegationApproval } from '../chain/eigenlayer/delegateTo.js';
import { depositStake } from '../chain/eigenlayer/depositStake.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { queueWithdrawal, type QueuedWithdrawals } from '../chain/eigenlayer/queueWithdrawal.js';
import { readToken } from '../chain/eigenlayer/readToken.js';
import { undelegate } from '../chain/eigenlayer/undelegate.js';
import { readRestaker, type LeavingStake } from '../chain/restaking/readRestaker.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { formatAmount } from '../sdk/amounts.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { keyOf } from './marketFlags.js';
import { amountText, printResult } from './marketOutput.js';
import { addressOf, amountOf, hashOf, minutesOf } from './marketValues.js';
import { leavingJson, leavingText, statusJson, statusLines, waitingText } from './restakeOutput.js';
import { registerRiskCommand } from './riskCommand.js';
import {
  addStakeWriteFlags,
  openStakeReader,
  openStakeWriter,
  type StakeReader,
  type StakeReadFlags,
  type StakeWriteFlags,
} from './stakeChainFlags.js';
import { InvalidFlagError } from './usage.js';

type Print = (line: string) => void;

/** Registers `restake deposit|delegate|approve|undelegate|withdraw|status|risk`. */
export function registerRestakeCommands(program: Command, print: Print): void {
  const restake = program
    .command('restake')
    .description("EigenLayer stake behind the market's operators: deposit, delegate, leave, and see what is at risk");
  registerDeposit(restake, print);
  registerDelegate(restake, print);
  registerApprove(restake, print);
  registerUndelegate(restake, print);
  registerWithdraw(restake, print);
  registerStatus(restake, print);
  registerRiskCommand(restake, print);
}

function registerDeposit(restake: Command, print: Print): void {
  addStakeWriteFlags(restake.command('deposit').description("deposit stake tokens into the market's strategy"))
    .argument('<amount>', 'whole tokens')
    .action(async (amount: string, flags: StakeWriteFlags) => {
      const { deployment, rpc, lane } = openStakeWriter(flags);
      const token = await readToken(rpc, deployment.stakeToken);
      const units = amountOf(amount, token);
      const done = await depositStake({ ...deployment, amount: units }, { lane, rpc });
      const { operator } = await readRestaker(deployment, rpc, lane.address);
      printResult(print, flags.json, {
        json: { ...done, amount: formatAmount(units, token.decimals), token: token.symbol, operator },
        lines: [
          `deposited ${amountText(units, token)}: ${done.shares} shares of strategy ${deployment.strategy}`,
          operator === null
            ? 'it stands behind nobody yet: `matchmaker restake delegate OPERATOR`, and `restake risk` lists operators'
            : `it stands behind operator ${operator}`,
        ],
      });
    });
}

function registerDelegate(restake: Command, print: Print): void {
  addStakeWriteFlags(
    restake.command('delegate').description('put all your stake, present and future, behind an operator'),
  )
    .argument('<operator>', 'address of the operator')
    .option('--approval <file>', "consent of the operator's approver, as `restake approve` prints it")
    .action(async (text: string, flags: StakeWriteFlags & { approval?: string }) => {
      const operator = addressOf('operator', text);
      const { deployment, rpc, lane } = openStakeWriter(flags);
      const approval = flags.approval === undefined ? undefined : readApproval(flags.approval, lane.address, operator);
      const receipt = await delegateTo(
        { ...deployment, operator, ...(approval === undefined ? {} : { approval }) },
        { lane, rpc },
      );
      printResult(print, flags.json, {
        json: { operator, isNew: receipt !== null, transactionHash: receipt?.transactionHash ?? null },
        lines: [receipt === null ? `you delegate to ${operator} already` : `delegated to ${operator}`],
      });
    });
}

function registerApprove(restake: Command, print: Print): void {
  addStakeWriteFlags(
    restake
      .command('approve')
      .description("sign the consent that an operator's approver gives to one delegation; sends nothing, prints JSON"),
  )
    .argument('<restaker>', 'account that wants to delegate')
    .requiredOption('--operator <address>', 'operator that it wants to delegate to')
    .option('--valid-for <duration>', 'until when the consent may be used', '24h')
    .option('--salt <hash>', '32 bytes that the approver has not used; default: random')
    .action(async (text: string, flags: StakeWriteFlags & { operator: string; validFor: string; salt?: string }) => {
      const restaker = addressOf('restaker', text);
      const operator = addressOf('--operator', flags.operator);
      const { deployment, rpc } = openStakeReader(flags);
      const account = privateKeyToAccount(keyOf(flags));
      const { timestamp } = await rpc.request(latestBlock());
      const approval = await approveDelegation(
        {
          eigenlayer: deployment.eigenlayer,
          restaker,
          operator,
          expirySeconds: timestamp + minutesOf('--valid-for', flags.validFor) * 60,
          salt: flags.salt === undefined ? toHex(randomBytes(32)) : hashOf('--salt', flags.salt),
        },
        { account, rpc },
      );
      printResult(print, true, { json: { restaker, operator, ...approval }, lines: [] });
    });
}

function registerUndelegate(restake: Command, print: Print): void {
  addStakeWriteFlags(
    restake
      .command('undelegate')
      .description('leave your operator; all your stake is queued for withdrawal, then `restake withdraw --complete`'),
  ).action(async (flags: StakeWriteFlags) => {
    const { deployment, rpc, lane } = openStakeWriter(flags);
    const queued = await undelegate(deployment, { lane });
    await printQueued(print, flags, { deployment, rpc, lane }, queued);
  });
}

interface WithdrawFlags extends StakeWriteFlags {
  readonly complete: boolean;
  readonly asShares: boolean;
  readonly root?: string;
}

function registerWithdraw(restake: Command, print: Print): void {
  addStakeWriteFlags(
    restake
      .command('withdraw')
      .description(
        'take stake out in two steps: queue an amount, and after the delay --complete pays what is left of it',
      ),
  )
    .argument('[amount]', 'whole tokens, or all; to queue')
    .option('--complete', 'pay out what is due instead', false)
    .option('--as-shares', 'with --complete: keep it as stake, for the operator that you delegate to then', false)
    .option('--root <hash>', 'with --complete: only this withdrawal')
    .action(async (amount: string | undefined, flags: WithdrawFlags) => {
      if ((amount === undefined) !== flags.complete) {
        throw new InvalidFlagError(
          'amount',
          'a withdrawal is either queued or completed',
          'name an amount (or all) to queue one, or --complete to end those that are due',
        );
      }
      if (amount === undefined) await complete(print, flags);
      else await queue(print, flags, amount);
    });
}

async function queue(print: Print, flags: WithdrawFlags, amount: string): Promise<void> {
  const writer = openStakeWriter(flags);
  const { deployment, rpc, lane } = writer;
  const restaker = await readRestaker(deployment, rpc, lane.address);
  const stake = restaker.stake.find(({ strategy }) => isAddressEqual(strategy, deployment.strategy));
  if (stake === undefined || stake.withdrawableShares === 0n) {
    throw new InvalidFlagError(
      'amount',
      `you have no stake in strategy ${deployment.strategy}`,
      'look at `matchmaker restake status`; what is queued already is ended with --complete',
    );
  }
  let { depositShares } = stake;
  if (amount !== 'all') {
    const token = await readToken(rpc, deployment.stakeToken);
    const units = amountOf(amount, token);
    if (units > (stake.withdrawableTokens ?? 0n)) {
      throw new InvalidFlagError(
        'amount',
        `your stake is worth ${amountText(stake.withdrawableTokens ?? 0n, token)}`,
        'ask for less, or all',
      );
    }
    depositShares = depositSharesFor(await sharesOf(rpc, deployment.strategy, units), stake);
  }
  const queued = await queueWithdrawal({ ...deployment, depositShares }, { lane });
  await printQueued(print, flags, writer, queued);
}

/** Deposit shares whose withdrawal pays at least so many shares after the slashes so far; never more than there are. */
function depositSharesFor(
  wanted: bigint,
  stake: { readonly depositShares: bigint; readonly withdrawableShares: bigint },
): bigint {
  const { depositShares, withdrawableShares } = stake;
  const needed = (wanted * depositShares + withdrawableShares - 1n) / withdrawableShares;
  return needed < depositShares ? needed : depositShares;
}

function sharesOf(rpc: Rpc, strategy: Address, units: bigint): Promise<bigint> {
  return readEigen(rpc, {
    address: strategy,
    abi: iStrategyAbi,
    functionName: 'underlyingToSharesView',
    args: [units],
  });
}

async function complete(print: Print, flags: WithdrawFlags): Promise<void> {
  const { deployment, rpc, lane } = openStakeWriter(flags);
  const restaker = await readRestaker(deployment, rpc, lane.address);
  const wanted = flags.root === undefined ? undefined : hashOf('--root', flags.root);
  const named = restaker.leaving.filter(({ root }) => wanted === undefined || root === wanted);
  if (wanted !== undefined && named.length === 0) {
    throw new InvalidFlagError(
      '--root',
      `you have no queued withdrawal ${wanted}`,
      'look at `matchmaker restake status`',
    );
  }
  const due = named.filter(({ isCompletable }) => isCompletable);
  const waiting = named.filter(({ isCompletable }) => !isCompletable);
  const token = await readToken(rpc, deployment.stakeToken);
  const transactionHash =
    due.length === 0
      ? null
      : await completeWithdrawals(
          { ...deployment, withdrawals: due.map(({ withdrawal }) => withdrawal), asTokens: !flags.asShares },
          { lane, rpc },
        );
  const { blockTimeMs } = deployment.stake;
  const told = (row: LeavingStake): object => leavingJson(row, restaker.head, blockTimeMs);
  printResult(print, flags.json, {
    json: { completed: due.map(told), waiting: waiting.map(told), asTokens: !flags.asShares, transactionHash },
    lines: [
      ...due.map((row) => `${flags.asShares ? 'restaked' : 'paid'} ${leavingText(row, deployment.strategy, token)}`),
      ...waiting.map((row) => waitingText(row, restaker.head, blockTimeMs)),
      ...(named.length === 0 ? ['nothing is queued: `matchmaker restake withdraw AMOUNT` queues some'] : []),
    ],
  });
}

async function printQueued(
  print: Print,
  flags: StakeReadFlags,
  { deployment, rpc, lane }: Pick<StakeReader, 'deployment' | 'rpc'> & { readonly lane: { readonly address: Address } },
  queued: QueuedWithdrawals,
): Promise<void> {
  const roots = new Set<Hex>(queued.withdrawals.map(({ root }) => root));
  const restaker = await readRestaker(deployment, rpc, lane.address);
  const rows = restaker.leaving.filter(({ root }) => roots.has(root));
  const { blockTimeMs } = deployment.stake;
  printResult(print, flags.json, {
    json: {
      transactionHash: queued.transactionHash,
      withdrawals: rows.map((row) => leavingJson(row, restaker.head, blockTimeMs)),
    },
    lines:
      rows.length === 0
        ? ['you had no stake: nothing was queued']
        : [
            ...rows.map((row) => `queued ${row.root}`),
            ...rows.map((row) => waitingText(row, restaker.head, blockTimeMs)),
            'until then a slash of its operator still reaches it',
          ],
  });
}

function registerStatus(restake: Command, print: Print): void {
  addStakeWriteFlags(
    restake
      .command('status')
      .description('your stake, what of it can be slashed by whom and until when, what is leaving'),
  )
    .option('--account <address>', "another account; default: the keystore's")
    .action(async (flags: StakeWriteFlags & { account?: string }) => {
      const { deployment, rpc } = openStakeReader(flags);
      const account =
        flags.account === undefined ? privateKeyToAccount(keyOf(flags)).address : addressOf('--account', flags.account);
      const [token, restaker] = await Promise.all([
        readToken(rpc, deployment.stakeToken),
        readRestaker(deployment, rpc, account),
      ]);
      const balance = await readEigen(
        rpc,
        { address: deployment.stakeToken, abi: erc20Abi, functionName: 'balanceOf', args: [account] },
        restaker.head.hash,
      );
      printResult(print, flags.json, {
        json: statusJson(restaker, { token, balance, deployment }),
        lines: statusLines(restaker, { token, balance, deployment }),
      });
    });
}

const hex = z.string().refine((text): text is Hex => isHex(text), 'must be hex');
const approvalSchema = z.strictObject({
  restaker: hex,
  operator: hex,
  signature: hex,
  expirySeconds: z.number().int().positive(),
  salt: hex,
});

/** Reads what `restake approve` printed. Throws InvalidFlagError when it is for somebody else. */
function readApproval(file: string, restaker: Address, operator: Address): DelegationApproval {
  const parsed = approvalSchema.safeParse(readJsonFile('--approval', file));
  if (!parsed.success) {
    throw new InvalidFlagError('--approval', `${file} is no consent`, 'name the file that `restake approve` printed');
  }
  const { restaker: forRestaker, operator: forOperator, ...approval } = parsed.data;
  if (!isAddressEqual(forRestaker, restaker) || !isAddressEqual(forOperator, operator)) {
    throw new InvalidFlagError(
      '--approval',
      `${file} lets ${forRestaker} delegate to ${forOperator}`,
      `ask the approver for one that names ${restaker} and ${operator}`,
    );
  }
  return approval;
}
