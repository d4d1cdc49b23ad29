import { Option, type Command } from 'commander';
import { erc20Abi, type Address } from 'viem';

import { percentOf } from '../chain/eigenlayer/allocateStake.js';
import { dutiesOf, type Duty } from '../chain/eigenlayer/appointees.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { readOperatorStatus, type OperatorStatus } from '../chain/eigenlayer/operatorStatus.js';
import { readTableSeat, type TableSeat } from '../chain/sync/tableSeat.js';
import { keystoreAddress } from '../service/keystore.js';
import { amountText, fieldLines, printResult } from './marketOutput.js';
import { addStakeReadFlags, openStakeReader, type StakeReadFlags, type StakeReader } from './stakeChainFlags.js';
import { addressFlag, blockText, spanText } from './stakeChainValues.js';
import { MissingFlagError } from './usage.js';

interface StatusFlags extends StakeReadFlags {
  readonly operator?: string;
  readonly keystore?: string;
  readonly appointee?: string;
}

/** Registers `operator status`. */
export function registerOperatorStatusCommand(operator: Command, print: (line: string) => void): void {
  addStakeReadFlags(
    operator
      .command('status')
      .description('stake, allocation, signing key, membership, slashes, and whether signatures count; needs no key'),
  )
    .addOption(new Option('--operator <address>', 'the operator').env('MATCHMAKER_OPERATOR'))
    .addOption(
      new Option('--keystore <file>', "or the operator's keystore, for its address alone").env('MATCHMAKER_KEYSTORE'),
    )
    .option('--appointee <address>', 'also list what this account may do for it')
    .action(async (flags: StatusFlags) => {
      const operatorAddress = operatorOf(flags);
      const reader = openStakeReader(flags);
      const { deployment, rpc, marketRpc } = reader;
      const status = await readOperatorStatus(deployment, operatorAddress, { rpc });
      const seat =
        marketRpc === null ? null : await readTableSeat({ deployment, key: status.signingKey }, { rpc: marketRpc });
      const duties =
        flags.appointee === undefined
          ? null
          : await dutiesOf(
              { deployment, operator: operatorAddress, appointee: addressFlag('--appointee', flags.appointee) },
              { rpc },
            );
      const advice = nextStep(status, seat, deployment.stake.blockTimeMs);
      printResult(print, flags.json, {
        json: { ...status, seat, duties, counts: seat === null ? null : seat.open?.weight != null, advice },
        lines: statusLines(status, seat, duties, await tokenOf(reader), deployment.stake.blockTimeMs, advice),
      });
    });
}

function operatorOf(flags: StatusFlags): Address {
  if (flags.operator !== undefined && flags.operator !== '') return addressFlag('--operator', flags.operator);
  const address = flags.keystore === undefined ? undefined : keystoreAddress(flags.keystore);
  if (address !== undefined) return address;
  throw new MissingFlagError('--operator', 'MATCHMAKER_OPERATOR', "the operator's address, or its --keystore");
}

/** What the operator can do next, null when its signatures count. */
function nextStep(status: OperatorStatus, seat: TableSeat | null, blockTimeMs: number): string | null {
  const { allocation, block } = status;
  if (!status.isOperator || status.signingKey === null) return 'run matchmaker operator register';
  if (!status.isMember) {
    return status.departure === null
      ? 'it is not in the operator set: run matchmaker operator register'
      : `it left the operator set; it can register again after ${blockText(status.departure.slashableUntilBlock, block.number, blockTimeMs)}`;
  }
  if (status.stake.total === 0n) return 'no stake stands behind it: deposit some, or have restakers delegate';
  if (allocation.current === 0n && allocation.pending === null) return 'run matchmaker operator allocate';
  if (allocation.current === 0n && allocation.pending !== null) {
    return `wait for ${blockText(allocation.pending.effectBlock, block.number, blockTimeMs)}, from which its stake counts, and for the next operator table after it`;
  }
  if (seat === null || seat.open?.weight != null) return null;
  if (seat.coming?.weight != null) return `wait for round ${seat.coming.fromRound}, from which its signatures count`;
  return 'wait for the next operator table to be carried to the market chain and recorded there';
}

function statusLines(
  status: OperatorStatus,
  seat: TableSeat | null,
  duties: readonly Duty[] | null,
  token: { readonly symbol: string; readonly decimals: number },
  blockTimeMs: number,
  advice: string | null,
): readonly string[] {
  const { stake, allocation, block, departure } = status;
  const ahead = (target: number): string => blockText(target, block.number, blockTimeMs);
  const last = status.slashes.at(-1);
  return [
    ...fieldLines([
      ['operator', status.operator],
      ['of EigenLayer', status.isOperator ? 'yes' : 'no'],
      [
        'delegations',
        status.delegationApprover === null ? 'open to everybody' : `approved by ${status.delegationApprover}`,
      ],
      ['stake', `${amountText(stake.total, token)}, of it ${amountText(stake.own, token)} its own deposit`],
      [
        'allocated',
        `${percentOf(allocation.current)} %${allocation.pending === null ? '' : `, ${percentOf(allocation.pending.target)} % from ${ahead(allocation.pending.effectBlock)} on`}; ${percentOf(allocation.free)} % free${allocation.maximum === 10n ** 18n ? '' : `; slashes have left ${percentOf(allocation.maximum)} %`}`,
      ],
      ['slashable now', amountText(stake.slashable, token)],
      [
        'allocation delay',
        status.allocationDelayBlocks === null ? 'none in force' : `${status.allocationDelayBlocks} blocks`,
      ],
      ['signing key', status.signingKey ?? 'none'],
      [
        'operator set',
        status.isMember
          ? 'member'
          : departure === null
            ? 'not a member'
            : `left in block ${departure.leftInBlock}; slashable until ${ahead(departure.slashableUntilBlock)}`,
      ],
      ['socket', status.socket === '' ? 'none' : status.socket],
      [
        'slashes',
        last === undefined
          ? 'none'
          : `${status.slashes.length}, the last in block ${last.blockNumber}: ${last.description}`,
      ],
      ['appointee may', duties === null ? null : duties.length === 0 ? 'nothing' : duties.join(', ')],
      ...(seat === null ? [] : seatFields(seat)),
    ]),
    ...(advice === null ? [] : [`next: ${advice}`]),
  ];
}

function seatFields({ open, coming, openRound, block }: TableSeat): readonly (readonly [string, string])[] {
  const share = (weight: bigint, total: bigint): string => `${percentOf((weight * 10n ** 18n) / total)} %`;
  return [
    [
      'counts',
      open?.weight == null
        ? `not in the open round ${openRound}`
        : `yes: ${share(open.weight, open.totalWeight)} of the weight in the open round ${openRound}`,
    ],
    [
      'operator table',
      open === null
        ? `none recorded for round ${openRound}`
        : `of ${open.operatorCount} operators, ${spanText(block.timestampSeconds - open.timestampSeconds)} old, in force since round ${open.fromRound}`,
    ],
    ...(coming === null
      ? []
      : [
          [
            'next table',
            `from round ${coming.fromRound} on: ${coming.weight === null ? 'without it' : share(coming.weight, coming.totalWeight)}`,
          ] as const,
        ]),
  ];
}

async function tokenOf({ deployment, rpc }: StakeReader): Promise<{ symbol: string; decimals: number }> {
  const token = { address: deployment.stakeToken, abi: erc20Abi };
  const [symbol, decimals] = await Promise.all([
    readEigen(rpc, { ...token, functionName: 'symbol', args: [] }),
    readEigen(rpc, { ...token, functionName: 'decimals', args: [] }),
  ]);
  return { symbol, decimals };
}
