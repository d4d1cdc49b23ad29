import { zeroAddress, type Address } from 'viem';
import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { UNMEASURED_BPS } from '../../engine/market.js';
import { decodeProviderWord } from '../../protocol/words/providerWord.js';
import { readMarket } from '../calls/callMarket.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';

/** Standing of a provider, in the order of the contract's enum. */
export const PROVIDER_STATUSES = [
  'Unregistered',
  'Registered',
  'Active',
  'Maintenance',
  'Suspended',
  'Deactivated',
] as const;
export type ProviderStatus = (typeof PROVIDER_STATUSES)[number];

export interface GetProviderParameters {
  readonly providerId: number;
}

/** A provider's standing. */
export interface Provider {
  readonly providerId: number;
  readonly owner: Address;
  readonly name: string;
  readonly hostUri: string;
  readonly status: ProviderStatus;
  /** Trust tier 1 to 7, 1 the most trusted. */
  readonly tier: number;
  /** Own and delegated, whole tokens. */
  readonly stakeWhole: number;
  /** What own stake must cover, whole tokens. */
  readonly requiredStakeWhole: bigint;
  /** Hundredths of a percent; null when not measured yet. */
  readonly uptimeBps: number | null;
  readonly reputationBps: number | null;
  readonly slashes: number;
  /** 54 bits; config/catalogue/capabilities.json names them. */
  readonly capabilities: bigint;
  /** Submitted and not approved yet, null for none. */
  readonly pendingCapabilities: bigint | null;
}

/**
 * A provider by its id.
 * Throws MarketCallRefusedError `ProviderNotFound`, and the errors of `readMarket`.
 *
 * @example
 * const { status } = await getProvider(client, { providerId: 2 });
 */
export async function getProvider(client: MarketClient, { providerId }: GetProviderParameters): Promise<Provider> {
  const contract = { address: client.contracts.providerRegistry, abi: iProviderRegistryAbi } as const;
  const [word, owner, requiredStakeWhole, added, moved, [pending, pendingCapabilities]] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'providerWord', args: [providerId] }),
    readMarket(client, { ...contract, functionName: 'providerOwner', args: [providerId] }),
    readMarket(client, { ...contract, functionName: 'requiredStakeWhole', args: [providerId] }),
    readLogs(client, { ...contract, eventName: 'ProviderAdded', args: { providerId } }),
    readLogs(client, { ...contract, eventName: 'ProviderHostUriUpdated', args: { providerId } }),
    readMarket(client, {
      address: client.contracts.providerAttributes,
      abi: iProviderAttributesAbi,
      functionName: 'pendingCapabilities',
      args: [providerId],
    }),
  ]);
  const fields = decodeProviderWord(BigInt(word));
  return {
    providerId,
    owner,
    name: added[0]?.args.name ?? '',
    hostUri: moved.at(-1)?.args.hostUri ?? added[0]?.args.hostUri ?? '',
    status: PROVIDER_STATUSES[fields.status] ?? 'Unregistered',
    tier: fields.tier,
    stakeWhole: fields.stakeWhole,
    requiredStakeWhole,
    uptimeBps: measured(fields.uptimeBps),
    reputationBps: measured(fields.reputationBps),
    slashes: fields.slashes,
    capabilities: fields.attributes,
    pendingCapabilities: pending ? pendingCapabilities : null,
  };
}

/**
 * The provider that an account owns, null when it owns none.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const providerId = await getProviderIdOf(client, { owner: '0x…' });
 */
export async function getProviderIdOf(
  client: MarketClient,
  { owner }: { readonly owner: Address },
): Promise<number | null> {
  if (owner === zeroAddress) return null;
  const providerId = await readMarket(client, {
    address: client.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    functionName: 'providerOf',
    args: [owner],
  });
  return providerId === 0 ? null : providerId;
}

function measured(bps: number): number | null {
  return bps === UNMEASURED_BPS ? null : bps;
}
