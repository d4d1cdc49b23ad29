import { erc20Abi, type Address } from 'viem';
import { readMarket, writeMarket } from '../calls/callMarket.js';
import { requireAccount, type MarketClient } from '../marketClient.js';

export interface EnsureAllowanceParameters {
  readonly token: Address;
  /** Contract that may take the tokens. */
  readonly spender: Address;
  /** Token units. */
  readonly amount: bigint;
}

/**
 * Lets a contract of the market take exactly `amount` of a token from the account, unless it may take as much already.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await ensureAllowance(client, { token: '0x…', spender: client.contracts.escrow, amount: 1_000_000n });
 */
export async function ensureAllowance(
  client: MarketClient,
  { token, spender, amount }: EnsureAllowanceParameters,
): Promise<void> {
  const owner = requireAccount(client, 'approve');
  const contract = { address: token, abi: erc20Abi } as const;
  const allowance = await readMarket(client, { ...contract, functionName: 'allowance', args: [owner, spender] });
  if (allowance >= amount) return;
  // Some tokens refuse to change an allowance that is not zero.
  if (allowance > 0n) await writeApproval(client, token, spender, 0n);
  await writeApproval(client, token, spender, amount);
}

/** Tokens without return value exist; what matters is that the call passes. */
const approveAbi = [
  {
    type: 'function',
    name: 'approve',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'spender', type: 'address' },
      { name: 'amount', type: 'uint256' },
    ],
    outputs: [],
  },
] as const;

async function writeApproval(client: MarketClient, token: Address, spender: Address, amount: bigint): Promise<void> {
  await writeMarket(client, { address: token, abi: approveAbi, functionName: 'approve', args: [spender, amount] });
}
