import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { decodeGuardRecord, GUARD_RECORD_BYTES, type GuardScope } from './guardRecord.js';
import { guardFolder } from './signGuard.js';

/** What a guard's file holds, as found without touching it. */
export interface GuardInspection {
  readonly file: string;
  /** False before the first start with this key and folder. */
  readonly exists: boolean;
  readonly records: number;
  /** Newest round that was signed; 0 for none. */
  readonly newestRound: number;
  /** What a node would refuse to start with; null for a healthy file. */
  readonly problem: string | null;
}

/** Reads a guard's file beside a node that may be running; only an incomplete record at the very end is no problem. */
export function inspectGuard(dataDir: string, scope: GuardScope): GuardInspection {
  const file = path.join(guardFolder(dataDir, scope), 'guard.wal');
  if (!existsSync(file)) return { file, exists: false, records: 0, newestRound: 0, problem: null };
  const bytes = readFileSync(file);
  const whole = bytes.length - (bytes.length % GUARD_RECORD_BYTES);
  const signed = new Map<number, string>();
  let records = 0;
  const found = (problem: string | null): GuardInspection => ({
    file,
    exists: true,
    records,
    newestRound: Math.max(0, ...signed.keys()),
    problem,
  });
  for (let at = 0; at < whole; at += GUARD_RECORD_BYTES) {
    const slice = bytes.subarray(at, at + GUARD_RECORD_BYTES);
    const decoded = decodeGuardRecord(slice);
    if (decoded === undefined) {
      const isCutOff = at === whole - GUARD_RECORD_BYTES && slice.every((byte) => byte === 0);
      return found(isCutOff ? null : `it is damaged at byte ${at}`);
    }
    const { record } = decoded;
    records++;
    if (record.kind === 'watermark') continue;
    const known = signed.get(record.round);
    if (known !== undefined && known !== record.messageHash)
      return found(`it holds two batches of round ${record.round}`);
    signed.set(record.round, record.messageHash);
  }
  return found(null);
}
