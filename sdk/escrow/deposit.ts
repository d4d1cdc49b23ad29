import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';
import { getToken } from '../tokens/listTokens.js';

export interface DepositParameters {
  readonly tokenId: number;
  /** Token units. */
  readonly amount: bigint;
}

export interface DepositReturnType extends Written {
  /** What arrived and was credited, token units; less than `amount` with a token that takes a fee. */
  readonly credited: bigint;
}

/**
 * Puts tokens of the account into the escrow, where they are free for orders; approves the escrow for them first where needed.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { credited } = await deposit(client, { tokenId: 1, amount: 50_000_000n });
 */
export async function deposit(
  client: MarketClient,
  { tokenId, amount }: DepositParameters,
): Promise<DepositReturnType> {
  const { address } = await getToken(client, { tokenId });
  await ensureAllowance(client, { token: address, spender: client.contracts.escrow, amount });
  const contract = { address: client.contracts.escrow, abi: iEscrowAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'deposit', args: [tokenId, amount] });
  const { amount: credited } = eventOf(receipt, { ...contract, eventName: 'Deposited' });
  return { ...writtenBy(receipt), credited };
}
