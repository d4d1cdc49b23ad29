import {
  type Abi,
  type Address,
  type ContractEventName,
  type GetContractEventsReturnType,
  type GetEventArgs,
} from 'viem';
import type { EventArgs } from './callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { rpcErrorFrom } from './rpcErrorFrom.js';

/** An event of a contract with its arguments. */
export interface MarketLog<abi extends Abi, name extends ContractEventName<abi>> {
  readonly args: EventArgs<abi, name>;
  readonly blockNumber: bigint;
  readonly logIndex: number;
}

/**
 * All events of a name that a contract of the market emitted since its deployment, in their order, filtered by indexed arguments.
 * Throws RpcWrongChainError, RpcUnavailableError and RpcAnswerError.
 */
export async function readLogs<const abi extends Abi, name extends ContractEventName<abi>>(
  client: MarketClient,
  filter: {
    readonly address: Address;
    readonly abi: abi;
    readonly eventName: name;
    readonly args?: GetEventArgs<abi, name>;
  },
): Promise<readonly MarketLog<abi, name>[]> {
  await client.checkChain();
  const range = BigInt(client.logRangeBlocks);
  const found: MarketLog<abi, name>[] = [];
  const untyped: { address: Address; abi: Abi; eventName: string; args?: never } = filter as never;
  try {
    const head = await client.publicClient.getBlockNumber({ cacheTime: 0 });
    for (let from = BigInt(client.deployment.deploymentBlock); from <= head; from += range) {
      const last = from + range - 1n;
      const logs: GetContractEventsReturnType<Abi, string, true> = await client.publicClient.getContractEvents({
        ...untyped,
        fromBlock: from,
        toBlock: last < head ? last : head,
        strict: true,
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
      for (const log of logs) found.push(log as unknown as MarketLog<abi, name>);
    }
  } catch (error) {
    throw rpcErrorFrom(error, filter.eventName);
  }
  return found;
}
