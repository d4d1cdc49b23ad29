import type { Hex } from 'viem';

import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import type { Deployment } from '../chain/deployment.js';
import type { RoundContext } from '../chain/sync/roundFollower.js';
import { matchRound } from '../engine/matchRound.js';

/** A round as it stood at its snapshot, which later blocks do not change, and the batch that it should be settled with. */
export interface KeptRound {
  readonly context: RoundContext;
  readonly messageHash: Hex;
  readonly matches: number;
}

/** Copies what a round's result depends on out of the live market, and computes the batch. Throws what `matchRound` throws. */
export function keepRound(context: RoundContext, deployment: Deployment): KeptRound {
  const { snapshot, policy, seed } = context;
  const records = matchRound(snapshot, policy, seed);
  const { messageHash } = buildMatchBatch(context, records, {
    chainId: deployment.chainId,
    settlement: deployment.contracts.matchSettlement,
  });
  const kept = { ...snapshot, bids: new Map(snapshot.bids), market: snapshot.market.copy() };
  return { context: { ...context, snapshot: kept }, messageHash, matches: records.length };
}
