import type { Rpc } from '../chain/rpc/rpc.js';
import type { RpcCall } from '../chain/rpc/rpcCall.js';

/** An RPC whose every call is told with the seconds of the round trip that carried it, answered or failed. */
export function measuredRpc(
  rpc: Rpc,
  dependencies: { readonly monotonicMs: () => number; readonly onAnswered: (method: string, seconds: number) => void },
): Rpc {
  const { monotonicMs, onAnswered } = dependencies;
  async function measured<Answer>(calls: readonly RpcCall<unknown>[], ask: () => Promise<Answer>): Promise<Answer> {
    const start = monotonicMs();
    try {
      return await ask();
    } finally {
      const seconds = (monotonicMs() - start) / 1000;
      for (const { method } of calls) onAnswered(method, seconds);
    }
  }
  return {
    batch: (calls) => measured(calls, () => rpc.batch(calls)),
    request: (call) => measured([call], () => rpc.request(call)),
  };
}
