import type { Address } from 'viem';
import { BPS } from './eraInput.js';
import type { ProviderEra } from './eraInput.js';

/** What a provider's tokens become. */
export interface RewardSplit {
  readonly commission: bigint;
  /** Commission, the share of own stake, and what rounding left of the delegators' shares. */
  readonly toOwner: bigint;
  readonly toDelegators: readonly { readonly delegator: Address; readonly amount: bigint }[];
}

/**
 * Splits a provider's tokens: commission (rounded down) to the owner, the rest by stake, own and delegated, at the closing block.
 * Each delegator's share is rounded down; what is left over goes to the owner, so the parts always add up.
 */
export function splitReward(
  tokens: bigint,
  provider: Pick<ProviderEra, 'commissionBps' | 'ownStake' | 'delegatedStake' | 'delegations'>,
): RewardSplit {
  const commission = (tokens * provider.commissionBps) / BPS;
  const stake = provider.ownStake + provider.delegatedStake;
  const toDelegators =
    stake === 0n
      ? []
      : provider.delegations.map(({ delegator, amount }) => ({
          delegator,
          amount: ((tokens - commission) * amount) / stake,
        }));
  const toOwner = tokens - toDelegators.reduce((sum, { amount }) => sum + amount, 0n);
  return { commission, toOwner, toDelegators };
}
