import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { signingCredits, type RoundSignature, type SigningCredit } from '../../protocol/rewards/operatorPayout.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import type { Deployment } from '../deployment.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import type { SettledSigners } from '../quorum/settledSigners.js';
import { settlementsBetween } from '../restaking/readSettlements.js';
import { lowerCase } from '../rewards/rewardHistory.js';
import { firstBlockAtTime } from '../rpc/blockAtTime.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';
import type { RewardPeriod } from './rewardPeriod.js';

/** Who signed the batches that were settled in a period. */
export interface Participation {
  /** Ascending by operator. */
  readonly credits: readonly SigningCredit[];
  /** Rounds that were settled in blocks of the period. */
  readonly rounds: readonly number[];
  /** Of these, those whose certificate is nowhere in the call data, so that nobody is credited. */
  readonly uncountedRounds: readonly number[];
}

/** A key signed for the set that the KeyRegistrar has never seen. */
export class UnknownSigningKeyError extends MatchmakerError<'UNKNOWN_SIGNING_KEY'> {
  constructor(key: Hex) {
    super('UNKNOWN_SIGNING_KEY', `no operator ever registered signing key ${key}: is the stake chain the right one?`, {
      metadata: { key },
    });
  }
}

/** The market chain has not reached the period's end. */
export class PeriodNotReachedError extends MatchmakerError<'PERIOD_NOT_REACHED'> {
  constructor(toSeconds: number, headSeconds: number) {
    super(
      'PERIOD_NOT_REACHED',
      `the market chain's newest block is of ${headSeconds}, before the period's end ${toSeconds}: wait for it`,
      { metadata: { toSeconds, headSeconds }, retryable: true },
    );
  }
}

/**
 * Credits operators with the weight of their signatures under every batch that was settled in a block of the period. Needs a node of the
 * market chain that keeps the states of these blocks. Throws PeriodNotReachedError, UnknownSigningKeyError, EigenCallRevertedError and
 * the errors of the RPC.
 */
export async function readParticipation(
  deployment: Pick<Deployment, 'chainId' | 'contracts' | 'quorum' | 'deploymentBlock' | 'eigenlayer' | 'operatorSet'>,
  period: RewardPeriod,
  { rpc, marketRpc, rangeBlocks }: { readonly rpc: Rpc; readonly marketRpc: Rpc; readonly rangeBlocks?: number },
): Promise<Participation> {
  const head = await marketRpc.request(latestBlock());
  if (head.timestamp < period.toSeconds) throw new PeriodNotReachedError(period.toSeconds, head.timestamp);
  const span = { fromBlock: deployment.deploymentBlock, head };
  const [fromBlock, endBlock] = await Promise.all([
    firstBlockAtTime(marketRpc, period.fromSeconds, span),
    firstBlockAtTime(marketRpc, period.toSeconds, span),
  ]);
  const settled = await settlementsBetween(deployment, marketRpc, {
    fromBlock,
    toBlock: endBlock - 1,
    ...(rangeBlocks === undefined ? {} : { rangeBlocks }),
  });
  const operatorOf = await operatorsByKey(deployment, rpc, settled);
  const signatures = settled.flatMap(({ round, certificate }): readonly RoundSignature[] =>
    signedEntries(certificate).map(({ key, weight }) => {
      const operator = operatorOf.get(key);
      if (operator === undefined) throw new UnknownSigningKeyError(key);
      return { round, operator, weight };
    }),
  );
  return {
    credits: signingCredits(signatures),
    rounds: settled.map(({ round }) => round),
    uncountedRounds: settled.filter(({ certificate }) => certificate === null).map(({ round }) => round),
  };
}

/** Entries of the table that signed. */
function signedEntries(
  certificate: SettledSigners['certificate'],
): readonly { readonly key: Hex; readonly weight: bigint }[] {
  if (certificate === null) return [];
  const { entries, signers } = certificate;
  return entries.filter((_, position) => signers.includes(position));
}

/** Keys are an operator's for ever, so the newest state tells about all of the past. */
async function operatorsByKey(
  { eigenlayer, operatorSet }: Pick<Deployment, 'eigenlayer' | 'operatorSet'>,
  rpc: Rpc,
  settled: readonly SettledSigners[],
): Promise<ReadonlyMap<Hex, Address>> {
  const keys = new Set(settled.flatMap(({ certificate }) => signedEntries(certificate).map(({ key }) => key)));
  const operators = new Map<Hex, Address>();
  for (const key of keys) {
    const [operator] = await readEigen(rpc, {
      address: eigenlayer.keyRegistrar,
      abi: iKeyRegistrarAbi,
      functionName: 'getOperatorFromSigningKey',
      args: [operatorSet, key],
    });
    if (BigInt(operator) === 0n) throw new UnknownSigningKeyError(key);
    operators.set(key, lowerCase(operator));
  }
  return operators;
}
