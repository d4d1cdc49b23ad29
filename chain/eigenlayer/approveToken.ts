import { erc20Abi, type Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** The account has fewer tokens than it wants to give. */
export class TokenBalanceError extends MatchmakerError<'TOKEN_BALANCE'> {
  constructor(account: Address, token: Address, balance: bigint, wanted: bigint) {
    super(
      'TOKEN_BALANCE',
      `${account} has ${balance} units of token ${token} and cannot give ${wanted}: get more, or name a smaller amount`,
      { metadata: { account, token, balance: String(balance), wanted: String(wanted) } },
    );
  }
}

/**
 * Lets a contract take an amount (smallest units) of the lane's account's tokens, unless it may already.
 * Throws TokenBalanceError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function approveToken(
  approval: { readonly token: Address; readonly spender: Address; readonly amount: bigint },
  { lane, rpc }: EigenDependencies,
): Promise<void> {
  const { spender, amount } = approval;
  const token = { address: approval.token, abi: erc20Abi } as const;
  const balance = await readEigen(rpc, { ...token, functionName: 'balanceOf', args: [lane.address] });
  if (balance < amount) throw new TokenBalanceError(lane.address, approval.token, balance, amount);
  const allowed = await readEigen(rpc, { ...token, functionName: 'allowance', args: [lane.address, spender] });
  if (allowed < amount) await writeEigen(lane, { ...token, functionName: 'approve', args: [spender, amount] });
}
