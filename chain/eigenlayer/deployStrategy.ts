import { zeroAddress, type Address } from 'viem';
import { iStrategyFactoryAbi } from '../contracts/generated/IStrategyFactory.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/**
 * The strategy that holds stake in a token, made if the token has none yet. Anyone may.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployStrategy(
  parameters: { readonly strategyFactory: Address; readonly token: Address },
  dependencies: EigenDependencies,
): Promise<Address> {
  const { lane, rpc } = dependencies;
  const factory = { address: parameters.strategyFactory, abi: iStrategyFactoryAbi };
  const existing = () => readEigen(rpc, { ...factory, functionName: 'deployedStrategies', args: [parameters.token] });
  if ((await existing()) === zeroAddress) {
    await writeEigen(lane, { ...factory, functionName: 'deployNewStrategy', args: [parameters.token] });
  }
  return existing();
}
