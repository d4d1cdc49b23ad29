import { NoParticipationError, operatorPayout, type OperatorAmount } from '../../protocol/rewards/operatorPayout.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { readParticipation, type Participation } from './readParticipation.js';
import type { RewardsSubmission } from './readSubmissions.js';

/** A submission beside what the signatures of its period give. */
export interface SubmissionVerdict {
  readonly submission: RewardsSubmission;
  readonly participation: Participation;
  /** What its total should have become; empty where nobody signed. */
  readonly expected: readonly OperatorAmount[];
  readonly isCorrect: boolean;
}

/** Computes a submission's amounts anew from the chain. Throws the errors of `readParticipation`. */
export async function verifySubmission(
  deployment: Deployment,
  submission: RewardsSubmission,
  rpcs: { readonly rpc: Rpc; readonly marketRpc: Rpc; readonly rangeBlocks?: number },
): Promise<SubmissionVerdict> {
  const participation = await readParticipation(deployment, submission.period, rpcs);
  const total = submission.amounts.reduce((sum, { amount }) => sum + amount, 0n);
  const expected = payoutOf(total, participation);
  const isCorrect =
    expected.length === submission.amounts.length &&
    expected.every(({ operator, amount }, index) => {
      const given = submission.amounts[index];
      return given?.amount === amount && given.operator.toLowerCase() === operator.toLowerCase();
    });
  return { submission, participation, expected, isCorrect };
}

function payoutOf(total: bigint, { credits }: Participation): readonly OperatorAmount[] {
  try {
    return operatorPayout(total, credits);
  } catch (error) {
    if (error instanceof NoParticipationError) return [];
    throw error;
  }
}
