import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MatchmakerError } from '../engine/error.js';
import { DEV_MNEMONIC } from './devAccounts.js';
import { freePort } from '../service/freePort.js';
import { spawnTied, type TiedProcess } from './tiedProcess.js';

/** The chain of a devnet did not come up. */
export class AnvilStartError extends MatchmakerError<'ANVIL_START'> {
  constructor(message: string, metadata: Record<string, unknown> = {}) {
    super('ANVIL_START', message, { metadata });
  }
}

export interface AnvilOptions {
  /** A number mines a block every so many seconds; 'instant' one for each transaction; 'on-demand' only when asked by `evm_mine`. */
  readonly mining?: number | 'instant' | 'on-demand';
  readonly chainId?: number;
  /** How many accounts of the mnemonic start with a balance. */
  readonly accounts?: number;
  /** Starting balance of each account, whole ether. */
  readonly balanceEther?: number;
  readonly mnemonic?: string;
  /** Gas limit of a block. */
  readonly gasLimit?: number;
  /** Loopback port; a free one when absent. */
  readonly port?: number;
  /** File for the node's log, one line for each call; quiet when absent. */
  readonly logFile?: string;
  /** Further command-line arguments of anvil. */
  readonly extraArgs?: readonly string[];
}

/** A running devnet chain. */
export interface Anvil {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly chainId: number;
  /** Where the chain keeps the states of old blocks; gone when it is. */
  readonly stateFolder: string;
  readonly process: TiedProcess;
  stop(): Promise<void>;
}

export const ANVIL_DEFAULTS = {
  chainId: 31_337,
  accounts: 10,
  balanceEther: 1_000_000,
  gasLimit: 36_000_000,
} as const;

const START_TIMEOUT_MS = 30_000;
const START_ATTEMPTS = 3;

/**
 * Path of the anvil binary that npm installed for this platform.
 * Throws AnvilStartError when the platform has none or it is not installed.
 */
export function anvilBinary(platform: string = process.platform, arch: string = process.arch): string {
  const cpu = arch === 'x64' ? 'amd64' : arch;
  const packageName = `@foundry-rs/anvil-${platform}-${cpu}`;
  const file = platform === 'win32' ? 'anvil.exe' : 'anvil';
  try {
    return createRequire(import.meta.url).resolve(`${packageName}/bin/${file}`);
  } catch (cause) {
    throw new AnvilStartError(`no anvil for ${platform}-${arch}: ${packageName} is not installed (run npm ci)`, {
      cause: String(cause),
    });
  }
}

/**
 * Starts an anvil chain on a loopback port and resolves once it answers `eth_chainId`.
 * The chain ends with this process at the latest. Throws AnvilStartError when it does not come up.
 */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const binary = anvilBinary();
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    // States of old blocks, some 150 MB for a thousand of them, which anvil does not remove by itself.
    const stateFolder = await mkdtemp(path.join(tmpdir(), 'matchmaker-anvil-'));
    const child = await spawnTied(binary, anvilArgs(options, port, stateFolder), {
      scratchFolder: stateFolder,
      ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
    });
    const url = `http://127.0.0.1:${port}`;
    const chainId = options.chainId ?? ANVIL_DEFAULTS.chainId;
    if (await answers(url, chainId, child)) {
      return { url, port, pid: child.pid, chainId, stateFolder, process: child, stop: () => child.stop() };
    }
    await child.stop(0);
    // Between our closing the probe socket and anvil's opening its own, somebody else may have taken the port.
    if (options.port !== undefined || attempt === START_ATTEMPTS) {
      const advice =
        options.port === undefined ? '' : `; is port ${port} taken? Choose another, or stop who listens there`;
      throw new AnvilStartError(`anvil did not answer on ${url}${advice}`, { port, attempt });
    }
  }
}

function anvilArgs(options: AnvilOptions, port: number, stateFolder: string): string[] {
  const mining = options.mining ?? 'instant';
  // prettier-ignore
  return [
    '--host', '127.0.0.1',
    '--port', String(port),
    '--chain-id', String(options.chainId ?? ANVIL_DEFAULTS.chainId),
    '--accounts', String(options.accounts ?? ANVIL_DEFAULTS.accounts),
    '--balance', String(options.balanceEther ?? ANVIL_DEFAULTS.balanceEther),
    '--mnemonic', options.mnemonic ?? DEV_MNEMONIC,
    '--gas-limit', String(options.gasLimit ?? ANVIL_DEFAULTS.gasLimit),
    '--cache-path', stateFolder,
    ...(typeof mining === 'number' ? ['--block-time', String(mining)] : []),
    ...(mining === 'on-demand' ? ['--no-mining'] : []),
    ...(options.logFile === undefined ? ['--quiet'] : []),
    ...(options.extraArgs ?? []),
  ];
}

async function answers(url: string, chainId: number, child: TiedProcess): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.isRunning() && Date.now() < deadline) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
        signal: AbortSignal.timeout(2_000),
      });
      const { result } = (await response.json()) as { result?: string };
      if (Number(result) === chainId && child.isRunning()) return true;
    } catch {
      // Not listening yet.
    }
    await sleep(20);
  }
  return false;
}
