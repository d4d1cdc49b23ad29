import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { iRewardsCoordinatorAbi } from '../chain/contracts/generated/IRewardsCoordinator.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import type { DevnetMarket } from './deployDevnet.js';
import type { DevnetChain } from './devnetChain.js';
import { fundAccount } from './fundAccount.js';
import { writeKeyFiles, type ServiceProcess } from './runProcesses.js';

export interface Invitation {
  readonly chain: DevnetChain;
  readonly market: DevnetMarket;
  /** Folder that the keys are written into, beside the deployment file. */
  readonly runDir: string;
  readonly services: readonly ServiceProcess[];
}

const NEWCOMERS = ['tenant', 'provider', 'operator', 'restaker'];

/**
 * Gives newcomers to a running devnet accounts with gas and tokens, writes their keys and those of the market's roles into the run's
 * folder, and resolves with the lines that tell people how to take part. Throws the errors of `fundAccount` and `readEigen`.
 */
export async function inviteNewcomers({ chain, market, runDir, services }: Invitation): Promise<string[]> {
  const { deployment, stakeChain } = market;
  const stakeRpcUrl = stakeChain === chain ? undefined : stakeChain.url;
  const newcomers = NEWCOMERS.map((name) => ({ name, ...chain.nextAccount() }));
  for (const account of [...newcomers.map(({ account: { address } }) => address), deployment.operatorSet.avs]) {
    await fundAccount({ deployment, rpcUrl: chain.url, stakeRpcUrl, account });
  }
  const keys = [...newcomers, ...(await rolesOf(chain, market))];
  const keystores = keys.map(({ name, privateKey }) => {
    // Another run may have left a key of the same name in a folder that was named.
    rmSync(path.join(runDir, `${name}.json`), { force: true });
    const file = writeKeyFiles(runDir, name, privateKey);
    return { name, address: privateKeyToAccount(privateKey).address, file };
  });
  return [
    '',
    'everything is left running; Ctrl-C ends it',
    `  chain        ${chain.url} (chain id ${chain.chainId})`,
    ...(stakeRpcUrl === undefined ? [] : [`  stake chain  ${stakeRpcUrl} (chain id ${stakeChain.chainId})`]),
    ...services.map(({ name, url, configFile }) => `  ${name.padEnd(12)} ${url}  ${configFile}`),
    ...Object.entries(deployment.contracts).map(([name, address]) => `  ${name.padEnd(20)} ${address}`),
    '',
    'to take part, in another terminal:',
    `  export MATCHMAKER_DEPLOYMENT=${path.join(runDir, 'deployment.json')}`,
    `  export MATCHMAKER_RPC_URL=${chain.url}`,
    ...(stakeRpcUrl === undefined ? [] : [`  export MATCHMAKER_STAKE_RPC_URL=${stakeRpcUrl}`]),
    '  and with each command --keystore <name>.json --password-file <name>.password of',
    ...keystores.map(({ name, address, file }) => `  ${name.padEnd(12)} ${address}  ${file}`),
    '  the providers of the demo serve every order that they win;',
    '  tenant, provider, operator, restaker and avs have gas and a million of each token; for any other account:',
    '  node dist/matchmaker.js devnet fund --account <address>',
    '',
  ];
}

/** Keys of those who run the market and its operator set. */
async function rolesOf(
  chain: DevnetChain,
  market: DevnetMarket,
): Promise<{ readonly name: string; readonly privateKey: Hex }[]> {
  const { deployment, stakeChain } = market;
  const ofChain = (name: string, of: DevnetChain, address: Address) => ({ name, privateKey: of.keyOf(address) });
  const rewardsUpdater = await readEigen(stakeChain.rpc, {
    address: deployment.eigenlayer.rewardsCoordinator,
    abi: iRewardsCoordinatorAbi,
    functionName: 'rewardsUpdater',
    args: [],
  });
  return [
    ofChain('governor', chain, market.governorLane.address),
    ofChain('verifier', chain, market.verifierLane.address),
    ofChain('oracle', chain, market.oracleLane.address),
    ofChain('avs', stakeChain, deployment.operatorSet.avs),
    ofChain('rewards-updater', stakeChain, rewardsUpdater),
    ...market.auditorLanes.map(({ address }, index) => ofChain(`auditor-${index + 1}`, chain, address)),
  ];
}
