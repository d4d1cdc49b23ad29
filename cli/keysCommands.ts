import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import type { Command } from 'commander';
import { generatePrivateKey } from 'viem/accounts';

import {
  DEFAULT_SCRYPT_N,
  KeystoreError,
  keystoreAddress,
  parsePrivateKey,
  readPassword,
  writeKeystore,
} from '../service/keystore.js';
import { scryptWorkFactor } from './usage.js';

interface WriteFlags {
  readonly keystore: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly scryptN: number;
}

/** Registers `keys create|import|list` below a command; results go to `print`, one JSON object a line. */
export function registerKeysCommands(parent: Command, print: (line: string) => void): void {
  const keys = parent.command('keys').description('make, import and list keystores (Web3 Secret Storage v3)');

  addWriteFlags(keys.command('create').description('make a new key')).action((flags: WriteFlags) => {
    const address = writeKeystore(
      flags.keystore,
      generatePrivateKey(),
      readPassword(flags, process.env),
      flags.scryptN,
    );
    print(JSON.stringify({ address, keystore: path.resolve(flags.keystore) }));
  });

  addWriteFlags(keys.command('import').description('encrypt an existing private key'))
    .option('--private-key-file <file>', 'file with the private key in hex; default: read it from standard input')
    .action((flags: WriteFlags & { privateKeyFile?: string }) => {
      const privateKey = parsePrivateKey(readFileSync(flags.privateKeyFile ?? 0, 'utf8'));
      const address = writeKeystore(flags.keystore, privateKey, readPassword(flags, process.env), flags.scryptN);
      print(JSON.stringify({ address, keystore: path.resolve(flags.keystore) }));
    });

  keys
    .command('list')
    .description('list the keystores of a folder with their addresses')
    .argument('[folder]', 'folder of keystores', '.')
    .action((folder: string) => {
      for (const name of readdirSync(folder).toSorted()) {
        const file = path.resolve(folder, name);
        if (!name.endsWith('.json') || !statSync(file).isFile()) continue;
        try {
          print(JSON.stringify({ address: keystoreAddress(file) ?? null, keystore: file }));
        } catch (error) {
          // Other JSON files may lie in the same folder.
          if (!(error instanceof KeystoreError)) throw error;
        }
      }
    });
}

function addWriteFlags(command: Command): Command {
  return command
    .requiredOption('--keystore <file>', 'keystore file to write')
    .option('--password-file <file>', 'file with the password')
    .option('--password-env <name>', 'environment variable with the password')
    .option('--scrypt-n <number>', 'work factor of scrypt, a power of two', scryptWorkFactor, DEFAULT_SCRYPT_N);
}
