import { roundWordsAt } from '../chain/sync/roundWords.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { messageOf } from '../service/thrown.js';
import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** The market chain's node proves the words of a recent block, fast enough for a round. */
export async function checkProofs({ rpc, deployment, factsCheck, clock }: Patient): Promise<Finding> {
  if (factsCheck === 'storage') return skipped('factsCheck is `storage`: the node is believed without proofs');
  try {
    const block = await rpc.request(latestBlock());
    const start = clock.monotonicMs();
    const reading = roundWordsAt(deployment.contracts, block, 'proof');
    reading.read(await rpc.batch(reading.calls));
    return ok(`eth_getProof at block ${block.number} holds, in ${Math.ceil(clock.monotonicMs() - start)} ms`);
  } catch (error) {
    return failed(
      messageOf(error),
      'use a node that serves eth_getProof for recent blocks (your own, with state), or factsCheck: storage if you trust it fully',
    );
  }
}
