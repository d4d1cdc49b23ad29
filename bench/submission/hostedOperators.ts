import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ServiceProcess } from '../../devnet/runProcesses.js';
import { untilReady, writeKeyFiles } from '../../devnet/runProcesses.js';
import { freePort } from '../../service/freePort.js';
import { spawnTied, type TiedProcess } from '../../devnet/tiedProcess.js';
import { operatorFolder, type BenchMarket } from '../benchMarket.js';

/** Stopping closes as many guards and servers as a process has operators. */
const GRACE_MS = 20_000;

/** Operators that share processes. */
export interface HostedOperators {
  readonly processes: readonly TiedProcess[];
  stop(): Promise<void>;
}

/**
 * Starts all operators of a market in `processes` processes, each with a key, guard, chain follower and connections of its own, and
 * resolves when they are ready. Throws ServiceFailedError.
 */
export async function startHostedOperators(
  { operators, common }: BenchMarket,
  options: { readonly hostFile: string; readonly processes: number },
): Promise<HostedOperators> {
  const { runDir, rpcUrl, aggregators } = common;
  const seats = [];
  for (const operator of operators) {
    const folder = operatorFolder(runDir, operator);
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const configFile = path.join(folder, 'config.json');
    const keystore = writeKeyFiles(folder, 'key', operator.signingKey);
    const config = {
      deployment: path.resolve(common.deploymentFile),
      rpcUrl,
      aggregators,
      keystore: { path: path.resolve(keystore), passwordFile: path.resolve(folder, 'key.password') },
      dataDir: path.resolve(folder, 'data'),
      listen: { host: '127.0.0.1', port },
      factsCheck: 'storage',
    };
    writeFileSync(configFile, `${JSON.stringify(config, undefined, 2)}\n`);
    seats.push({ name: operator.name, url: `http://127.0.0.1:${port}`, configFile });
  }
  const processes: TiedProcess[] = [];
  const services: ServiceProcess[] = [];
  try {
    for (let host = 0; host < options.processes; host++) {
      const hosted = seats.filter((_, index) => index % options.processes === host);
      const logFile = path.join(runDir, `operators-${host + 1}.log`);
      const child = await spawnTied(
        process.execPath,
        [options.hostFile, ...hosted.map(({ configFile }) => configFile)],
        { logFile },
      );
      processes.push(child);
      services.push(...hosted.map((seat) => ({ ...seat, kind: 'operator' as const, logFile, process: child })));
    }
    await untilReady(services);
  } catch (error) {
    await Promise.all(processes.map((child) => child.stop()));
    throw error;
  }
  return { processes, stop: async () => void (await Promise.all(processes.map((child) => child.stop(GRACE_MS)))) };
}
