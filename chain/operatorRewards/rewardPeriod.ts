import { MatchmakerError } from '../../engine/error.js';
import { iRewardsCoordinatorAbi } from '../contracts/generated/IRewardsCoordinator.js';
import type { Deployment } from '../deployment.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';

/** A span of time, seconds since 1970; its end is not in it. */
export interface RewardPeriod {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** What RewardsCoordinator takes at the moment, all in seconds. */
export interface PeriodLimits {
  /** Time of the stake chain's newest block. */
  readonly nowSeconds: number;
  /** Periods begin and last a multiple of it. */
  readonly intervalSeconds: number;
  readonly maxDurationSeconds: number;
  readonly maxRetroactiveSeconds: number;
  readonly genesisSeconds: number;
}

/** RewardsCoordinator would not take the period. */
export class RewardPeriodError extends MatchmakerError<'REWARD_PERIOD'> {
  constructor(problems: readonly string[]) {
    super('REWARD_PERIOD', `the period cannot be paid:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      metadata: { problems },
    });
  }
}

/** Reads the live limits of reward periods. Throws EigenCallRevertedError and the errors of the RPC. */
export async function readPeriodLimits(
  { eigenlayer }: Pick<Deployment, 'eigenlayer'>,
  rpc: Rpc,
): Promise<PeriodLimits> {
  const { timestamp, hash } = await rpc.request(latestBlock());
  const coordinator = { address: eigenlayer.rewardsCoordinator, abi: iRewardsCoordinatorAbi };
  const [interval, duration, retroactive, genesis] = await Promise.all([
    readEigen(rpc, { ...coordinator, functionName: 'CALCULATION_INTERVAL_SECONDS', args: [] }, hash),
    readEigen(rpc, { ...coordinator, functionName: 'MAX_REWARDS_DURATION', args: [] }, hash),
    readEigen(rpc, { ...coordinator, functionName: 'MAX_RETROACTIVE_LENGTH', args: [] }, hash),
    readEigen(rpc, { ...coordinator, functionName: 'GENESIS_REWARDS_TIMESTAMP', args: [] }, hash),
  ]);
  return {
    nowSeconds: timestamp,
    intervalSeconds: interval,
    maxDurationSeconds: duration,
    maxRetroactiveSeconds: retroactive,
    genesisSeconds: genesis,
  };
}

/** Checks a period as RewardsCoordinator will. Throws RewardPeriodError with all problems at once. */
export function checkPeriod({ fromSeconds, toSeconds }: RewardPeriod, limits: PeriodLimits): void {
  const { nowSeconds, intervalSeconds, maxDurationSeconds, maxRetroactiveSeconds, genesisSeconds } = limits;
  const problems: string[] = [];
  for (const [name, value] of [
    ['from', fromSeconds],
    ['to', toSeconds],
  ] as const) {
    const early = value - (value % intervalSeconds);
    if (early !== value) {
      problems.push(
        `${name} is ${value}, no multiple of ${intervalSeconds} s: name ${early} or ${early + intervalSeconds}`,
      );
    }
  }
  if (toSeconds <= fromSeconds) problems.push('to is not after from');
  if (toSeconds - fromSeconds > maxDurationSeconds) {
    problems.push(`it lasts longer than ${maxDurationSeconds} s: submit it in parts`);
  }
  if (toSeconds >= nowSeconds) problems.push(`it is not over: to must be before ${nowSeconds}`);
  const earliest = Math.max(genesisSeconds, nowSeconds - maxRetroactiveSeconds);
  if (fromSeconds < earliest) problems.push(`it begins before ${earliest}, which is too long ago`);
  if (problems.length > 0) throw new RewardPeriodError(problems);
}
