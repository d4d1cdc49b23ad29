import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Option, type Command } from 'commander';
import type { Hex } from 'viem';
import { generatePrivateKey } from 'viem/accounts';

import {
  bn254KeystorePublicKey,
  generateBn254Secret,
  openBn254Keystore,
  parseBn254Secret,
  writeBn254Keystore,
} from '../service/bn254Keystore.js';
import {
  DEFAULT_SCRYPT_N,
  keystoreAddress,
  openKeystore,
  parsePrivateKey,
  readPassword,
  writeKeystore,
} from '../service/keystore.js';
import { KeystoreError } from '../service/keystoreError.js';
import { loadCurves } from '../service/signing/curves.js';
import { scryptWorkFactor } from './usage.js';

type Curve = 'ecdsa' | 'bn254';

interface PasswordFlags {
  readonly keystore: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
}

interface WriteFlags extends PasswordFlags {
  readonly curve: Curve;
  readonly scryptN: number;
}

/** Registers `keys create|import|list|export` below a command; results go to `print`, one JSON object a line. */
export function registerKeysCommands(parent: Command, print: (line: string) => void): void {
  const keys = parent
    .command('keys')
    .description('make, import, list and export keystores: Web3 Secret Storage v3 for ECDSA, EIP-2335 for BN254');
  const printKey = (key: object): void => print(JSON.stringify(key));

  addWriteFlags(keys.command('create').description('make a new key')).action(async (flags: WriteFlags) => {
    const secret = flags.curve === 'ecdsa' ? generatePrivateKey() : generateBn254Secret();
    printKey(await writeKey(flags, secret));
  });

  addWriteFlags(keys.command('import').description('encrypt an existing private key'))
    .option('--private-key-file <file>', 'file with the private key in hex; default: read it from standard input')
    .action(async (flags: WriteFlags & { privateKeyFile?: string }) => {
      const text = readFileSync(flags.privateKeyFile ?? 0, 'utf8');
      printKey(await writeKey(flags, flags.curve === 'ecdsa' ? parsePrivateKey(text) : parseBn254Secret(text)));
    });

  addJsonFlag(keys.command('list').description('list the keystores of a folder with their addresses or public keys'))
    .argument('[folder]', 'folder of keystores', '.')
    .action((folder: string) => {
      for (const name of readdirSync(folder).toSorted()) {
        const file = path.resolve(folder, name);
        if (!name.endsWith('.json') || !statSync(file).isFile()) continue;
        const key = listedKey(file);
        if (key !== undefined) printKey({ ...key, keystore: file });
      }
    });

  addPasswordFlags(
    keys.command('export').description('decrypt a keystore and write its private key in hex; keep it secret'),
  )
    .option('--file <file>', 'file to write, never overwritten; default: standard output')
    .action(async (flags: PasswordFlags & { file?: string }) => {
      const secret = await openAny(flags.keystore, readPassword(flags, process.env));
      if (flags.file === undefined) print(secret);
      else writeFileSync(flags.file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    });
}

async function writeKey(flags: WriteFlags, secret: Hex): Promise<object> {
  const password = readPassword(flags, process.env);
  const keystore = path.resolve(flags.keystore);
  if (flags.curve === 'ecdsa') {
    return { address: writeKeystore(flags.keystore, secret, password, flags.scryptN), keystore };
  }
  const cost = { scryptN: flags.scryptN };
  const { g1 } = writeBn254Keystore(flags.keystore, secret, password, await loadCurves(), cost);
  return { publicKey: g1, keystore };
}

/** What a file says of its key; undefined for one that is no keystore, since other JSON files may lie in the same folder. */
function listedKey(file: string): object | undefined {
  for (const read of [
    () => ({ address: keystoreAddress(file) ?? null }),
    () => ({ publicKey: bn254KeystorePublicKey(file) }),
  ]) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof KeystoreError)) throw error;
    }
  }
  return undefined;
}

/** The private key of a keystore of either kind. Throws KeystoreError. */
async function openAny(file: string, password: string): Promise<Hex> {
  const listed = listedKey(file);
  return listed !== undefined && 'publicKey' in listed
    ? openBn254Keystore(file, password, await loadCurves()).secret
    : openKeystore(file, password).privateKey;
}

function addPasswordFlags(command: Command): Command {
  return command
    .requiredOption('--keystore <file>', 'keystore file')
    .option('--password-file <file>', 'file with the password')
    .option('--password-env <name>', 'environment variable with the password');
}

function addWriteFlags(command: Command): Command {
  return addJsonFlag(addPasswordFlags(command))
    .addOption(
      new Option('--curve <curve>', "curve of the operator set's signing keys; operators and senders have ECDSA keys")
        .choices(['ecdsa', 'bn254'])
        .default('ecdsa'),
    )
    .option('--scrypt-n <number>', 'work factor of scrypt, a power of two', scryptWorkFactor, DEFAULT_SCRYPT_N);
}

/** Keys are always told as JSON; the flag is taken so that scripts can give it to every command. */
function addJsonFlag(command: Command): Command {
  return command.option('--json', 'print one JSON object a line, as without it', true);
}
