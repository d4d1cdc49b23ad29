import { tableAge } from '../chain/sync/tableAge.js';
import { readTableSeat } from '../chain/sync/tableSeat.js';
import { failed, ok, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** A table is late while less of its time is left, basis points. */
const LATE_BPS = 2_000;

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
  const { timestampSeconds: tableTimestamp, verifierMaxAgeSeconds } = open;
  const { status, ageSeconds, maxAgeSeconds } = tableAge(
    { tableTimestamp, maxTableAgeSeconds, verifierMaxAgeSeconds },
    block.timestampSeconds,
    LATE_BPS,
  );
  const table = `table of ${open.operatorCount} operators, ${ageSeconds} s old`;
  if (status === 'stale') {
    return failed(
      `${table}; settlement takes none over ${maxAgeSeconds} s`,
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
  if (status === 'ageing') {
    return warning(`${table}, of at most ${maxAgeSeconds} s`, 'a newer table should be on its way: ask who carries it');
  }
  return ok(key === null ? table : `${table}, with this key`);
}
