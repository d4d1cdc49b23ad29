import { linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';

import { MatchmakerError } from '../engine/error.js';
import { errnoCode } from '../service/thrown.js';

/** Another process uses the directory. */
export class DirectoryLockedError extends MatchmakerError<'DIRECTORY_LOCKED'> {
  constructor(file: string, holder: string) {
    super('DIRECTORY_LOCKED', `${file} is held by ${holder}: one key must never be used by two processes`, {
      metadata: { file, holder },
    });
  }
}

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Start time of the process in the kernel's ticks, where the system tells it: makes a reused pid visible. */
  readonly startedAt: string | null;
}

const heldHere = new Set<string>();

/**
 * Takes a directory for this process alone and returns how to give it back. A lock left by a dead process of the same
 * host is taken over; one of another host never is. Throws DirectoryLockedError.
 */
export function lockDirectory(directory: string): () => void {
  const file = path.resolve(directory, 'lock');
  const self: Holder = { host: hostname(), pid: process.pid, startedAt: startTicks(process.pid) };
  if (heldHere.has(file)) throw new DirectoryLockedError(file, `this process (pid ${self.pid})`);
  // Written in full beside it and then linked: a lock never exists without its holder's name in it.
  const draft = `${file}.${self.pid}`;
  writeFileSync(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
    takeOver(file, self, draft);
  } finally {
    rmSync(draft, { force: true });
  }
  heldHere.add(file);
  return () => {
    if (!heldHere.delete(file)) return;
    unlinkSync(file);
  };
}

/** Puts `draft` in the place of a dead holder's lock. A directory beside it makes the check and the replacement one step among contenders. */
function takeOver(file: string, self: Holder, draft: string): void {
  const gate = `${file}.takeover`;
  try {
    mkdirSync(gate);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
    throw new DirectoryLockedError(file, `a process that is taking it over (remove ${gate} if there is none)`);
  }
  try {
    const holder = readHolder(file);
    if (holder === undefined)
      throw new DirectoryLockedError(file, `an unknown process (remove ${file} if there is none)`);
    if (isAlive(holder, self)) {
      throw new DirectoryLockedError(
        file,
        holder.host === self.host
          ? `pid ${holder.pid}`
          : `pid ${holder.pid} of host ${holder.host} (remove ${file} only if that process is gone for good)`,
      );
    }
    renameSync(draft, file);
  } finally {
    rmdirSync(gate);
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { host, pid, startedAt } = value as Partial<Record<keyof Holder, unknown>>;
    if (typeof host !== 'string' || typeof pid !== 'number') return undefined;
    return { host, pid, startedAt: typeof startedAt === 'string' ? startedAt : null };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder, self: Holder): boolean {
  if (holder.host !== self.host) return true;
  // The same pid is this very process after a restart in a container, since it holds no lock on the file yet.
  if (holder.pid === self.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return errnoCode(error) !== 'ESRCH';
  }
  const ticks = startTicks(holder.pid);
  return ticks === null || holder.startedAt === null || ticks === holder.startedAt;
}

function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces, so fields are counted after its closing bracket; start time is the 22nd of all.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
