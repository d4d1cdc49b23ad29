import type { Address, Hex } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { readMarket } from '../calls/callMarket.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';
import { decodeMarketCall, type MarketCall } from './marketCall.js';

/** A call that was scheduled and neither executed nor cancelled, nor has it lapsed. */
export interface Operation {
  readonly operationId: Hex;
  /** Who scheduled it, and alone may execute it. */
  readonly caller: Address;
  readonly target: Address;
  readonly data: Hex;
  /** Seconds since 1970. */
  readonly executableAtSeconds: number;
  /** From then on it has lapsed, seconds since 1970. */
  readonly lapsesAtSeconds: number;
  /** What it does; null when it is no known call of a contract of this market. */
  readonly call: MarketCall | null;
}

/**
 * Operations of the market's authority that are pending, by the order in which they were scheduled.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const operations = await listOperations(client);
 */
export async function listOperations(client: MarketClient): Promise<readonly Operation[]> {
  const authority = { address: client.contracts.accessManager, abi: marketAuthorityAbi } as const;
  const [scheduled, expiration] = await Promise.all([
    readLogs(client, { ...authority, eventName: 'OperationScheduled' }),
    readMarket(client, { ...authority, functionName: 'expiration', args: [] }),
  ]);
  // The same call can be scheduled again once it was executed.
  const newest = new Map(scheduled.map(({ args }) => [args.operationId, args]));
  const operations = await Promise.all(
    [...newest.values()].map(async ({ operationId, caller, target, data }) => {
      const at = await readMarket(client, { ...authority, functionName: 'getSchedule', args: [operationId] });
      const call = decodeMarketCall(client, { target, data });
      return { operationId, caller, target, data, executableAtSeconds: at, lapsesAtSeconds: at + expiration, call };
    }),
  );
  return operations.filter(({ executableAtSeconds }) => executableAtSeconds > 0);
}
