import { decodeEventLog, encodeEventTopics, isAddressEqual, type Address, type Hex } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { logsInRange } from '../rpc/rpcCall.js';
import { readEigen } from './eigenCall.js';

/** When an operator left a set, and how long the set can still slash it. */
export interface OperatorDeparture {
  readonly leftInBlock: number;
  /** Last block in which a slash still works. */
  readonly slashableUntilBlock: number;
}

/** Most blocks in one `eth_getLogs`. */
const LOG_RANGE_BLOCKS = 10_000;

/** Last block in which a set can slash an operator that left it in a block: EigenLayer's deallocation delay after it, inclusive. */
export async function slashableUntil(
  eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>,
  rpc: Rpc,
  leftInBlock: number,
): Promise<number> {
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  return leftInBlock + (await readEigen(rpc, { ...manager, functionName: 'DEALLOCATION_DELAY', args: [] }));
}

/**
 * The latest departure of an operator from a set that still leaves it slashable in block `head`; null when there is none.
 * EigenLayer keeps this where no view shows it, so the logs tell. Throws the errors of the RPC.
 */
export async function readDeparture(
  {
    eigenlayer,
    operatorSet,
    operator,
    head,
  }: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>;
    readonly operatorSet: OperatorSet;
    readonly operator: Address;
    readonly head: number;
  },
  { rpc }: { readonly rpc: Rpc },
): Promise<OperatorDeparture | null> {
  const delay = await slashableUntil(eigenlayer, rpc, 0);
  const [topic] = encodeEventTopics({
    abi: iAllocationManagerAbi,
    eventName: 'OperatorRemovedFromOperatorSet',
  });
  const filter = { addresses: [lowerCase(eigenlayer.allocationManager)], topics: [topic] };
  const oldest = Math.max(head - delay, 0);
  for (let to = head; to >= oldest; to -= LOG_RANGE_BLOCKS) {
    const from = Math.max(to - LOG_RANGE_BLOCKS + 1, oldest);
    const logs = await rpc.request(logsInRange(from, to, filter));
    for (const { blockNumber, data, topics } of logs.toReversed()) {
      const { args } = decodeEventLog({
        abi: iAllocationManagerAbi,
        eventName: 'OperatorRemovedFromOperatorSet',
        data,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the filter asked for this event alone
        topics: topics as [Hex, ...Hex[]],
      });
      if (!isAddressEqual(args.operator, operator)) continue;
      if (!isAddressEqual(args.operatorSet.avs, operatorSet.avs) || args.operatorSet.id !== operatorSet.id) continue;
      return { leftInBlock: blockNumber, slashableUntilBlock: blockNumber + delay };
    }
  }
  return null;
}

function lowerCase(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`;
}
