import type { Hex } from 'viem';

import { RpcAnswerError, type Rpc } from '../../chain/rpc/rpc.js';
import type { RpcCall } from '../../chain/rpc/rpcCall.js';

/** A node that answers each method as the test says, in JSON-RPC's own form; any other is an error. */
export function answeringRpc(answers: Readonly<Record<string, (params: readonly unknown[]) => unknown>>): Rpc {
  const request = async <Answer>({ method, params, decode }: RpcCall<Answer>): Promise<Answer> => {
    const answer = answers[method];
    if (answer === undefined) throw new RpcAnswerError(`no answer to ${method}`);
    return decode(answer(params));
  };
  return {
    request,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each call's own decode made its answer
    batch: async (calls) => (await Promise.all(calls.map(request))) as never,
  };
}

/** A block header as a node tells it; seconds and wei per gas. */
export function rawBlock(fields: { number: number; timestamp: number; baseFeePerGas?: bigint }): unknown {
  return {
    number: quantity(fields.number),
    hash: hash(fields.number),
    parentHash: hash(fields.number - 1),
    timestamp: quantity(fields.timestamp),
    logsBloom: `0x${'00'.repeat(256)}`,
    baseFeePerGas: quantity(fields.baseFeePerGas ?? 0n),
    gasLimit: quantity(30_000_000),
  };
}

/** A hash that stands for a number. */
export function hash(number: number): Hex {
  return `0x${number.toString(16).padStart(64, '0')}`;
}

/** A number as JSON-RPC writes it. */
export function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
