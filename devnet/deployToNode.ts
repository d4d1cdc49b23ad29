import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDeployment } from '../chain/deployment.js';
import { codeAt } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import { deployDevnet, operatorName, publishOperatorTable, registerOperators } from './deployDevnet.js';
import { connectDevnetChain, type DevnetChain } from './devnetChain.js';
import { generateMarket } from './generateMarket.js';
import { operatorStakes } from './operatorStakes.js';
import { populateMarket } from './populateMarket.js';
import { writeDeployment, writeKeyFiles } from './runProcesses.js';

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
    writeKeyFiles(outDir, 'aggregator', chain.nextAccount().privateKey);
    for (const [index, privateKey] of signingKeys.entries()) writeKeyFiles(outDir, operatorName(index), privateKey);
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
