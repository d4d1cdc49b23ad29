import { erc20Abi, type Address } from 'viem';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

/** A token that is no payment token: what providers stake, or auditors post as bond. */
export interface PlainToken {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
}

/**
 * The token that providers stake and others delegate.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { symbol, decimals } = await getStakingToken(client);
 */
export async function getStakingToken(client: MarketClient): Promise<PlainToken> {
  return describe(
    client,
    await readMarket(client, {
      address: client.contracts.stakingManager,
      abi: iStakingManagerAbi,
      functionName: 'stakingToken',
      args: [],
    }),
  );
}

/**
 * The token that auditors post as bond.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { symbol, decimals } = await getBondToken(client);
 */
export async function getBondToken(client: MarketClient): Promise<PlainToken> {
  return describe(
    client,
    await readMarket(client, {
      address: client.contracts.complianceRegistry,
      abi: iComplianceRegistryAbi,
      functionName: 'bondToken',
      args: [],
    }),
  );
}

async function describe(client: MarketClient, address: Address): Promise<PlainToken> {
  const contract = { address, abi: erc20Abi } as const;
  const [symbol, decimals] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'symbol', args: [] }),
    readMarket(client, { ...contract, functionName: 'decimals', args: [] }),
  ]);
  return { address, symbol, decimals };
}
