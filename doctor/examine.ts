import { messageOf } from '../service/thrown.js';
import { checkAggregators } from './aggregatorsCheck.js';
import { checkAllocation } from './allocationCheck.js';
import { checkBalance } from './balanceCheck.js';
import { checkClock } from './clockCheck.js';
import { checkContracts } from './contractsCheck.js';
import { checkDataDir, checkGuard } from './dataDirCheck.js';
import { failed, type Finding } from './finding.js';
import { checkKeystore, checkRegisteredKey } from './keyCheck.js';
import { checkMembership } from './membershipCheck.js';
import type { Patient } from './patient.js';
import { checkProofs } from './proofCheck.js';
import { checkRedis } from './redisCheck.js';
import { checkMarketRpc, checkStakeRpc } from './rpcChecks.js';
import { checkSlashingWindow } from './slashingWindowCheck.js';
import { checkSocket } from './socketCheck.js';
import { checkTable } from './tableCheck.js';

/** One line of the doctor. */
export type Diagnosis = Finding & { readonly check: string };

/** Every check by its name, in the order in which one rests on another. */
const CHECKS: readonly (readonly [string, (patient: Patient) => Promise<Finding>])[] = [
  ['market rpc', checkMarketRpc],
  ['stake rpc', checkStakeRpc],
  ['proofs', checkProofs],
  ['clock', checkClock],
  ['contracts', checkContracts],
  ['keystore', checkKeystore],
  ['signing key', checkRegisteredKey],
  ['membership', checkMembership],
  ['allocation', checkAllocation],
  ['operator table', checkTable],
  ['socket', checkSocket],
  ['slashing window', checkSlashingWindow],
  ['aggregators', checkAggregators],
  ['data folder', checkDataDir],
  ['guard', checkGuard],
  ['redis', checkRedis],
  ['balance', checkBalance],
];

/** Makes every check, each whatever the others find, and tells each as soon as it is done. Never rejects. */
export async function examine(
  patient: Patient,
  dependencies: { readonly onDiagnosis: (diagnosis: Diagnosis) => void },
): Promise<readonly Diagnosis[]> {
  const diagnoses: Diagnosis[] = [];
  for (const [check, find] of CHECKS) {
    const diagnosis = { check, ...(await find(patient).catch(couldNotCheck)) };
    diagnoses.push(diagnosis);
    dependencies.onDiagnosis(diagnosis);
  }
  return diagnoses;
}

function couldNotCheck(error: unknown): Finding {
  return failed(messageOf(error), 'repair what stands above this line first; this could not be checked');
}
