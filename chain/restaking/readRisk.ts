import { isAddressEqual, type Address } from 'viem';
import { isSameSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import { eventsBetween } from '../eigenlayer/eigenEvents.js';
import type { SettledSigners } from '../quorum/settledSigners.js';
import { LOG_RANGE_BLOCKS } from '../rewards/rewardHistory.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock, type Block } from '../rpc/rpcCall.js';
import { readOperatorExposure, type OperatorExposure } from './readOperatorExposure.js';
import { readSetTerms, type SetTerms } from './readSetTerms.js';
import { readSlashes, slashesOf, type ProvenOffence, type Slash } from './readSlashes.js';
import { signingRecord, type RoundVotes, type SigningRecord } from './signingRecord.js';

/** An operator as a restaker looks at it. */
export interface OperatorRisk extends OperatorExposure {
  /** Null without a signing key, or where the market chain was not asked. */
  readonly record: SigningRecord | null;
  readonly slashes: readonly Slash[];
}

/** Everything about a market's operator set that decides whether and how stake behind it can be lost. */
export interface Risk {
  readonly head: Block;
  readonly terms: SetTerms;
  /** Settled rounds that the signing records are of, oldest first; those without a certificate in the call data are left out. */
  readonly rounds: readonly number[];
  /** Members, and those who left and can still be slashed; by slashable stake, the largest first. */
  readonly operators: readonly OperatorRisk[];
  readonly slashes: readonly Slash[];
  readonly offences: readonly ProvenOffence[];
}

/** What was found on the market chain and at aggregators. */
export interface ObservedRounds {
  readonly settled: readonly SettledSigners[];
  readonly votes: readonly RoundVotes[] | null;
}

/**
 * Reads the risk of standing behind a market's operators from the stake chain, with what was `observed` of their signatures.
 * Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readRisk(
  deployment: Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'stake' | 'strategy' | 'quorum'>,
  rpc: Rpc,
  options: {
    readonly observed: ObservedRounds | null;
    /** Only this operator, in the set or not. */
    readonly operator?: Address;
    /** Slashes before this block of the stake chain are left out. */
    readonly fromBlock?: number;
    readonly rangeBlocks?: number;
  },
): Promise<Risk> {
  const head = await rpc.request(latestBlock());
  const certificates = (options.observed?.settled ?? []).flatMap(({ round, messageHash, certificate }) =>
    certificate === null ? [] : [{ round, messageHash, ...certificate }],
  );
  const policyMaxTableAgeSeconds = certificates.at(-1)?.call.policy.maxTableAgeSeconds;
  const terms = await readSetTerms(deployment, rpc, {
    head,
    ...(policyMaxTableAgeSeconds === undefined ? {} : { policyMaxTableAgeSeconds }),
  });
  const history = await readSlashes(deployment, rpc, {
    head,
    slasher: terms.slasherTerms === null ? null : terms.slasher,
    ...(options.fromBlock === undefined ? {} : { fromBlock: options.fromBlock }),
    ...(options.rangeBlocks === undefined ? {} : { rangeBlocks: options.rangeBlocks }),
  });
  const addresses =
    options.operator === undefined
      ? await slashableOperators(deployment, rpc, { ...options, head, delay: terms.deallocationDelayBlocks })
      : [options.operator];
  const operators = await Promise.all(
    addresses.map(async (operator): Promise<OperatorRisk> => {
      const exposure = await readOperatorExposure(deployment, rpc, { operator, head });
      const { observed } = options;
      const record =
        observed === null || exposure.signingKey === null
          ? null
          : signingRecord(exposure.signingKey, certificates, observed.votes);
      return { ...exposure, record, slashes: slashesOf(history.slashes, operator) };
    }),
  );
  operators.sort((a, b) =>
    a.slashableShares === b.slashableShares ? 0 : a.slashableShares > b.slashableShares ? -1 : 1,
  );
  return { head, terms, rounds: certificates.map(({ round }) => round), operators, ...history };
}

/** The set's members, and whoever left it within the deallocation delay. */
async function slashableOperators(
  deployment: Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'stake'>,
  rpc: Rpc,
  options: { readonly head: Block; readonly delay: number; readonly rangeBlocks?: number },
): Promise<readonly Address[]> {
  const { eigenlayer, operatorSet, stake } = deployment;
  const { head, delay, rangeBlocks = LOG_RANGE_BLOCKS } = options;
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi } as const;
  const members = await readEigen(rpc, { ...manager, functionName: 'getMembers', args: [operatorSet] }, head.hash);
  const removals = await eventsBetween(
    rpc,
    { fromBlock: Math.max(stake.deploymentBlock, head.number - delay), toBlock: head.number, rangeBlocks },
    { ...manager, eventName: 'OperatorRemovedFromOperatorSet' },
  );
  const left = removals.filter(({ args }) => isSameSet(args.operatorSet, operatorSet)).map(({ args }) => args.operator);
  return [...members, ...left].filter(
    (operator, index, all) => all.findIndex((other) => isAddressEqual(other, operator)) === index,
  );
}
