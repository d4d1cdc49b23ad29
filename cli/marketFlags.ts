import { Option, type Command } from 'commander';
import type { Hex } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';

import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import { createMarketClient, type MarketClient } from '../sdk/marketClient.js';
import { parsePrivateKey, unlockKey } from '../service/keystore.js';
import { KeystoreError } from '../service/keystoreError.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { MissingFlagError } from './usage.js';

const RPC_TIMEOUT_MS = 30_000;

/** Flags of every command that reads a market. */
export interface ReadFlags {
  readonly deployment?: string;
  readonly rpc?: string;
  readonly json: boolean;
}

/** Flags of every command that sends transactions. */
export interface WriteFlags extends ReadFlags {
  readonly keystore?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly privateKeyEnv?: string;
}

/** Adds what every command about a market takes; each flag has an environment variable, so that it is named once. */
export function addReadFlags(command: Command): Command {
  return command
    .addOption(new Option('--deployment <file>', 'deployment file of the market').env('MATCHMAKER_DEPLOYMENT'))
    .addOption(new Option('--rpc <url>', 'JSON-RPC endpoint of the market chain').env('MATCHMAKER_RPC_URL'))
    .option('--json', 'print one JSON object', false);
}

/** Adds what every command that sends transactions takes. */
export function addWriteFlags(command: Command): Command {
  return addReadFlags(command)
    .addOption(new Option('--keystore <file>', 'Web3 Secret Storage v3 file with the key').env('MATCHMAKER_KEYSTORE'))
    .addOption(
      new Option('--password-file <file>', "file with the keystore's password").env('MATCHMAKER_PASSWORD_FILE'),
    )
    .option('--password-env <name>', "environment variable with the keystore's password")
    .option('--private-key-env <name>', 'environment variable with a private key in hex, instead of a keystore');
}

/** A client that only reads. Throws MissingFlagError, DeploymentInvalidError and ConfigError. */
export function openReader(flags: ReadFlags): MarketClient {
  return createMarketClient(marketOf(flags));
}

/** The market and its node, for what reads logs and proofs rather than calls. Throws MissingFlagError, DeploymentInvalidError and ConfigError. */
export function openRpc(flags: ReadFlags): { readonly deployment: Deployment; readonly rpc: Rpc } {
  const { deployment, rpcUrl } = marketOf(flags);
  return { deployment, rpc: createRpc({ url: rpcUrl, requestTimeoutMs: RPC_TIMEOUT_MS, chainId: deployment.chainId }) };
}

/** A client that signs with the key that the flags name. Throws as `openReader`, and KeystoreError. */
export function openWriter(flags: WriteFlags): MarketClient {
  return createMarketClient({ ...marketOf(flags), account: privateKeyToAccount(keyOf(flags)) });
}

/** The market and the key that the flags name, without a node. Throws MissingFlagError, DeploymentInvalidError, ConfigError and KeystoreError. */
export function openSigner(
  flags: WriteFlags,
): Pick<MarketClient, 'deployment'> & { readonly account: PrivateKeyAccount } {
  return { deployment: readDeployment(flags), account: privateKeyToAccount(keyOf(flags)) };
}

/** The private key that the flags name. Throws MissingFlagError and KeystoreError. */
export function keyOf(flags: WriteFlags): Hex {
  if (flags.privateKeyEnv !== undefined) {
    const text = process.env[flags.privateKeyEnv];
    if (text === undefined || text === '') {
      throw new KeystoreError('PRIVATE_KEY_INVALID', `environment variable ${flags.privateKeyEnv} is not set`);
    }
    return parsePrivateKey(text);
  }
  if (flags.keystore === undefined) {
    throw new MissingFlagError('--keystore', 'MATCHMAKER_KEYSTORE', 'the key that signs; or --private-key-env');
  }
  const { privateKey } = unlockKey(
    {
      path: flags.keystore,
      ...(flags.passwordEnv === undefined ? { passwordFile: flags.passwordFile } : { passwordEnv: flags.passwordEnv }),
    },
    process.env,
  );
  return privateKey;
}

/** A client with the account's key when the flags name one, else one that only reads. */
export function openEither(flags: WriteFlags): MarketClient {
  return flags.keystore === undefined && flags.privateKeyEnv === undefined ? openReader(flags) : openWriter(flags);
}

/** The deployment and the node that the flags name. Throws MissingFlagError, DeploymentInvalidError and ConfigError. */
export function marketOf(flags: ReadFlags): { deployment: Deployment; rpcUrl: string } {
  const file = deploymentFileOf(flags);
  if (flags.rpc === undefined || flags.rpc === '') {
    throw new MissingFlagError('--rpc', 'MATCHMAKER_RPC_URL', 'the JSON-RPC endpoint of the market chain');
  }
  return { deployment: parseDeployment(readJsonFile('deployment', file)), rpcUrl: flags.rpc };
}

/** The deployment that the flags name. Throws MissingFlagError, DeploymentInvalidError and ConfigInvalidError. */
export function readDeployment(flags: Pick<ReadFlags, 'deployment'>): Deployment {
  return parseDeployment(readJsonFile('deployment', deploymentFileOf(flags)));
}

function deploymentFileOf(flags: Pick<ReadFlags, 'deployment'>): string {
  if (flags.deployment === undefined || flags.deployment === '') {
    throw new MissingFlagError('--deployment', 'MATCHMAKER_DEPLOYMENT', 'the deployment file of the market');
  }
  return flags.deployment;
}
