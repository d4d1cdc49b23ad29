import type { Address } from 'viem';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SetRewardWalletParameters {
  /** Zero pays the account itself again. */
  readonly wallet: Address;
}

/**
 * Sets where the account's rewards are paid to. An operator calls this with its signing key, which is what it earns under.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await setRewardWallet(client, { wallet: '0x…' });
 */
export async function setRewardWallet(client: MarketClient, { wallet }: SetRewardWalletParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.rewarder,
    abi: iRewarderAbi,
    functionName: 'setRewardWallet',
    args: [wallet],
  });
  return writtenBy(receipt);
}
