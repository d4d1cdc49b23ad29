import { isHex } from 'viem';
import type { Address, Hex } from 'viem';
import type { RpcCall } from '../rpc/rpcCall.js';

/** Call data of every call to `address` within a mined transaction, at any depth, in their order; needs a node that traces. */
export function tracedInputs(transactionHash: Hex, address: Address): RpcCall<readonly Hex[]> {
  return {
    method: 'debug_traceTransaction',
    params: [transactionHash, { tracer: 'callTracer' }],
    decode: (raw) => {
      const inputs: Hex[] = [];
      const open: unknown[] = [raw];
      for (let frame = open.pop(); frame !== undefined; frame = open.pop()) {
        if (typeof frame !== 'object' || frame === null) throw new Error('a call trace that is none');
        const { to, input, calls } = frame as Readonly<Record<string, unknown>>;
        if (isHex(input) && typeof to === 'string' && to.toLowerCase() === address.toLowerCase()) inputs.push(input);
        if (Array.isArray(calls)) open.push(...calls.toReversed());
      }
      return inputs;
    },
  };
}
