import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { rm } from 'node:fs/promises';

/** How a process ended: its exit code, or the signal that ended it. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of a devnet that cannot outlive the one that started it. */
export interface TiedProcess {
  readonly pid: number;
  /** Resolves when the process has ended, whoever ended it. */
  readonly exited: Promise<ProcessExit>;
  /** True until the process has ended. */
  isRunning(): boolean;
  /** Sends a signal to the process alone, without waiting. */
  kill(signal: NodeJS.Signals): void;
  /** Asks the process to end, kills it after `graceMs`, and resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface TiedProcessOptions {
  /** Environment of the child; that of this process when absent. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** File that standard output and standard error are appended to; both are discarded when absent. */
  readonly logFile?: string;
  /** Folder for what the process needs only while it runs: removed once it is gone, whoever ended it, this process's own end included. */
  readonly scratchFolder?: string;
}

/**
 * Starts a process in its own group, out of reach of the terminal's Ctrl-C, and ties it to this process:
 * when this process ends in any way, SIGKILL included, the child's whole group is killed.
 * Rejects with the system's error when the program cannot be started.
 */
export async function spawnTied(
  program: string,
  args: readonly string[],
  options: TiedProcessOptions = {},
): Promise<TiedProcess> {
  const log = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
  const child = spawn(program, [...args], {
    detached: true,
    stdio: ['ignore', log, log],
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (typeof log === 'number') closeSync(log);
  const { scratchFolder } = options;
  const clear = async (): Promise<void> => {
    if (scratchFolder !== undefined) await rm(scratchFolder, { recursive: true, force: true });
  };
  try {
    await once(child, 'spawn');
  } catch (error) {
    await clear();
    throw error;
  }
  const pid = child.pid as number;
  const watchdog = watch(pid, scratchFolder);

  let running = child.exitCode === null && child.signalCode === null;
  const exited = new Promise<ProcessExit>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      running = false;
      // The pid may be given to a stranger from now on, so the watchdog must go before it could fire.
      watchdog.kill('SIGKILL');
      // A folder that cannot be removed is no reason to keep those waiting who ended the process.
      void clear()
        .catch(() => undefined)
        .then(() => resolve({ code, signal }));
    };
    if (running) child.once('exit', finish);
    else finish(child.exitCode, child.signalCode);
  });

  return {
    pid,
    exited,
    isRunning: () => running,
    kill: (signal) => void child.kill(signal),
    async stop(graceMs = 5_000) {
      if (!running) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** A shell that waits on a pipe only this process holds open: end of file means that this process is gone. */
function watch(pid: number, scratchFolder: string | undefined): ChildProcess {
  // A killed process may still write for a moment.
  const clear = scratchFolder === undefined ? '' : '; sleep 1; rm -rf -- "$1"';
  const watchdog = spawn('/bin/sh', ['-c', `read -r _; kill -s KILL -- -${pid}${clear}`, 'sh', scratchFolder ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  return watchdog;
}
