import { percentOf } from '../chain/eigenlayer/allocateStake.js';
import { failed, ok, skipped, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** Stake of the operator can be slashed by the set, which is what gives its signatures weight. */
export async function checkAllocation({ operator }: Patient): Promise<Finding> {
  const status = await operator();
  if (status === null) return skipped('no operator has this signing key');
  const { allocation, stake, slashes } = status;
  const { pending } = allocation;
  if (stake.total === 0n) {
    return failed(
      'no stake stands behind the operator',
      'deposit some, or have restakers delegate (matchmaker restake)',
    );
  }
  if (allocation.current === 0n) {
    return pending === null
      ? failed('none of the stake is allocated to the set', 'run matchmaker operator allocate --magnitude PERCENT')
      : warning(
          `${percentOf(pending.target)} % counts from block ${pending.effectBlock} on`,
          'wait for that block of the stake chain',
        );
  }
  if (slashes.length > 0) {
    return warning(
      `${percentOf(allocation.current)} % allocated, after ${slashes.length} slashes by this set`,
      'see matchmaker operator status for what was proven',
    );
  }
  return ok(
    `${percentOf(allocation.current)} %${pending === null ? '' : `, ${percentOf(pending.target)} % from block ${pending.effectBlock} on`}`,
  );
}
