import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Hex } from 'viem';
import { parseDeployment } from '../chain/deployment.js';
import { codeAt } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import { writeKeystore } from '../service/keystore.js';
import { deployDevnet, operatorName, publishOperatorTable, registerOperators } from './deployDevnet.js';
import { connectDevnetChain, type DevnetChain } from './devnetChain.js';
import { generateMarket } from './generateMarket.js';
import { operatorStakes } from './operatorStakes.js';
import { populateMarket } from './populateMarket.js';
import { DEVNET_SCRYPT_N, writeDeployment } from './runProcesses.js';

export interface NodeDeployment {
  readonly rpcUrl: string;
  /** Folder that deployment.json and, for each process, <name>.json (keystore) and <name>.password are put into. */
  readonly outDir: string;
  readonly operators: number;
  readonly providers: number;
  readonly seed: number;
}

/** The folder belongs to a market of another chain, or of this one before it was started anew. */
export class OtherDeploymentError extends MatchmakerError<'OTHER_DEPLOYMENT'> {
  constructor(file: string, rpcUrl: string) {
    super(
      'OTHER_DEPLOYMENT',
      `${file} names contracts that the chain at ${rpcUrl} does not have: empty the folder to deploy anew`,
      {
        metadata: { file },
      },
    );
  }
}

/**
 * Puts a whole market onto a development node that runs elsewhere (its mnemonic's accounts must be funded) and writes what the processes
 * need to join. Returns false when that was done before. Throws OtherDeploymentError, OperatorCountError and the errors of the actions.
 */
export async function deployToNode(options: NodeDeployment): Promise<boolean> {
  const { rpcUrl, outDir, seed } = options;
  const stakes = operatorStakes(options.operators);
  mkdirSync(outDir, { recursive: true });
  const chain = await connectDevnetChain({ url: rpcUrl });
  try {
    if (await isDeployed(chain, path.join(outDir, 'deployment.json'))) return false;
    const market = await deployDevnet(chain);
    const signingKeys = stakes.map(() => chain.nextAccount().privateKey);
    await Promise.all([
      registerOperators(chain, market, stakes, signingKeys),
      populateMarket(generateMarket({ providers: options.providers, orders: 0, seed }), chain, market),
    ]);
    await publishOperatorTable(chain, market);
    writeKey(outDir, 'aggregator', chain.nextAccount().privateKey);
    for (const [index, privateKey] of signingKeys.entries()) writeKey(outDir, operatorName(index), privateKey);
    // Last, because it is what says that all the rest is there.
    writeDeployment(outDir, market.deployment);
    return true;
  } finally {
    await chain.stop();
  }
}

async function isDeployed(chain: DevnetChain, file: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  const { contracts } = parseDeployment(JSON.parse(readFileSync(file, 'utf8')));
  if ((await chain.rpc.request(codeAt(contracts.matchSettlement, 'latest'))) === '0x') {
    throw new OtherDeploymentError(file, chain.url);
  }
  return true;
}

function writeKey(outDir: string, name: string, privateKey: Hex): void {
  const password = `devnet-${name}`;
  const keystore = path.join(outDir, `${name}.json`);
  // Left by an attempt that did not come to its end; the keys of a development node are the same every time.
  if (!existsSync(keystore)) writeKeystore(keystore, privateKey, password, DEVNET_SCRYPT_N);
  writeFileSync(path.join(outDir, `${name}.password`), `${password}\n`, { mode: 0o600 });
}
