import { parseAbi } from 'viem';
import type { Hex } from 'viem';
import type { Deployment } from '../deployment.js';
import { viewCall } from '../rewards/viewCall.js';
import type { RpcCall } from '../rpc/rpcCall.js';

const sourceAbi = parseAbi([
  'struct OperatorSet { address avs; uint32 id; }',
  'function maxOperatorTableStaleness(OperatorSet operatorSet) view returns (uint32)',
]);

/**
 * How long after its timestamp the source of operator tables lets one be used, seconds, as of the block `at`; null for a source that sets
 * no limit. EigenLayer's ECDSA verifier without a limit gives 0: settlement refuses its tables.
 */
export function tableStalenessCall(
  { quorum, operatorSet }: Pick<Deployment, 'quorum' | 'operatorSet'>,
  at: Hex,
): RpcCall<number | null> {
  const call = viewCall(
    {
      address: quorum.certificateVerifier,
      abi: sourceAbi,
      functionName: 'maxOperatorTableStaleness',
      args: [operatorSet],
    },
    at,
  );
  const isRefused = quorum.checkedBy === 'eigenlayer' && quorum.curve === 'ecdsa';
  return {
    ...call,
    decode: (raw) => {
      const seconds = call.decode(raw);
      return seconds === 0 && !isRefused ? null : seconds;
    },
  };
}
