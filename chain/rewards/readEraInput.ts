import { decodeEventLog, parseAbi } from 'viem';
import type { Address, Hex } from 'viem';
import type {
  BaseRoot,
  CumulativeReward,
  Delegation,
  EraInput,
  Forfeit,
  ProviderEra,
  ProviderResource,
  ProviderResult,
} from '../../protocol/rewards/eraInput.js';
import { decodeProviderWord } from '../../protocol/words/providerWord.js';
import { iComplianceRegistryAbi } from '../contracts/generated/IComplianceRegistry.js';
import { iMatchSettlementAbi } from '../contracts/generated/IMatchSettlement.js';
import { iProviderAttributesAbi } from '../contracts/generated/IProviderAttributes.js';
import { iProviderRegistryAbi } from '../contracts/generated/IProviderRegistry.js';
import { iRewarderAbi } from '../contracts/generated/IRewarder.js';
import { iRewardOracleAbi } from '../contracts/generated/IRewardOracle.js';
import { iStakingManagerAbi } from '../contracts/generated/IStakingManager.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByHash } from '../rpc/rpcCall.js';
import type { Block, RpcLog } from '../rpc/rpcCall.js';
import {
  baseEraOf,
  closingIn,
  encoded,
  eventTopic,
  LOG_RANGE_BLOCKS,
  logsBetween,
  lowerCase,
  rootIn,
} from './rewardHistory.js';
import type { EraClosing, RewardHistory } from './rewardHistory.js';
import { readSettledBatches } from './settledBatches.js';
import { viewCall } from './viewCall.js';

/** What an era's rewards follow from, and what was left out. */
export interface ReadEra {
  readonly input: EraInput;
  readonly closing: EraClosing;
  /** Settled rounds for which no operator is counted, because their signatures are not in the transaction's call data. */
  readonly uncountedRounds: readonly number[];
}

const CPU = 0;
const GPU = 1;
/** ProviderStatus Active and Maintenance: both keep the stake that capacity requires. */
const IN_SERVICE: readonly number[] = [2, 3];
const decimalsAbi = parseAbi(['function decimals() view returns (uint8)']);

interface PostedResult extends ProviderResult {
  readonly providerId: number;
}

/**
 * Reads everything that the rewards of a closed era follow from: logs between the closing of the base root's era and that of `era`, and
 * views at the hash of the closing block. Nothing is read from any later state, so whoever asks any node at any time gets the same.
 * Results count once: those posted since the base's closing of eras up to this one, and earlier ones of eras after the base's.
 * `baseLeaves` are the leaves of the base root, which the caller has checked against it.
 * Throws EraNotClosedError, RpcAnswerError and what the RPC throws.
 */
export async function readEraInput(
  deployment: Deployment,
  rpc: Rpc,
  options: {
    readonly history: RewardHistory;
    readonly era: number;
    readonly baseLeaves: readonly CumulativeReward[];
    readonly rangeBlocks?: number;
  },
): Promise<ReadEra> {
  const { history, era, baseLeaves } = options;
  const closing = closingIn(history, era);
  const baseEra = baseEraOf(history, era);
  const baseClosing = baseEra === null ? null : closingIn(history, baseEra);
  const at = closing.blockHash;
  const { contracts } = deployment;
  const block = await existingBlock(rpc, at);

  const logs = await logsBetween(
    rpc,
    {
      fromBlock: baseClosing === null ? deployment.deploymentBlock : baseClosing.blockNumber + 1,
      toBlock: closing.blockNumber,
      rangeBlocks: options.rangeBlocks ?? LOG_RANGE_BLOCKS,
    },
    {
      addresses: [contracts.rewardOracle, contracts.rewarder, contracts.matchSettlement],
      topics: [
        eventTopic(iRewardOracleAbi, 'ResultPosted'),
        eventTopic(iRewarderAbi, 'RewardsForfeited'),
        eventTopic(iMatchSettlementAbi, 'BatchSettled'),
      ],
    },
  );
  const of = (address: Address): RpcLog[] => logs.filter((log) => log.address === address);
  const forfeits = of(contracts.rewarder).map((log): Forfeit => {
    const { args } = decodeEventLog({ ...encoded(log), abi: iRewarderAbi, eventName: 'RewardsForfeited' });
    return { earner: lowerCase(args.earner), claimed: args.claimed };
  });
  const batches = await readSettledBatches(deployment, rpc, of(contracts.matchSettlement));

  const rewarder = { address: contracts.rewarder, abi: iRewarderAbi } as const;
  const [[eraZero, eraSeconds], totalFunded, [, , treasury], rewardToken] = await rpc.batch([
    viewCall({ address: contracts.rewardOracle, abi: iRewardOracleAbi, functionName: 'eraTerms', args: [] }, at),
    viewCall({ ...rewarder, functionName: 'totalFunded', args: [] }, at),
    viewCall({ ...rewarder, functionName: 'distributionTerms', args: [] }, at),
    viewCall({ ...rewarder, functionName: 'rewardToken', args: [] }, at),
  ]);
  const rewardTokenDecimals = await rpc.request(
    viewCall({ address: rewardToken, abi: decimalsAbi, functionName: 'decimals', args: [] }, at),
  );

  const results = of(contracts.rewardOracle).map(postedResult);
  if (baseClosing !== null && baseEra !== null) {
    const eras = { from: baseEra + 1, to: era, eraZero, eraSeconds };
    results.push(...(await readEarlyResults(deployment, rpc, baseClosing.blockHash, eras)));
  }
  const providers = await readProviders(deployment, rpc, {
    block,
    results: results.filter((result) => result.era <= era),
    history,
  });

  const base: BaseRoot = {
    era: baseEra,
    cumulativeTotal: baseEra === null ? 0n : rootIn(history, baseEra).cumulativeTotal,
    leaves: baseLeaves,
  };
  const earners = new Set<Address>([
    ...baseLeaves.map(({ earner }) => earner),
    ...forfeits.map(({ earner }) => earner),
    ...batches.operators.map(({ operator }) => operator),
    ...batches.settlers.map(({ settler }) => settler),
    ...providers.flatMap(({ owner, delegations }) => [owner, ...delegations.map(({ delegator }) => delegator)]),
  ]);
  return {
    closing,
    uncountedRounds: batches.uncountedRounds,
    input: {
      chainId: deployment.chainId,
      rewarder: contracts.rewarder,
      era,
      eraSeconds: BigInt(eraSeconds),
      closedEras: BigInt(
        history.closings.filter((closed) => closed.era <= era && (baseEra === null || closed.era > baseEra)).length,
      ),
      terms: closing.terms,
      rewardTokenMicroUsd: closing.rewardTokenMicroUsd,
      nativeMicroUsd: closing.nativeMicroUsd,
      rewardTokenDecimals,
      totalFunded,
      treasury: lowerCase(treasury),
      base,
      forfeits,
      forfeitedUntil: await readForfeits(deployment, rpc, at, [...earners]),
      providers,
      operators: batches.operators,
      settlers: batches.settlers,
    },
  };
}

function postedResult(log: RpcLog): PostedResult {
  const { args } = decodeEventLog({ ...encoded(log), abi: iRewardOracleAbi, eventName: 'ResultPosted' });
  return {
    providerId: args.providerId,
    era: args.era,
    eraUptimeBps: BigInt(args.eraUptimeBps),
    idleSeconds: BigInt(args.result.idleSeconds),
    voided: args.result.voided,
  };
}

/** Results of eras after the base's that were posted before its closing: that closing came late, and did not count them. */
async function readEarlyResults(
  deployment: Deployment,
  rpc: Rpc,
  baseHash: Hex,
  eras: { readonly from: number; readonly to: number; readonly eraZero: number; readonly eraSeconds: number },
): Promise<PostedResult[]> {
  const { timestamp } = await existingBlock(rpc, baseHash);
  const ended: number[] = [];
  for (let era = eras.from; era <= eras.to && eras.eraZero + (era + 1) * eras.eraSeconds <= timestamp; era++) {
    ended.push(era);
  }
  if (ended.length === 0) return [];
  const [, providerCount] = await rpc.request(
    viewCall(
      { address: deployment.contracts.providerRegistry, abi: iProviderRegistryAbi, functionName: 'counts', args: [] },
      baseHash,
    ),
  );
  const asked = ended.flatMap((era) =>
    Array.from({ length: providerCount }, (_, index) => ({ era, providerId: index + 1 })),
  );
  const answers = await rpc.batch(
    asked.map(({ era, providerId }) =>
      viewCall(
        {
          address: deployment.contracts.rewardOracle,
          abi: iRewardOracleAbi,
          functionName: 'resultOf',
          args: [era, providerId],
        },
        baseHash,
      ),
    ),
  );
  return asked.flatMap(({ era, providerId }, index): PostedResult[] => {
    const [posted, result, eraUptimeBps] = present(answers[index]);
    if (!posted) return [];
    const { idleSeconds, voided } = result;
    return [{ providerId, era, eraUptimeBps: BigInt(eraUptimeBps), idleSeconds: BigInt(idleSeconds), voided }];
  });
}

async function readProviders(
  deployment: Deployment,
  rpc: Rpc,
  of: { readonly block: Block; readonly results: readonly PostedResult[]; readonly history: RewardHistory },
): Promise<ProviderEra[]> {
  const { block, results, history } = of;
  const { contracts } = deployment;
  const at = block.hash;
  const ids = [...new Set(results.map(({ providerId }) => providerId))].sort((a, b) => a - b);
  const registry = { address: contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const staking = { address: contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const attributes = { address: contracts.providerAttributes, abi: iProviderAttributesAbi } as const;
  const compliance = { address: contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const time = block.timestamp;
  const [words, owners, bonuses, commissions, stakes, cpus, gpus] = await Promise.all([
    rpc.batch(ids.map((id) => viewCall({ ...registry, functionName: 'providerWord', args: [id] }, at))),
    rpc.batch(ids.map((id) => viewCall({ ...registry, functionName: 'providerOwner', args: [id] }, at))),
    rpc.batch(
      ids.map((id) => viewCall({ ...compliance, functionName: 'complianceBps', args: [id, BigInt(time)] }, at)),
    ),
    rpc.batch(ids.map((id) => viewCall({ ...staking, functionName: 'commissionBps', args: [id, time] }, at))),
    rpc.batch(ids.map((id) => viewCall({ ...staking, functionName: 'stakeOf', args: [id] }, at))),
    rpc.batch(ids.map((id) => viewCall({ ...attributes, functionName: 'activeAttributes', args: [id, CPU] }, at))),
    rpc.batch(ids.map((id) => viewCall({ ...attributes, functionName: 'activeAttributes', args: [id, GPU] }, at))),
  ]);
  const resourceIds = [...new Set([...cpus, ...gpus].flatMap(([rows]) => rows))];
  const resources = await rpc.batch(
    resourceIds.map((id) => viewCall({ ...attributes, functionName: 'resourceOf', args: [id] }, at)),
  );
  const multipliers = new Map(resourceIds.map((id, index) => [id, BigInt(present(resources[index])[1])]));
  const rowsOf = (category: 'cpu' | 'gpu', [rows, units]: readonly [readonly number[], readonly number[]]) =>
    rows.map((resourceId, index): ProviderResource => ({
      resourceId,
      category,
      units: BigInt(present(units[index])),
      multiplierBps: present(multipliers.get(resourceId)),
    }));
  const delegations = await readDelegations(deployment, rpc, { block, ids, history });
  return ids.map((providerId, index): ProviderEra => {
    const word = decodeProviderWord(BigInt(present(words[index])));
    const [ownStake, delegatedStake] = present(stakes[index]);
    return {
      providerId,
      owner: lowerCase(present(owners[index])),
      inService: IN_SERVICE.includes(word.status),
      tier: word.tier,
      complianceBps: present(bonuses[index]),
      commissionBps: BigInt(present(commissions[index])),
      ownStake,
      delegatedStake,
      delegations: delegations.get(providerId) ?? [],
      resources: [...rowsOf('gpu', present(gpus[index])), ...rowsOf('cpu', present(cpus[index]))],
      results: results
        .filter((result) => result.providerId === providerId)
        .map(({ era, eraUptimeBps, idleSeconds, voided }) => ({ era, eraUptimeBps, idleSeconds, voided })),
    };
  });
}

/** Who delegates how much at the block, by provider: everybody who ever delegated is asked about. */
async function readDelegations(
  deployment: Deployment,
  rpc: Rpc,
  of: { readonly block: Block; readonly ids: readonly number[]; readonly history: RewardHistory },
): Promise<ReadonlyMap<number, readonly Delegation[]>> {
  const seen = new Map<number, Set<Address>>(of.ids.map((id) => [id, new Set()]));
  for (const { providerId, delegator, blockNumber } of of.history.delegations) {
    if (blockNumber <= of.block.number) seen.get(providerId)?.add(delegator);
  }
  const pairs = [...seen].flatMap(([providerId, delegators]) =>
    [...delegators].map((delegator) => ({ providerId, delegator })),
  );
  const answers = await rpc.batch(
    pairs.map(({ providerId, delegator }) =>
      viewCall(
        {
          address: deployment.contracts.stakingManager,
          abi: iStakingManagerAbi,
          functionName: 'delegationOf',
          args: [providerId, delegator],
        },
        of.block.hash,
      ),
    ),
  );
  const found = new Map<number, Delegation[]>(of.ids.map((id) => [id, []]));
  pairs.forEach(({ providerId, delegator }, index) => {
    const [, amount] = present(answers[index]);
    if (amount > 0n) found.get(providerId)?.push({ delegator, amount });
  });
  return found;
}

async function readForfeits(
  deployment: Deployment,
  rpc: Rpc,
  at: Hex,
  earners: readonly Address[],
): Promise<ReadonlyMap<Address, number>> {
  const answers = await rpc.batch(
    earners.map((earner) =>
      viewCall(
        { address: deployment.contracts.rewarder, abi: iRewarderAbi, functionName: 'forfeitOf', args: [earner] },
        at,
      ),
    ),
  );
  return new Map(
    earners.flatMap((earner, index): [Address, number][] => {
      const [forfeited, untilEra] = present(answers[index]);
      return forfeited ? [[earner, untilEra]] : [];
    }),
  );
}

async function existingBlock(rpc: Rpc, hash: Hex): Promise<Block> {
  const block = await rpc.request(blockByHash(hash));
  if (block === null) throw new RpcAnswerError(`the node does not have block ${hash}, whose log it showed`);
  return block;
}

/** An element that is there, because it was asked for by the same list. */
function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RpcAnswerError('the node left a question unanswered');
  return value;
}
