import { isAddressEqual, type Address } from 'viem';

import type { Token } from '../chain/eigenlayer/readToken.js';
import type { LeavingStake, Restaker } from '../chain/restaking/readRestaker.js';
import type { Block } from '../chain/rpc/rpcCall.js';
import { formatAmount } from '../sdk/amounts.js';
import { amountText, fieldLines, tableLines, timeText } from './marketOutput.js';
import { percentText } from './restakeText.js';
import type { StakeReader } from './stakeChainFlags.js';

/** What a restaker's status is told with. */
export interface StatusContext {
  readonly token: Token;
  readonly balance: bigint;
  readonly deployment: StakeReader['deployment'];
}

/** A restaker's status for machines; amounts of the market's strategy in whole tokens. */
export function statusJson(restaker: Restaker, { token, balance, deployment }: StatusContext): object {
  const { head } = restaker;
  return {
    account: restaker.account,
    block: head.number,
    token: token.symbol,
    balance: formatAmount(balance, token.decimals),
    operator: restaker.operator,
    isOperator: restaker.isOperator,
    withdrawalDelayBlocks: restaker.withdrawalDelayBlocks,
    stake: restaker.stake.map(({ withdrawableTokens, ...row }) => ({
      ...row,
      withdrawable: tokensJson(row.strategy, withdrawableTokens, { token, deployment }),
    })),
    leaving: restaker.leaving.map((row) => leavingJson(row, head, deployment.stake.blockTimeMs)),
    slashable: {
      operatorSet: deployment.operatorSet,
      ...(restaker.slashability ?? { state: 'none' }),
      exposed: restaker.exposed,
    },
  };
}

/** Whole tokens where the strategy is the market's, smallest units elsewhere. */
function tokensJson(
  strategy: Address,
  tokens: bigint | null,
  { token, deployment }: Pick<StatusContext, 'token' | 'deployment'>,
): string | null {
  if (tokens === null) return null;
  return isAddressEqual(strategy, deployment.strategy) ? formatAmount(tokens, token.decimals) : String(tokens);
}

/** A restaker's status for people. */
export function statusLines(restaker: Restaker, { token, balance, deployment }: StatusContext): readonly string[] {
  const { head, operator } = restaker;
  const { blockTimeMs } = deployment.stake;
  const own = restaker.stake.find(({ strategy }) => isAddressEqual(strategy, deployment.strategy));
  const exposed = restaker.exposed.filter(({ strategy }) => isAddressEqual(strategy, deployment.strategy));
  const slashed = own === undefined ? 0n : own.depositShares - own.withdrawableShares;
  return [
    ...fieldLines([
      ['account', restaker.account],
      ['balance', amountText(balance, token)],
      ['stake', own === undefined ? 'none' : amountText(own.withdrawableTokens ?? 0n, token)],
      ['shares', own === undefined ? null : `${own.withdrawableShares} of ${own.depositShares} deposited`],
      [
        'slashed',
        own === undefined || slashed === 0n ? null : `${percentText(slashed, own.depositShares)} of the deposit`,
      ],
      ['operator', operator === null ? 'none' : restaker.isOperator ? `${operator} (yourself, for ever)` : operator],
      ['at risk', atRiskText(restaker, deployment.strategy)],
      ...exposed.flatMap((row): readonly (readonly [string, string | null])[] => [
        ['  allocated', `${percentText(row.magnitude, row.maxMagnitude)} of the stake of ${row.operator}`],
        ['  change', row.pending === null ? null : pendingText(row, head, blockTimeMs)],
      ]),
    ]),
    ...(restaker.leaving.length === 0
      ? []
      : [
          '',
          ...tableLines(
            ['leaving', 'amount', 'slashable through', 'completable'],
            restaker.leaving.map((row) => [
              row.root,
              leavingText(row, deployment.strategy, token),
              `block ${row.slashableUntilBlock}`,
              row.isCompletable
                ? 'now'
                : `block ${row.completableFromBlock}, about ${blockTime(row.completableFromBlock, head, blockTimeMs)}`,
            ]),
          ),
        ]),
    ...(restaker.stake.length > (own === undefined ? 0 : 1)
      ? [`${restaker.stake.length - (own === undefined ? 0 : 1)} other strategies: see --json`]
      : []),
  ];
}

function atRiskText({ operator, slashability, exposed }: Restaker, strategy: Address): string {
  const rows = exposed.filter((row) => isAddressEqual(row.strategy, strategy));
  const shares = rows.reduce((sum, row) => sum + row.shares, 0n);
  const leaving = rows.reduce((sum, row) => sum + row.leavingShares, 0n);
  const until =
    slashability?.state === 'left'
      ? `through block ${slashability.untilBlock}: the operator has left the set`
      : 'as long as the operator is in the set';
  const parts = [
    ...(shares === 0n ? [] : [`${shares} shares, ${until}`]),
    ...(leaving === 0n ? [] : [`${leaving} shares that are leaving, through the blocks below`]),
  ];
  if (parts.length > 0) return parts.join('; ');
  return operator === null ? 'nothing: you delegate to nobody' : 'nothing by this operator set';
}

function pendingText(row: Restaker['exposed'][number], head: Block, blockTimeMs: number): string | null {
  if (row.pending === null) return null;
  const { magnitude, effectBlock } = row.pending;
  return `${percentText(magnitude, row.maxMagnitude)} from block ${effectBlock}, about ${blockTime(effectBlock, head, blockTimeMs)}`;
}

/** A queued withdrawal for machines; the time of its completion is an estimate from the block time. */
export function leavingJson(row: LeavingStake, head: Block, blockTimeMs: number): object {
  const { completableFromBlock } = row;
  return {
    root: row.root,
    operator: row.withdrawal.delegatedTo,
    startBlock: row.withdrawal.startBlock,
    strategies: row.strategies,
    slashableUntilBlock: row.slashableUntilBlock,
    completableFromBlock,
    isCompletable: row.isCompletable,
    completableAtSeconds: secondsOf(completableFromBlock, head, blockTimeMs),
  };
}

/** What a queued withdrawal pays now. */
export function leavingText(row: LeavingStake, strategy: Address, token: Token): string {
  return row.strategies
    .map((part) =>
      isAddressEqual(part.strategy, strategy)
        ? amountText(part.tokens ?? 0n, token)
        : `${part.shares} shares of ${part.strategy}`,
    )
    .join(', ');
}

/** When a queued withdrawal can be completed. */
export function waitingText(row: LeavingStake, head: Block, blockTimeMs: number): string {
  return `it can be completed from block ${row.completableFromBlock} on, about ${blockTime(row.completableFromBlock, head, blockTimeMs)}: \`matchmaker restake withdraw --complete\``;
}

/** When a block of the stake chain will come, as far as its block time tells, seconds since 1970. */
function secondsOf(block: number, head: Block, blockTimeMs: number): number {
  return head.timestamp + Math.ceil(((block - head.number) * blockTimeMs) / 1_000);
}

function blockTime(block: number, head: Block, blockTimeMs: number): string {
  return timeText(secondsOf(block, head, blockTimeMs)) ?? '';
}
