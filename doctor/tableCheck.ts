import { readTableSeat } from '../chain/sync/tableSeat.js';
import { failed, ok, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** Part of the age that settlement allows after which a table is late. */
const LATE_AFTER = 0.8;

/** The operator table of the open round is recorded, fresh, and has the signing key. */
export async function checkTable(patient: Patient): Promise<Finding> {
  const { deployment, rpc, role } = patient;
  const maxTableAgeSeconds = await patient.maxTableAgeSeconds();
  const key = role === 'operator' ? (await patient.unlock()).publicKey : null;
  const { open, coming, openRound, block } = await readTableSeat({ deployment, key }, { rpc });
  if (open === null) {
    return failed(
      `settlement has recorded no operator table for round ${openRound}`,
      'have one carried to the market chain, then anyone calls recordTable (an aggregator does by itself)',
    );
  }
  const ageSeconds = block.timestampSeconds - open.timestampSeconds;
  const table = `table of ${open.operatorCount} operators, ${ageSeconds} s old`;
  if (ageSeconds > maxTableAgeSeconds) {
    return failed(
      `${table}; settlement takes none over ${maxTableAgeSeconds} s`,
      'have a newer table carried to the market chain, and see that an aggregator with funds runs',
    );
  }
  if (key !== null && open.weight === null) {
    return coming?.weight == null
      ? failed(
          `${table}; this key is not in it`,
          'see matchmaker operator status; a new operator counts from the next table on',
        )
      : warning(`${table}; this key counts from round ${coming.fromRound} on`, 'wait for that round');
  }
  if (ageSeconds > LATE_AFTER * maxTableAgeSeconds) {
    return warning(
      `${table}, of at most ${maxTableAgeSeconds} s`,
      'a newer table should be on its way: ask who carries it',
    );
  }
  return ok(key === null ? table : `${table}, with this key`);
}
