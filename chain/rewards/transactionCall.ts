import { isAddress, isHex } from 'viem';
import type { Address, Hex } from 'viem';
import type { RpcCall } from '../rpc/rpcCall.js';

/** Who sent a mined transaction, and its call data. */
export interface MinedTransaction {
  readonly hash: Hex;
  readonly blockHash: Hex;
  readonly from: Address;
  readonly input: Hex;
}

/** A mined transaction; one that the node does not have is an error. */
export function minedTransaction(hash: Hex): RpcCall<MinedTransaction> {
  return {
    method: 'eth_getTransactionByHash',
    params: [hash],
    decode: (raw) => {
      if (!isRecord(raw)) throw new Error(`no transaction ${hash}`);
      const { hash: named, blockHash, from, input } = raw;
      if (named !== hash || !isHex(blockHash) || !isHex(input) || typeof from !== 'string' || !isAddress(from)) {
        throw new Error(`something that is not transaction ${hash}`);
      }
      return { hash, blockHash, from: `0x${from.slice(2).toLowerCase()}`, input };
    },
  };
}

function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null;
}
