import type { Address } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import type { Deployment } from '../deployment.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import { readDeparture } from '../eigenlayer/operatorDeparture.js';
import type { Rpc } from '../rpc/rpc.js';
import type { Block } from '../rpc/rpcCall.js';

/** Whether a set can slash an operator, and for how long. */
export type Slashability =
  /** It is a member: until it leaves, and the deallocation delay from then on. */
  | { readonly state: 'member' }
  /** It left: through `untilBlock`. */
  | { readonly state: 'left'; readonly untilBlock: number }
  /** It never joined, or left long ago. */
  | { readonly state: 'none' };

/** Reads whether and until when the set can slash an operator, as of block `head`. Throws EigenCallRevertedError and the errors of the RPC. */
export async function readSlashability(
  deployment: Pick<Deployment, 'eigenlayer' | 'operatorSet'>,
  rpc: Rpc,
  { operator, head }: { readonly operator: Address; readonly head: Block },
): Promise<Slashability> {
  const { eigenlayer, operatorSet } = deployment;
  const read = (functionName: 'isMemberOfOperatorSet' | 'isOperatorSlashable'): Promise<boolean> =>
    readEigen(
      rpc,
      {
        address: eigenlayer.allocationManager,
        abi: iAllocationManagerAbi,
        functionName,
        args: [operator, operatorSet],
      },
      head.hash,
    );
  const [isMember, isSlashable] = await Promise.all([read('isMemberOfOperatorSet'), read('isOperatorSlashable')]);
  if (isMember) return { state: 'member' };
  if (!isSlashable) return { state: 'none' };
  const departure = await readDeparture({ eigenlayer, operatorSet, operator, head: head.number }, { rpc });
  // Its departure is in a block that the deallocation delay still covers; without one the head is all that is sure.
  return { state: 'left', untilBlock: departure?.slashableUntilBlock ?? head.number };
}
