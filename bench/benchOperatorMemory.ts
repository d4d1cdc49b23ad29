import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deployDevnet, publishOperatorTable, registerOperators } from '../devnet/deployDevnet.js';
import { startDevnetChain } from '../devnet/devnetChain.js';
import { freePort } from '../service/freePort.js';
import { generateMarket } from '../devnet/generateMarket.js';
import { operatorStakes } from '../devnet/operatorStakes.js';
import { populateMarket } from '../devnet/populateMarket.js';
import { startOperator, untilReady, writeDeployment } from '../devnet/runProcesses.js';
import type { Figure } from './figure.js';

const PROVIDERS = 1_667;
const SETTLE_MS = 10_000;
const KIB_PER_MIB = 1_024;

/** Resident memory of an operator process ten seconds after it is ready, on a chain with 10,000 machines. */
export async function benchOperatorMemory(cliFile: string): Promise<Figure[]> {
  const runDir = mkdtempSync(path.join(tmpdir(), 'matchmaker-bench-'));
  const plan = generateMarket({ providers: PROVIDERS, orders: 0, seed: 5 });
  const chain = await startDevnetChain({ mining: 0.25, accounts: 64 + PROVIDERS });
  try {
    const market = await deployDevnet(chain);
    const signingKeys = operatorStakes(4).map(() => chain.nextAccount().privateKey);
    await registerOperators(chain, market, operatorStakes(4), signingKeys);
    await populateMarket(plan, chain, market);
    await publishOperatorTable(chain, market);
    const operator = await startOperator({
      cliFile,
      runDir,
      rpcUrl: chain.url,
      deploymentFile: writeDeployment(runDir, market.deployment),
      name: 'operator-1',
      port: await freePort(),
      privateKey: signingKeys[0] as `0x${string}`,
      // Nobody listens there; without orders nothing is signed.
      aggregators: [`http://127.0.0.1:${await freePort()}`],
    });
    try {
      await untilReady([operator]);
      await sleep(SETTLE_MS);
      const rssKib = Number(
        execFileSync('ps', ['-o', 'rss=', '-p', String(operator.process.pid)], { encoding: 'utf8' }),
      );
      return [
        {
          name: 'operator RSS, 10 s after readiness',
          value: rssKib / KIB_PER_MIB,
          unit: 'MiB',
          setting: `${plan.machines.length} machines of ${PROVIDERS} providers, a process of its own`,
        },
      ];
    } finally {
      await operator.process.stop();
    }
  } finally {
    await chain.stop();
    rmSync(runDir, { recursive: true, force: true });
  }
}
