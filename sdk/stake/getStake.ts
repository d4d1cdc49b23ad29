import { isAddressEqual, type Address } from 'viem';
import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { readMarket } from '../calls/callMarket.js';
import { readBlock } from '../calls/readBlock.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';

export interface GetStakeParameters {
  readonly providerId: number;
  /** Whose delegation and unbondings are read too. */
  readonly account?: Address;
}

/** Stake that is leaving. */
export interface Unbonding {
  /** Whom it will be paid to. */
  readonly account: Address;
  readonly unbondingId: number;
  /** Token units; a slash until its payout lowers it. */
  readonly amount: bigint;
  /** Seconds since 1970. */
  readonly releaseAtSeconds: number;
  /** True of own stake, false of a delegation. */
  readonly own: boolean;
}

/** Stake of a provider, in units of the staking token. */
export interface GetStakeReturnType {
  readonly own: bigint;
  readonly delegated: bigint;
  readonly unbonding: bigint;
  /** What own stake must cover, whole tokens. */
  readonly requiredWhole: bigint;
  /** The provider's share of its delegators' rewards, hundredths of a percent. */
  readonly commissionBps: number;
  /** All that is leaving, of every account. */
  readonly unbondings: readonly Unbonding[];
  /** Of the account that was asked about; null without one. */
  readonly account: {
    readonly shares: bigint;
    readonly delegated: bigint;
    readonly unbondings: readonly Unbonding[];
    /** What slashes credited to it. */
    readonly compensation: bigint;
  } | null;
}

/**
 * A provider's stake, and what one account has of it.
 * Throws MarketCallRefusedError `ProviderNotFound`, and the errors of `readMarket`.
 *
 * @example
 * const { own, requiredWhole } = await getStake(client, { providerId: 2 });
 */
export async function getStake(
  client: MarketClient,
  { providerId, account }: GetStakeParameters,
): Promise<GetStakeReturnType> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const { timestamp } = await readBlock(client);
  const [[own, delegated, unbonding], requiredWhole, commissionBps, unbondings] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'stakeOf', args: [providerId] }),
    readMarket(client, {
      address: client.contracts.providerRegistry,
      abi: iProviderRegistryAbi,
      functionName: 'requiredStakeWhole',
      args: [providerId],
    }),
    readMarket(client, { ...contract, functionName: 'commissionBps', args: [providerId, Number(timestamp)] }),
    readUnbondings(client, providerId),
  ]);
  const pool = { own, delegated, unbonding, requiredWhole, commissionBps, unbondings };
  if (account === undefined) return { ...pool, account: null };
  const [[shares, amount], compensation] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'delegationOf', args: [providerId, account] }),
    readMarket(client, { ...contract, functionName: 'compensationOf', args: [account] }),
  ]);
  const leaving = unbondings.filter((entry) => isAddressEqual(entry.account, account));
  return { ...pool, account: { shares, delegated: amount, unbondings: leaving, compensation } };
}

async function readUnbondings(client: MarketClient, providerId: number): Promise<Unbonding[]> {
  const contract = { address: client.contracts.stakingManager, abi: iStakingManagerAbi } as const;
  const started = await readLogs(client, { ...contract, eventName: 'UnbondingStarted', args: { providerId } });
  const read = await Promise.all(
    started.map(async ({ args: { account, unbondingId } }) => {
      const [amount, releaseAtSeconds, own] = await readMarket(client, {
        ...contract,
        functionName: 'unbondingOf',
        args: [providerId, account, unbondingId],
      });
      return { account, unbondingId, amount, releaseAtSeconds, own };
    }),
  );
  // What was paid out reads as nothing.
  return read.filter(({ releaseAtSeconds }) => releaseAtSeconds > 0);
}
