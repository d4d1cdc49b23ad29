import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { zeroAddress, type Address } from 'viem';
import { type Written, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface ChooseSponsorParameters {
  /** Null for none. */
  readonly sponsor: Address | null;
}

/**
 * Names the sponsor whose funds the account's next orders use first.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await chooseSponsor(client, { sponsor: '0x…' });
 */
export async function chooseSponsor(client: MarketClient, { sponsor }: ChooseSponsorParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.escrow,
    abi: iEscrowAbi,
    functionName: 'chooseSponsor',
    args: [sponsor ?? zeroAddress],
  });
  return writtenBy(receipt);
}
