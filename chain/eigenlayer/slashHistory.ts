import { decodeEventLog, encodeEventTopics, isAddressEqual, type Address, type Hex } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { logsInRange } from '../rpc/rpcCall.js';
import { readEigen } from './eigenCall.js';

/** One slash of an operator by a set. */
export interface Slash {
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  /** Part of all the operator's stake in the set's strategy that was taken, out of 1e18. */
  readonly wadSlashed: bigint;
  /** What the slasher said. */
  readonly description: string;
}

/** Whose slashes, and in which blocks of the stake chain. */
export interface SlashQuery {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager'>;
  readonly operatorSet: OperatorSet;
  readonly operator: Address;
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** Most blocks in one `eth_getLogs`. */
const LOG_RANGE_BLOCKS = 10_000;

/**
 * Every slash of an operator by a set within a span of blocks, oldest first; nothing is searched while the set has slashed
 * nobody. Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readSlashes(
  { eigenlayer, operatorSet, operator, fromBlock, toBlock }: SlashQuery,
  { rpc }: { readonly rpc: Rpc },
): Promise<readonly Slash[]> {
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  if ((await readEigen(rpc, { ...manager, functionName: 'getSlashCount', args: [operatorSet] })) === 0n) return [];
  const event = { abi: iAllocationManagerAbi, eventName: 'OperatorSlashed' } as const;
  const filter = { addresses: [lowerCase(eigenlayer.allocationManager)], topics: encodeEventTopics(event) as Hex[] };
  const slashes: Slash[] = [];
  for (let from = fromBlock; from <= toBlock; from += LOG_RANGE_BLOCKS) {
    const logs = await rpc.request(logsInRange(from, Math.min(from + LOG_RANGE_BLOCKS - 1, toBlock), filter));
    for (const { data, topics, blockNumber, transactionHash } of logs) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the filter asked for this event alone
      const { args } = decodeEventLog({ ...event, data, topics: topics as [Hex, ...Hex[]] });
      if (!isAddressEqual(args.operator, operator)) continue;
      if (!isAddressEqual(args.operatorSet.avs, operatorSet.avs) || args.operatorSet.id !== operatorSet.id) continue;
      // The set has one strategy.
      slashes.push({
        blockNumber,
        transactionHash,
        wadSlashed: args.wadSlashed[0] ?? 0n,
        description: args.description,
      });
    }
  }
  return slashes;
}

function lowerCase(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`;
}
