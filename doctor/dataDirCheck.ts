import { accessSync, closeSync, constants, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

import { inspectGuard } from '../operator/inspectGuard.js';
import { messageOf } from '../service/thrown.js';
import { failed, ok, skipped, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** What must survive a restart can be written and flushed. */
export async function checkDataDir({ dataDir }: Patient): Promise<Finding> {
  try {
    if (!existsSync(dataDir)) {
      let parent = path.dirname(path.resolve(dataDir));
      while (!existsSync(parent)) parent = path.dirname(parent);
      accessSync(parent, constants.W_OK);
      return ok(`${dataDir} will be made at the first start`);
    }
    const file = path.join(dataDir, `.doctor-${process.pid}`);
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      writeSync(descriptor, 'written to see that it can be');
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
      rmSync(file, { force: true });
    }
    return ok(`${dataDir} can be written and flushed`);
  } catch (error) {
    return failed(messageOf(error), 'give this user a local folder that it may write to, with space left');
  }
}

/** The double-sign guard's file is whole. */
export async function checkGuard(patient: Patient): Promise<Finding> {
  const { role, deployment, dataDir } = patient;
  if (role === 'aggregator') return skipped('an aggregator signs no matches');
  const { id } = await patient.unlock();
  const { file, exists, records, newestRound, problem } = inspectGuard(dataDir, {
    chainId: deployment.chainId,
    settlement: deployment.contracts.matchSettlement,
    keyAddress: id,
  });
  if (problem !== null) {
    return failed(
      `${file}: ${problem}`,
      'restore it from an export (matchmaker operator guard import), or sign with a new key; never delete it for a key that has signed',
    );
  }
  if (!exists) {
    return warning(
      'this key has no guard here yet',
      'fine for a new key; one that has signed elsewhere needs its guard first (matchmaker operator guard import)',
    );
  }
  return ok(`${records} records, the newest of round ${newestRound}`);
}
