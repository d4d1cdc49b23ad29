import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import type { Deployment } from '../chain/deployment.js';
import { MatchmakerError } from '../engine/error.js';
import type { Curve } from '../protocol/operatorTable.js';
import { writeBn254Keystore } from '../service/bn254Keystore.js';
import { writeKeystore } from '../service/keystore.js';
import { javascriptBn254 } from '../service/signing/bn254Javascript.js';
import { SETTLEMENT_PRIORITY_FEE } from './devnetChain.js';
import { spawnTied, type TiedProcess } from './tiedProcess.js';

/** One of the devnet's services did not become ready, or ended by itself. */
export class ServiceFailedError extends MatchmakerError<'SERVICE_FAILED'> {
  constructor(name: string, problem: string, logFile: string) {
    const tail = logTail(logFile, LOG_TAIL_LINES).join('\n');
    super('SERVICE_FAILED', `${name} ${problem}; its log is ${logFile}${tail === '' ? '' : `, and ends\n${tail}`}`, {
      metadata: { name, logFile },
    });
  }
}

type ServiceKind = 'operator' | 'aggregator' | 'watcher';

/** A running operator, aggregator or watcher of a devnet. */
export interface ServiceProcess {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly url: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly process: TiedProcess;
}

export interface ServiceOptions {
  /** The command line's entry file, run with this Node. */
  readonly cliFile: string;
  /** Folder that keys, configs, data and logs of all services are put into. */
  readonly runDir: string;
  readonly rpcUrl: string;
  /** Of the stake chain, where it is another. */
  readonly stakeRpcUrl?: string;
  readonly deploymentFile: string;
}

/** Scrypt cost of the devnet's keystores: their keys are public anyway. */
const DEVNET_SCRYPT_N = 4_096;
const PASSWORD_ENV = 'MATCHMAKER_DEVNET_PASSWORD';
const COMMANDS: Readonly<Record<ServiceKind, readonly string[]>> = {
  operator: ['operator', 'start'],
  aggregator: ['aggregator', 'start'],
  watcher: ['watch'],
};
const READY_TIMEOUT_MS = 60_000;
/** Of a service's log, shown with its failure: the file itself may be gone with the scenario's folder. */
const LOG_TAIL_LINES = 12;

/** Writes the deployment file of a run and returns its path. */
export function writeDeployment(runDir: string, deployment: Deployment): string {
  const file = path.join(runDir, 'deployment.json');
  writeFileSync(file, `${JSON.stringify(deployment, undefined, 2)}\n`);
  return file;
}

/** Writes a key of a curve as `<name>.json` (keystore) and `<name>.password` into a folder, and returns the keystore's path. */
export function writeKeyFiles(folder: string, name: string, privateKey: Hex, curve: Curve = 'ecdsa'): string {
  const password = `devnet-${name}`;
  const keystore = path.join(folder, `${name}.json`);
  // Left by an attempt that did not come to its end; the keys of a development node are the same every time.
  if (!existsSync(keystore)) writeKeystoreOf(curve, keystore, privateKey, password);
  writeFileSync(path.join(folder, `${name}.password`), `${password}\n`, { mode: 0o600 });
  return keystore;
}

/** Starts an operator process on a loopback port; it is not ready yet. Throws the system's error when it can not be started. */
export function startOperator(
  options: ServiceOptions & {
    readonly name: string;
    readonly port: number;
    /** Of the signing key; default ECDSA. */
    readonly curve?: Curve;
    readonly privateKey: Hex;
    readonly aggregators: readonly string[];
    /** Variables of the process on top of this one's. */
    readonly env?: NodeJS.ProcessEnv;
  },
): Promise<ServiceProcess> {
  return startService('operator', options, {
    aggregators: options.aggregators,
    // The devnet's node answers proofs in time linear in an account's slots.
    factsCheck: 'storage',
  });
}

/** Starts an aggregator process on a loopback port; it is not ready yet. Throws the system's error when it can not be started. */
export function startAggregator(
  options: ServiceOptions & {
    readonly name: string;
    readonly port: number;
    readonly privateKey: Hex;
    readonly redisUrl: string;
  },
): Promise<ServiceProcess> {
  return startService('aggregator', options, {
    redisUrl: options.redisUrl,
    profile: 'devnet',
    fees: { priorityFeeWei: SETTLEMENT_PRIORITY_FEE.toString(), spendCapWei: (10n ** 21n).toString() },
  });
}

/** Starts a watcher process on a loopback port that challenges what it finds; it is not ready yet. Throws the system's error when it can not be started. */
export function startWatcher(
  options: ServiceOptions & { readonly name: string; readonly port: number; readonly privateKey: Hex },
): Promise<ServiceProcess> {
  return startService('watcher', options, {
    factsCheck: 'storage',
    fees: { spendCapWei: (10n ** 21n).toString() },
  });
}

/** Resolves when every service says that it is ready. Throws ServiceFailedError. */
export async function untilReady(services: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(
    services.map(async ({ name, url, process, logFile }) => {
      const deadline = Date.now() + READY_TIMEOUT_MS;
      for (;;) {
        if (!process.isRunning()) {
          const { code, signal } = await process.exited;
          throw new ServiceFailedError(name, `ended with ${signal ?? `code ${code}`} before it was ready`, logFile);
        }
        const missing = await missingFor(url);
        if (missing === undefined) return;
        if (Date.now() > deadline) {
          throw new ServiceFailedError(name, `is not ready after a minute (${missing})`, logFile);
        }
        await sleep(50);
      }
    }),
  );
}

/** The last lines of a log file that have `part` in them, oldest first; empty when there is none. */
export function logTail(file: string, lines: number, part = ''): string[] {
  try {
    const all = readFileSync(file, 'utf8').trimEnd().split('\n');
    return all.filter((line) => line.includes(part)).slice(-lines);
  } catch {
    return [];
  }
}

/** What a service says that it lacks to be ready; undefined when it is. */
async function missingFor(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    const answer = await response.text();
    return response.ok ? undefined : answer;
  } catch (error) {
    return String(error);
  }
}

async function startService(
  kind: ServiceKind,
  options: ServiceOptions & {
    readonly name: string;
    readonly port: number;
    readonly curve?: Curve;
    readonly privateKey: Hex;
    readonly env?: NodeJS.ProcessEnv;
  },
  settings: Record<string, unknown>,
): Promise<ServiceProcess> {
  const { name, port, runDir } = options;
  const folder = path.join(runDir, name);
  mkdirSync(folder, { recursive: true });
  const keystore = path.join(folder, 'keystore.json');
  // There already when a service is started again.
  if (!existsSync(keystore)) writeKeystoreOf(options.curve ?? 'ecdsa', keystore, options.privateKey, name);
  const configFile = path.join(folder, 'config.json');
  const logFile = path.join(folder, `${kind}.log`);
  const config = {
    deployment: path.resolve(options.deploymentFile),
    rpcUrl: options.rpcUrl,
    ...(options.stakeRpcUrl === undefined ? {} : { stakeRpcUrl: options.stakeRpcUrl }),
    keystore: { path: path.resolve(keystore), passwordEnv: PASSWORD_ENV },
    dataDir: path.resolve(folder, 'data'),
    listen: { host: '127.0.0.1', port },
    ...settings,
  };
  writeFileSync(configFile, `${JSON.stringify(config, undefined, 2)}\n`);
  const child = await spawnTied(process.execPath, [options.cliFile, ...COMMANDS[kind], '--config', configFile], {
    env: { ...process.env, ...options.env, [PASSWORD_ENV]: name },
    logFile,
  });
  return { kind, name, url: `http://127.0.0.1:${port}`, configFile, logFile, process: child };
}

function writeKeystoreOf(curve: Curve, file: string, privateKey: Hex, password: string): void {
  if (curve === 'ecdsa') writeKeystore(file, privateKey, password, DEVNET_SCRYPT_N);
  else writeBn254Keystore(file, privateKey, password, { bn254: javascriptBn254() }, { scryptN: DEVNET_SCRYPT_N });
}
