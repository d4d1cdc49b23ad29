import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { isAddress, type Address } from 'viem';

import { DeployProgress } from '../chain/deploy/deployProgress.js';
import { parseDeployment, parseMarketDeployment, type Deployment } from '../chain/deployment.js';
import { AccountLane } from '../chain/eigenlayer/accountLane.js';
import { parseAvsMetadata } from '../chain/eigenlayer/avsMetadata.js';
import { deployStakeSide } from '../chain/eigenlayer/deployStakeSide.js';
import { parseEigenlayer, requireContracts, STAKE_CONTRACTS } from '../chain/eigenlayer/eigenlayerFile.js';
import { describeSlashingWindow } from '../chain/eigenlayer/slashingWindow.js';
import { createRpc } from '../chain/rpc/rpc.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import avsMetadata from '../config/avs/metadata.json' with { type: 'json' };
import { readJsonFile } from '../service/readJsonFile.js';
import { registerDeployMarketCommand } from './deployMarketCommand.js';
import { keyOf, type WriteFlags } from './marketFlags.js';
import { fieldLines, printResult } from './marketOutput.js';
import { avsTermsOf, NETWORK_NAMES, networkOf } from './networks.js';
import { InvalidFlagError, integer, MissingFlagError } from './usage.js';

type Print = (line: string) => void;

interface DeployStakeFlags extends Omit<WriteFlags, 'deployment'> {
  readonly network: string;
  readonly eigenlayer?: string;
  readonly market: string;
  readonly stakeToken?: string;
  readonly strategy?: string;
  readonly vaultOwner?: string;
  readonly treasury?: string;
  readonly metadataUri: string;
  readonly lookaheadBlocks?: number;
  readonly out: string;
}

/** Deadline of one request, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Registers `deploy market`, `deploy stake` and `deploy metadata`. */
export function registerDeployCommands(program: Command, print: Print): void {
  const deploy = program.command('deploy').description('put a market and its operator set onto chains');
  registerDeployMarketCommand(deploy, print);
  deploy
    .command('stake')
    .description(
      'deploy judge, slasher, vault, registrar and table calculator of a market, and make its operator set; run again to finish what was interrupted',
    )
    .requiredOption('--network <name>', `${NETWORK_NAMES.join(', ')}, or a JSON file like config/networks`)
    .option('--eigenlayer <file>', "JSON object of EigenLayer's addresses, instead of the network's")
    .requiredOption('--market <file>', 'deployment file of the market, or its market part')
    .option('--stake-token <address>', 'what restakers deposit; its strategy is made if it has none')
    .option('--strategy <address>', 'strategy of EigenLayer that restakers deposit into, instead of a token')
    .option('--vault-owner <address>', "says what a tenant's loss is worth in staked tokens (default: the key)")
    .option('--treasury <address>', 'gets what neither challenger nor victim does (default: the key)')
    .requiredOption('--metadata-uri <url>', 'where the AVS metadata JSON is published')
    .option(
      '--lookahead-blocks <number>',
      "blocks for which stake must stay slashable to count (default: EigenLayer's deallocation delay)",
      integer,
    )
    .requiredOption('--out <folder>', 'folder for deployment.json and for what is needed to finish an interrupted run')
    .addOption(new Option('--rpc <url>', 'JSON-RPC endpoint of the stake chain').env('MATCHMAKER_STAKE_RPC_URL'))
    .addOption(new Option('--keystore <file>', "the AVS's key, Web3 Secret Storage v3").env('MATCHMAKER_KEYSTORE'))
    .addOption(
      new Option('--password-file <file>', "file with the keystore's password").env('MATCHMAKER_PASSWORD_FILE'),
    )
    .option('--password-env <name>', "environment variable with the keystore's password")
    .option('--private-key-env <name>', 'environment variable with a private key in hex, instead of a keystore')
    .option('--json', 'print one JSON object', false)
    .action((flags: DeployStakeFlags) => deployStake(flags, print));
  deploy
    .command('metadata')
    .description("check AVS metadata as EigenLayer's app does, and print it")
    .argument('[file]', 'JSON file (default: config/avs/metadata.json)')
    .action((file: string | undefined) => {
      const metadata = parseAvsMetadata(file === undefined ? avsMetadata : readJsonFile('metadata', file));
      print(JSON.stringify(metadata, null, 2));
    });
}

async function deployStake(flags: DeployStakeFlags, print: Print): Promise<void> {
  const network = networkOf(flags.network);
  const addresses =
    flags.eigenlayer === undefined ? network.eigenlayer : parseEigenlayer(readJsonFile('eigenlayer', flags.eigenlayer));
  const contracts = requireContracts(
    addresses,
    STAKE_CONTRACTS,
    flags.eigenlayer === undefined
      ? { name: network.name, note: network.eigenlayerNote }
      : { name: flags.eigenlayer, note: 'add the addresses to the file' },
  );
  const market = parseMarketDeployment(readJsonFile('market', flags.market));
  const stake = stakeOf(flags);
  if (flags.rpc === undefined || flags.rpc === '') {
    throw new MissingFlagError('--rpc', 'MATCHMAKER_STAKE_RPC_URL', 'the JSON-RPC endpoint of the stake chain');
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
  const { number: firstBlock } = await rpc.request(latestBlock());
  mkdirSync(flags.out, { recursive: true });
  const progress = DeployProgress.open(path.join(flags.out, 'stake-progress.json'), {
    chainId,
    deployer: lane.address,
    firstBlock,
  });
  const economicSecurity = network.economicSecurity && market.economicSecurity;
  const { window, ...side } = await deployStakeSide(
    {
      chainId,
      blockTimeMs,
      economicSecurity,
      eigenlayer: { ...contracts, releaseManager: addresses.releaseManager },
      market,
      stake,
      terms: avsTermsOf(network),
      vaultOwner: addressOf('--vault-owner', flags.vaultOwner) ?? lane.address,
      treasury: addressOf('--treasury', flags.treasury) ?? lane.address,
      metadataUri: flags.metadataUri,
      ...(flags.lookaheadBlocks === undefined ? {} : { lookaheadBlocks: flags.lookaheadBlocks }),
    },
    { lane, rpc, progress },
  );
  const deployment: Deployment = parseDeployment({
    ...market,
    economicSecurity,
    eigenlayer: { ...market.eigenlayer, ...contracts },
    ...side,
  });
  const file = path.resolve(flags.out, 'deployment.json');
  writeFileSync(file, `${JSON.stringify(deployment, null, 2)}\n`);
  printResult(print, flags.json, {
    json: { deployment: file, operatorSet: deployment.operatorSet, stake: deployment.stake, window },
    lines: [
      ...fieldLines([
        ['operator set', `${deployment.operatorSet.id} of ${deployment.operatorSet.avs}`],
        ...Object.entries(deployment.stake).map(([name, value]) => [name, String(value)] as const),
        ['strategy', deployment.strategy],
        ['deployment', file],
      ]),
      describeSlashingWindow(window),
    ],
  });
}

function stakeOf(flags: DeployStakeFlags): { readonly strategy: Address } | { readonly token: Address } {
  const strategy = addressOf('--strategy', flags.strategy);
  const token = addressOf('--stake-token', flags.stakeToken);
  if (strategy !== undefined && token !== undefined) {
    throw new InvalidFlagError('--strategy', 'is given beside --stake-token', 'give one of them');
  }
  if (strategy !== undefined) return { strategy };
  if (token !== undefined) return { token };
  throw new MissingFlagError('--stake-token', null, 'the token that restakers deposit, or its strategy by --strategy');
}

function addressOf(flag: string, text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  if (!isAddress(text, { strict: false })) {
    throw new InvalidFlagError(flag, `${text} is no address`, 'give 20 bytes in hex');
  }
  return text;
}
