import type { Hex } from 'viem';
import type { TransactionLane } from '../../chain/deploy/transactionLane.js';
import type { Deployment } from '../../chain/deployment.js';
import type { Rpc } from '../../chain/rpc/rpc.js';
import { TransactionRevertedError } from '../../chain/submission/submission.js';
import { RoundFollower, type RoundContext } from '../../chain/sync/roundFollower.js';
import { MatchmakerError } from '../../engine/error.js';
import { matchRound } from '../../engine/matchRound.js';
import type { MatchRecord } from '../../engine/record.js';
import type { PlantedMatch } from '../auditRun.js';
import { signedSettlement } from '../signedSettlement.js';

export interface WrongSettlement {
  readonly deployment: Deployment;
  /** Of operators that are a quorum together. */
  readonly signingKeys: readonly Hex[];
  readonly orderId: number;
  /** What the quorum makes of the order's record. */
  readonly alter: (honest: MatchRecord) => MatchRecord;
}

/** No round gave the colluding quorum an order to settle wrongly. */
export class NeverMatchedError extends MatchmakerError<'NEVER_MATCHED'> {
  constructor(orderId: number) {
    super('NEVER_MATCHED', `order ${orderId} was in ${ATTEMPTS} rounds and could be settled in none`, {
      metadata: { orderId },
    });
  }
}

const POLL_INTERVAL_MS = 20;
/** Rounds that the order may pass without a match, or a settlement come too late for. */
const ATTEMPTS = 24;

/**
 * Has a colluding quorum settle the first round that matches an order, with that order's record altered and all others as the rules
 * give them; in the next round again where the settlement came too late. No other quorum may be settling.
 * Throws NeverMatchedError, TransactionRevertedError, the errors of `signedSettlement` and what the RPC throws.
 */
export async function settleWrongly(
  { deployment, signingKeys, orderId, alter }: WrongSettlement,
  { rpc, lane }: { readonly rpc: Rpc; readonly lane: TransactionLane },
): Promise<PlantedMatch> {
  const settle = async (context: RoundContext): Promise<PlantedMatch | undefined> => {
    const records = matchRound(context.snapshot, context.policy, context.seed);
    const honest = records.find((record) => record.orderId === orderId);
    if (honest === undefined) return undefined;
    const settled = alter(honest);
    const altered = records.map((record) => (record === honest ? settled : record));
    const { transaction, messageHash } = await signedSettlement(deployment, context, altered, signingKeys);
    try {
      await lane.run(transaction);
    } catch (error) {
      if (isTooLate(error)) return undefined;
      throw error;
    }
    return { round: context.round, messageHash, settled, honest };
  };
  return new Promise((resolve, reject) => {
    let attempts = 0;
    let isBusy = false;
    const end = (finish: () => void): void => void follower.stop().then(finish, reject);
    const follower = new RoundFollower(
      { deployment, factsCheck: 'storage', pollIntervalMs: POLL_INTERVAL_MS },
      {
        rpc,
        onRound: (context) => {
          if (isBusy) return;
          isBusy = true;
          settle(context)
            .then((planted) => {
              isBusy = false;
              if (planted !== undefined) end(() => resolve(planted));
              else if (++attempts === ATTEMPTS) throw new NeverMatchedError(orderId);
            })
            .catch((error: unknown) => end(() => reject(error)));
        },
        onAbstain: () => undefined,
      },
    );
    follower.start().catch((error: unknown) => end(() => reject(error)));
  });
}

function isTooLate(error: unknown): boolean {
  return error instanceof TransactionRevertedError && /^Round(NotOpen|AlreadySettled)$/.test(error.errorName ?? '');
}
