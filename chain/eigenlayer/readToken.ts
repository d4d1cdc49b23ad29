import { erc20Abi, type Address } from 'viem';
import type { Rpc } from '../rpc/rpc.js';
import { readEigen } from './eigenCall.js';

/** A token's name and scale. */
export interface Token {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
}

/** Reads a token's symbol and decimals. Throws EigenCallRevertedError and the errors of the RPC. */
export async function readToken(rpc: Rpc, address: Address): Promise<Token> {
  const token = { address, abi: erc20Abi } as const;
  const [symbol, decimals] = await Promise.all([
    readEigen(rpc, { ...token, functionName: 'symbol', args: [] }),
    readEigen(rpc, { ...token, functionName: 'decimals', args: [] }),
  ]);
  return { address, symbol, decimals };
}
