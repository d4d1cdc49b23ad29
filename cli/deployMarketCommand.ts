import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';

import { deployMarket, predictMarket } from '../chain/deploy/deployMarket.js';
import type { MarketParameters } from '../chain/deploy/marketParameters.js';
import { parseMarketSetup, type MarketSetup } from '../chain/deploy/marketSetupFile.js';
import type { Network } from '../chain/deploy/networkFile.js';
import { probeMarketSetup } from '../chain/deploy/probeMarketSetup.js';
import { parseMarketDeployment, type MarketDeployment } from '../chain/deployment.js';
import { AccountLane } from '../chain/eigenlayer/accountLane.js';
import {
  parseEigenlayer,
  requireContracts,
  STAKE_CONTRACTS,
  TABLE_CONTRACTS,
  type EigenlayerAddresses,
} from '../chain/eigenlayer/eigenlayerFile.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { balanceOf, latestBlock } from '../chain/rpc/rpcCall.js';
import { formatAmount } from '../sdk/amounts.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { keyOf, type WriteFlags } from './marketFlags.js';
import { fieldLines, printResult } from './marketOutput.js';
import { marketTermsOf, NETWORK_NAMES, networkOf } from './networks.js';
import { InvalidFlagError, MissingFlagError } from './usage.js';

interface DeployMarketFlags extends Omit<WriteFlags, 'deployment'> {
  readonly network: string;
  readonly stakeNetwork?: string;
  readonly eigenlayer?: string;
  readonly setup: string;
  readonly out: string;
  readonly dryRun: boolean;
}

/** Deadline of one request, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
const WEI_DECIMALS = 18;

/** Registers `deploy market`. */
export function registerDeployMarketCommand(deploy: Command, print: (line: string) => void): void {
  deploy
    .command('market')
    .description("deploy a market's contracts for the operator set that `deploy stake` makes afterwards")
    .requiredOption('--network <name>', `${NETWORK_NAMES.join(', ')}, or a JSON file like config/networks`)
    .option('--stake-network <name>', 'network with the operator set (default: the same)')
    .option('--eigenlayer <file>', "JSON object of EigenLayer's addresses, instead of the networks'")
    .requiredOption('--setup <file>', 'JSON file of operator set, quorum, tokens, feeds, roles and treasury')
    .requiredOption('--out <folder>', 'folder for market.json')
    .option('--dry-run', 'check everything and print the addresses, send nothing', false)
    .addOption(new Option('--rpc <url>', 'JSON-RPC endpoint of the market chain').env('MATCHMAKER_RPC_URL'))
    .addOption(
      new Option('--keystore <file>', 'key that deploys and keeps no right, Web3 Secret Storage v3').env(
        'MATCHMAKER_KEYSTORE',
      ),
    )
    .addOption(
      new Option('--password-file <file>', "file with the keystore's password").env('MATCHMAKER_PASSWORD_FILE'),
    )
    .option('--password-env <name>', "environment variable with the keystore's password")
    .option('--private-key-env <name>', 'environment variable with a private key in hex, instead of a keystore')
    .option('--json', 'print one JSON object', false)
    .action((flags: DeployMarketFlags) => run(flags, print));
}

async function run(flags: DeployMarketFlags, print: (line: string) => void): Promise<void> {
  const network = networkOf(flags.network);
  const setup = parseMarketSetup(readJsonFile('setup', flags.setup));
  const eigenlayer = eigenlayerOf(flags, network, setup);
  const file = path.resolve(flags.out, 'market.json');
  if (existsSync(file)) {
    throw new InvalidFlagError('--out', `${file} is the only record of a market`, 'name another folder');
  }
  if (flags.rpc === undefined || flags.rpc === '') {
    throw new MissingFlagError('--rpc', 'MATCHMAKER_RPC_URL', 'the JSON-RPC endpoint of the market chain');
  }
  const { chainId, blockTimeMs } = network;
  const rpc = createRpc({ url: flags.rpc, requestTimeoutMs: REQUEST_TIMEOUT_MS, chainId });
  const lane = new AccountLane(
    {
      chainId,
      privateKey: keyOf(flags),
      pollIntervalMs: Math.min(Math.max(Math.floor(blockTimeMs / 4), 50), 2_000),
    },
    { rpc, nowMs: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds) },
  );
  const { operatorSet, eraZero, ...rest } = setup;
  const [{ timestamp }, balance] = await rpc.batch([latestBlock(), balanceOf(lane.address)]);
  const parameters: MarketParameters = {
    ...marketTermsOf(network),
    ...rest,
    economicSecurity: network.economicSecurity,
    eraZero: eraZero ?? timestamp,
    stakeSide: { operatorSet, eigenlayer },
  };
  await probeMarketSetup(parameters, { rpc });
  if (flags.dryRun) {
    const market = await predictMarket(parameters, { lane });
    printResult(print, flags.json, {
      json: { market: null, ...deployed(market), deployer: lane.address, balanceWei: balance },
      lines: [
        ...marketLines(market),
        `nothing was sent (--dry-run); ${lane.address} has ${formatAmount(balance, WEI_DECIMALS)} of the chain's coin`,
      ],
    });
    return;
  }
  mkdirSync(flags.out, { recursive: true });
  const market = parseMarketDeployment(await deployMarket(parameters, { lane }));
  writeFileSync(file, `${JSON.stringify(market, null, 2)}\n`, { flag: 'wx' });
  printResult(print, flags.json, {
    json: { market: file, deploymentBlock: market.deploymentBlock, ...deployed(market) },
    lines: [...marketLines(market), ...fieldLines([['market file', file]])],
  });
}

/** The table contracts are the market chain's, the others the stake chain's; a receiver stands for EigenLayer where it is not. */
function eigenlayerOf(
  flags: DeployMarketFlags,
  network: Network,
  { quorum: { receiver } }: MarketSetup,
): MarketDeployment['eigenlayer'] {
  const stakeNetwork = flags.stakeNetwork === undefined ? network : networkOf(flags.stakeNetwork, '--stake-network');
  const named = flags.eigenlayer === undefined ? null : parseEigenlayer(readJsonFile('eigenlayer', flags.eigenlayer));
  const inFile =
    flags.eigenlayer === undefined ? null : { name: flags.eigenlayer, note: 'add the addresses to the file' };
  const here: EigenlayerAddresses = named ?? network.eigenlayer;
  const tables =
    receiver === undefined
      ? requireContracts(here, TABLE_CONTRACTS, inFile ?? { name: network.name, note: network.eigenlayerNote })
      : {
          operatorTableUpdater: here.operatorTableUpdater ?? receiver,
          ecdsaCertificateVerifier: here.ecdsaCertificateVerifier ?? receiver,
          bn254CertificateVerifier: here.bn254CertificateVerifier ?? receiver,
        };
  const elsewhere =
    flags.stakeNetwork === undefined
      ? 'name the network that has the operator set with --stake-network'
      : stakeNetwork.eigenlayerNote;
  return {
    ...requireContracts(
      named ?? stakeNetwork.eigenlayer,
      STAKE_CONTRACTS,
      inFile ?? { name: stakeNetwork.name, note: elsewhere },
    ),
    ...tables,
  };
}

function deployed({ contracts, quorum, operatorSet }: Omit<MarketDeployment, 'deploymentBlock'>): object {
  return { contracts, quorum, operatorSet };
}

function marketLines({ contracts, quorum, operatorSet }: Omit<MarketDeployment, 'deploymentBlock'>): readonly string[] {
  return fieldLines([
    ...Object.entries(contracts),
    ['quorum verifier', quorum.verifier],
    ['tables arrive at', quorum.certificateVerifier],
    ['operator set', `${operatorSet.id} of ${operatorSet.avs}`],
  ]);
}
