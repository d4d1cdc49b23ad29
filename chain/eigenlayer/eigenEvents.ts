import { decodeEventLog, type Abi, type Address, type ContractEventName, type DecodeEventLogReturnType } from 'viem';
import { encoded, eventTopic, logsBetween, lowerCase } from '../rewards/rewardHistory.js';
import type { Rpc } from '../rpc/rpc.js';
import type { RpcLog } from '../rpc/rpcCall.js';

/** A kind of event of one contract. */
export interface EventOf<abi extends Abi, name extends ContractEventName<abi>> {
  readonly address: Address;
  readonly abi: abi;
  readonly eventName: name;
}

/** An event with where it stands. */
export interface FoundEvent<abi extends Abi, name extends ContractEventName<abi>> {
  readonly args: DecodeEventLogReturnType<abi, name>['args'];
  readonly log: RpcLog;
}

/** A contract's events of one kind among some logs, in their order. */
export function eventsOf<const abi extends Abi, name extends ContractEventName<abi>>(
  logs: readonly RpcLog[],
  event: EventOf<abi, name>,
): readonly FoundEvent<abi, name>[] {
  const untyped: { abi: Abi; eventName: string } = event;
  const topic = eventTopic(untyped.abi, untyped.eventName);
  return logs
    .filter((log) => log.address === event.address.toLowerCase() && log.topics[0] === topic)
    .map((log) => {
      const { args } = decodeEventLog({ ...untyped, ...encoded(log) });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
      return { args: args as FoundEvent<abi, name>['args'], log };
    });
}

/** A contract's events of one kind in a span of blocks, both ends included. Throws what the RPC throws. */
export async function eventsBetween<const abi extends Abi, name extends ContractEventName<abi>>(
  rpc: Rpc,
  span: { readonly fromBlock: number; readonly toBlock: number; readonly rangeBlocks: number },
  event: EventOf<abi, name>,
): Promise<readonly FoundEvent<abi, name>[]> {
  const untyped: { abi: Abi; eventName: string } = event;
  const filter = { addresses: [lowerCase(event.address)], topics: [eventTopic(untyped.abi, untyped.eventName)] };
  return eventsOf(await logsBetween(rpc, span, filter), event);
}
