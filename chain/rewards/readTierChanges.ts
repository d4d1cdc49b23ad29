import { dueTierChange, LONGEST_TIER_RUN } from '../../protocol/rewards/trustTier.js';
import type { EraUptime, TierChange } from '../../protocol/rewards/trustTier.js';
import { decodeProviderWord } from '../../protocol/words/providerWord.js';
import { iProviderRegistryAbi } from '../contracts/generated/IProviderRegistry.js';
import { iRewardOracleAbi } from '../contracts/generated/IRewardOracle.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber } from '../rpc/rpcCall.js';
import { closingIn } from './rewardHistory.js';
import type { RewardHistory } from './rewardHistory.js';
import { viewCall } from './viewCall.js';

/** A provider whose trust tier is due to change. */
export interface DueTierChange extends TierChange {
  readonly providerId: number;
}

/**
 * The changes of trust tier that are due after a closed era, from the results and tiers at its closing block. A provider's eras count from
 * the one in which its tier last changed. Throws EraNotClosedError and what the RPC throws.
 */
export async function readTierChanges(
  deployment: Deployment,
  rpc: Rpc,
  options: { readonly history: RewardHistory; readonly era: number },
): Promise<readonly DueTierChange[]> {
  const { history, era } = options;
  const { blockHash, blockNumber } = closingIn(history, era);
  const { providerRegistry, rewardOracle } = deployment.contracts;
  const registry = { address: providerRegistry, abi: iProviderRegistryAbi } as const;
  const oracle = { address: rewardOracle, abi: iRewardOracleAbi } as const;
  const [[, providerCount], [eraZero, eraSeconds]] = await rpc.batch([
    viewCall({ ...registry, functionName: 'counts', args: [] }, blockHash),
    viewCall({ ...oracle, functionName: 'eraTerms', args: [] }, blockHash),
  ]);
  const ids = Array.from({ length: providerCount }, (_, index) => index + 1);
  const words = await rpc.batch(
    ids.map((id) => viewCall({ ...registry, functionName: 'providerWord', args: [id] }, blockHash)),
  );

  const changedIn = new Map<number, number>();
  for (const change of history.tierChanges) {
    if (change.blockNumber <= blockNumber) changedIn.set(change.providerId, change.blockNumber);
  }
  const changed = [...changedIn];
  const changeBlocks = await rpc.batch(changed.map(([, number]) => blockByNumber(number)));
  const countsFrom = new Map(
    changed.map(([providerId], index) => {
      const seconds = (changeBlocks[index]?.timestamp ?? eraZero) - eraZero;
      return [providerId, Math.max(0, Math.floor(seconds / eraSeconds))];
    }),
  );

  const firstEra = Math.max(0, era - LONGEST_TIER_RUN + 1);
  const asked = ids.flatMap((providerId) => {
    const from = Math.max(firstEra, countsFrom.get(providerId) ?? 0);
    return Array.from({ length: Math.max(0, era - from + 1) }, (_, index) => ({ providerId, era: from + index }));
  });
  const results = await rpc.batch(
    asked.map((of) => viewCall({ ...oracle, functionName: 'resultOf', args: [of.era, of.providerId] }, blockHash)),
  );
  const uptimes = new Map<number, EraUptime[]>(ids.map((id) => [id, []]));
  asked.forEach((of, index) => {
    const answer = results[index];
    if (answer?.[0] !== true) return;
    uptimes.get(of.providerId)?.push({ era: of.era, uptimeBps: answer[1].voided ? 0 : answer[2] });
  });
  return ids.flatMap((providerId, index): DueTierChange[] => {
    const newest = uptimes.get(providerId) ?? [];
    // A run ends with the era itself: a provider without a result in it keeps its tier.
    if (!newest.some((entry) => entry.era === era)) return [];
    const { tier } = decodeProviderWord(BigInt(words[index] ?? '0x0'));
    const due = dueTierChange(tier, newest);
    return due === null ? [] : [{ providerId, ...due }];
  });
}
