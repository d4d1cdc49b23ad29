import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** The operator behind the signing key is in the operator set. */
export async function checkMembership({ operator, deployment }: Patient): Promise<Finding> {
  const status = await operator();
  if (status === null) return skipped('no operator has this signing key');
  if (status.isMember) return ok(`${status.operator} is in set ${deployment.operatorSet.id}`);
  return status.departure === null
    ? failed(`${status.operator} is not in set ${deployment.operatorSet.id}`, 'run matchmaker operator register')
    : failed(
        `${status.operator} left in block ${status.departure.leftInBlock} and is slashable until block ${status.departure.slashableUntilBlock}`,
        'run matchmaker operator register after that block, or stop this node',
      );
}
