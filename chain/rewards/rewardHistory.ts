import { decodeEventLog, encodeEventTopics } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { RewardTerms } from '../../protocol/rewards/eraInput.js';
import { iProviderRegistryAbi } from '../contracts/generated/IProviderRegistry.js';
import { iRewarderAbi } from '../contracts/generated/IRewarder.js';
import { iStakingManagerAbi } from '../contracts/generated/IStakingManager.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber, logsInRange } from '../rpc/rpcCall.js';
import type { Block, LogFilter, RpcLog } from '../rpc/rpcCall.js';

/** A closed era: the state after this block is what it is computed from. */
export interface EraClosing {
  readonly era: number;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  /** Micro-USD per whole token. */
  readonly rewardTokenMicroUsd: bigint;
  readonly nativeMicroUsd: bigint;
  readonly terms: RewardTerms;
}

/** A root as it was proposed, and whether it still stands. */
export interface ProposedRoot {
  readonly era: number;
  readonly root: Hex;
  readonly cumulativeTotal: bigint;
  readonly participationHash: Hex;
  readonly uri: string;
  readonly disabled: boolean;
  /** Era of the root that stood before it, null for none. */
  readonly baseEra: number | null;
}

/** Somebody delegated to a provider at least once. */
export interface DelegationSeen {
  readonly providerId: number;
  readonly delegator: Address;
  readonly blockNumber: number;
}

/** What the chain's logs tell about eras and roots up to the block `head`. */
export interface RewardHistory {
  readonly head: Block;
  /** Ascending by era. */
  readonly closings: readonly EraClosing[];
  /** In the order of their proposals; an era occurs again when its root was disabled. */
  readonly roots: readonly ProposedRoot[];
  /** Era of the newest root that is not disabled, null for none. */
  readonly standingEra: number | null;
  readonly delegations: readonly DelegationSeen[];
  readonly tierChanges: readonly { readonly providerId: number; readonly blockNumber: number }[];
}

/** The era was not closed by the block that was looked at. */
export class EraNotClosedError extends MatchmakerError<'ERA_NOT_CLOSED'> {
  constructor(era: number) {
    super('ERA_NOT_CLOSED', `era ${era} is not closed: run rewards close-era once it is over`, { metadata: { era } });
  }
}

/** No root of the era was ever proposed. */
export class RootNotFoundError extends MatchmakerError<'ROOT_NOT_FOUND'> {
  constructor(era: number) {
    super('ROOT_NOT_FOUND', `no root was proposed for era ${era}`, { metadata: { era } });
  }
}

/** A later root stands, which paid for this era too. */
export class EraSupersededError extends MatchmakerError<'ERA_SUPERSEDED'> {
  constructor(era: number, standingEra: number) {
    super('ERA_SUPERSEDED', `era ${era} is paid by the root of era ${standingEra}, which stands`, {
      metadata: { era, standingEra },
    });
  }
}

/** The chain has replaced a block between two questions; the same question will be answered from the new one. */
export class BlockReplacedError extends MatchmakerError<'BLOCK_REPLACED'> {
  constructor(blockNumber: number) {
    super('BLOCK_REPLACED', `block ${blockNumber} was replaced while it was read`, {
      metadata: { blockNumber },
      retryable: true,
    });
  }
}

/** Blocks that one eth_getLogs asks for where nothing else is said. */
export const LOG_RANGE_BLOCKS = 2_000;

/** Signature hash of an event. */
export function eventTopic(abi: Abi, eventName: string): Hex {
  const [topic] = encodeEventTopics({ abi, eventName });
  if (typeof topic !== 'string') throw new RangeError(`${eventName} has no topic`);
  return topic;
}

/** Logs from `fromBlock` to `toBlock`, both included, asked for in spans of `rangeBlocks`. Throws what the RPC throws. */
export async function logsBetween(
  rpc: Rpc,
  span: { readonly fromBlock: number; readonly toBlock: number; readonly rangeBlocks: number },
  filter: LogFilter,
): Promise<RpcLog[]> {
  const calls = [];
  for (let from = span.fromBlock; from <= span.toBlock; from += span.rangeBlocks) {
    calls.push(logsInRange(from, Math.min(span.toBlock, from + span.rangeBlocks - 1), filter));
  }
  return (await rpc.batch(calls)).flat();
}

/**
 * Reads every closed era, proposed root, delegation and tier change from the market's first block to `head`.
 * Throws what the RPC throws.
 */
export async function readRewardHistory(
  deployment: Deployment,
  rpc: Rpc,
  options: { readonly head: Block; readonly rangeBlocks?: number },
): Promise<RewardHistory> {
  const { head } = options;
  const { rewarder, stakingManager, providerRegistry } = deployment.contracts;
  const logs = await logsBetween(
    rpc,
    {
      fromBlock: deployment.deploymentBlock,
      toBlock: head.number,
      rangeBlocks: options.rangeBlocks ?? LOG_RANGE_BLOCKS,
    },
    {
      addresses: [rewarder, stakingManager, providerRegistry],
      topics: [
        eventTopic(iRewarderAbi, 'EraClosed'),
        eventTopic(iRewarderAbi, 'RootProposed'),
        eventTopic(iRewarderAbi, 'RootDisabled'),
        eventTopic(iStakingManagerAbi, 'Delegated'),
        eventTopic(iProviderRegistryAbi, 'ProviderTierUpdated'),
      ],
    },
  );
  const now = await rpc.request(blockByNumber(head.number));
  if (now?.hash !== head.hash) throw new BlockReplacedError(head.number);

  const closings: EraClosing[] = [];
  const roots: ProposedRoot[] = [];
  /** Places in `roots` of those that stand, newest last. */
  const standing: number[] = [];
  const delegations: DelegationSeen[] = [];
  const tierChanges: { providerId: number; blockNumber: number }[] = [];
  for (const log of logs) {
    const { blockNumber } = log;
    if (log.address === stakingManager) {
      const { args } = decodeEventLog({ ...encoded(log), abi: iStakingManagerAbi, eventName: 'Delegated' });
      delegations.push({ providerId: args.providerId, delegator: lowerCase(args.delegator), blockNumber });
    } else if (log.address === providerRegistry) {
      const { args } = decodeEventLog({
        ...encoded(log),
        abi: iProviderRegistryAbi,
        eventName: 'ProviderTierUpdated',
      });
      tierChanges.push({ providerId: args.providerId, blockNumber });
    } else {
      const event = decodeEventLog({ ...encoded(log), abi: iRewarderAbi });
      if (event.eventName === 'EraClosed') closings.push(closingOf(log, event.args));
      else if (event.eventName === 'RootProposed') {
        const { era, root, cumulativeTotal, participationHash, uri } = event.args;
        const base = standing.at(-1);
        const baseEra = base === undefined ? null : (roots[base]?.era ?? null);
        roots.push({ era, root, cumulativeTotal, participationHash, uri, disabled: false, baseEra });
        standing.push(roots.length - 1);
      } else {
        // Only the newest standing root can be disabled.
        const place = standing.pop();
        const disabled = place === undefined ? undefined : roots[place];
        if (place !== undefined && disabled !== undefined) roots[place] = { ...disabled, disabled: true };
      }
    }
  }
  const newest = standing.at(-1);
  return {
    head,
    closings,
    roots,
    standingEra: newest === undefined ? null : (roots[newest]?.era ?? null),
    delegations,
    tierChanges,
  };
}

/** The closing of an era. Throws EraNotClosedError. */
export function closingIn(history: RewardHistory, era: number): EraClosing {
  const found = history.closings.find((closing) => closing.era === era);
  if (found === undefined) throw new EraNotClosedError(era);
  return found;
}

/** The last root proposed for an era. Throws RootNotFoundError. */
export function rootIn(history: RewardHistory, era: number): ProposedRoot {
  const found = history.roots.findLast((root) => root.era === era);
  if (found === undefined) throw new RootNotFoundError(era);
  return found;
}

/**
 * Era of the root that a root of `era` builds on: the one that stood before its last proposal, or that stands now. Null for none.
 * Throws EraSupersededError.
 */
export function baseEraOf(history: RewardHistory, era: number): number | null {
  const proposed = history.roots.findLast((root) => root.era === era);
  if (proposed !== undefined && !proposed.disabled) return proposed.baseEra;
  const { standingEra } = history;
  if (standingEra !== null && standingEra >= era) throw new EraSupersededError(era, standingEra);
  return standingEra;
}

function closingOf(
  log: RpcLog,
  args: {
    readonly era: number;
    readonly rewardTokenMicroUsd: bigint;
    readonly nativeMicroUsd: bigint;
    readonly terms: {
      readonly gpuPointsMilli: number;
      readonly cpuPointsMilli: number;
      readonly tierMultiplierBps: readonly number[];
      readonly slashLineBps: readonly number[];
      readonly complianceCapBps: number;
      readonly pointMicroUsd: bigint;
      readonly operatorPoolMicroUsd: bigint;
      readonly maxRefundGasPriceWei: bigint;
      readonly maxRefundGas: number;
      readonly maxPerEra: bigint;
    };
  },
): EraClosing {
  const { terms } = args;
  return {
    era: args.era,
    blockNumber: log.blockNumber,
    blockHash: log.blockHash,
    rewardTokenMicroUsd: args.rewardTokenMicroUsd,
    nativeMicroUsd: args.nativeMicroUsd,
    terms: {
      gpuPointsMilli: BigInt(terms.gpuPointsMilli),
      cpuPointsMilli: BigInt(terms.cpuPointsMilli),
      tierMultiplierBps: terms.tierMultiplierBps.map(BigInt),
      slashLineBps: terms.slashLineBps.map(BigInt),
      complianceCapBps: BigInt(terms.complianceCapBps),
      pointMicroUsd: terms.pointMicroUsd,
      operatorPoolMicroUsd: terms.operatorPoolMicroUsd,
      maxRefundGasPriceWei: terms.maxRefundGasPriceWei,
      maxRefundGas: BigInt(terms.maxRefundGas),
      maxPerEra: terms.maxPerEra,
    },
  };
}

/** A log's data and topics as viem wants them; every log here has a first topic, because it was asked for by it. */
export function encoded(log: RpcLog): { data: Hex; topics: [Hex, ...Hex[]] } {
  const [signature, ...rest] = log.topics;
  return { data: log.data, topics: [signature ?? '0x', ...rest] };
}

/** An address as the rest of the code compares it. */
export function lowerCase(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`;
}
