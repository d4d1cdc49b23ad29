import { readFileSync } from 'node:fs';

import { Keystore } from 'ox';
import { getAddress, isHex, type Address, type Hex } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { z } from 'zod';

import { readKeyFile, writeKeyFile } from './keyFile.js';
import { KeystoreError } from './keystoreError.js';
import type { KeystoreSource } from './keystoreSource.js';
import { unreadable } from './thrown.js';

/** A key as a process holds it after unlocking. */
export interface UnlockedKey {
  readonly address: Address;
  readonly privateKey: Hex;
}

/** Cost of the password's stretching: work factor N of scrypt. */
export const DEFAULT_SCRYPT_N = 262_144;

const hex = z.string().regex(/^[0-9a-fA-F]*$/);
// Bounds keep a hostile file from exhausting memory: 128 x N x r bytes, at most 1 GiB.
const keystoreSchema = z.object({
  version: z.literal(3),
  id: z.string(),
  address: z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{40}$/)
    .optional(),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    ciphertext: hex.length(64),
    cipherparams: z.object({ iv: hex.length(32) }),
    mac: hex.length(64),
    kdf: z.enum(['scrypt', 'pbkdf2']),
    kdfparams: z.union([
      z
        .object({ dklen: z.literal(32), n: z.int().min(2), r: z.int().min(1), p: z.int().min(1).max(64), salt: hex })
        .refine(({ n, r }) => n * r <= 2 ** 23, 'scrypt would need more than 1 GiB'),
      z.object({ dklen: z.literal(32), c: z.int().min(1).max(10_000_000), prf: z.literal('hmac-sha256'), salt: hex }),
    ]),
  }),
});

/** Reads a private key as people write it, with or without 0x. Throws KeystoreError PRIVATE_KEY_INVALID. */
export function parsePrivateKey(text: string): Hex {
  const trimmed = text.trim();
  const key: unknown = trimmed.startsWith('0x') ? trimmed : `0x${trimmed}`;
  if (isHex(key) && key.length === 66) {
    try {
      privateKeyToAddress(key);
      return key;
    } catch {
      // Zero or above the curve's order: reported below.
    }
  }
  throw new KeystoreError(
    'PRIVATE_KEY_INVALID',
    'the private key must be 32 bytes of hex, between 1 and the order of secp256k1',
  );
}

/**
 * Encrypts a key into a Web3 Secret Storage v3 file, readable by its owner only, and makes it durable.
 * Throws KeystoreError KEYSTORE_EXISTS when the file is there already.
 */
export function writeKeystore(file: string, privateKey: Hex, password: string, scryptN = DEFAULT_SCRYPT_N): Address {
  const address = privateKeyToAddress(privateKey);
  const [key, derivation] = Keystore.scrypt({ password, n: scryptN, r: 8, p: 1 });
  const keystore = { address: address.slice(2).toLowerCase(), ...Keystore.encrypt(privateKey, key, derivation) };
  writeKeyFile(file, keystore);
  return address;
}

/** Address a keystore file names, without its password; undefined when the file does not say. Throws KeystoreError. */
export function keystoreAddress(file: string): Address | undefined {
  const { address } = readKeystore(file);
  if (address === undefined) return undefined;
  return getAddress(`0x${address.toLowerCase().replace(/^0x/, '')}`);
}

/** Opens a keystore with its password. Throws KeystoreError: one line that names the file and what is wrong. */
export function openKeystore(file: string, password: string): UnlockedKey {
  const keystore = readKeystore(file);
  let privateKey: Hex;
  try {
    // The synchronous derivation, because ox's asynchronous one ignores the file's r and p.
    privateKey = Keystore.decrypt(keystore, Keystore.toKey(keystore, { password }));
  } catch {
    throw new KeystoreError('PASSWORD_WRONG', `wrong password for keystore ${file}`);
  }
  const address = privateKeyToAddress(parsePrivateKey(privateKey));
  const named = keystoreAddress(file);
  if (named !== undefined && named !== address) {
    throw new KeystoreError('KEYSTORE_INVALID', `keystore ${file} holds the key of ${address}, but names ${named}`);
  }
  return { address, privateKey };
}

/** Unlocks the key a configuration names. Throws KeystoreError. */
export function unlockKey(source: KeystoreSource, env: NodeJS.ProcessEnv): UnlockedKey {
  // A missing key is reported before a missing password: it is the more basic mistake.
  readKeystore(source.path);
  return openKeystore(source.path, readPassword(source, env));
}

/** Password of a keystore from its file (trailing line breaks dropped) or environment variable. Throws KeystoreError PASSWORD_MISSING. */
export function readPassword(source: Omit<KeystoreSource, 'path'>, env: NodeJS.ProcessEnv): string {
  if (source.passwordEnv !== undefined) {
    const password = env[source.passwordEnv];
    if (password !== undefined && password !== '') return password;
    throw new KeystoreError(
      'PASSWORD_MISSING',
      `environment variable ${source.passwordEnv} with the keystore's password is not set`,
    );
  }
  if (source.passwordFile === undefined) {
    throw new KeystoreError('PASSWORD_MISSING', 'name a password file or an environment variable');
  }
  let password: string;
  try {
    password = readFileSync(source.passwordFile, 'utf8').replace(/[\r\n]+$/, '');
  } catch (error) {
    throw new KeystoreError('PASSWORD_MISSING', `password file ${source.passwordFile} ${unreadable(error)}`);
  }
  if (password === '') throw new KeystoreError('PASSWORD_MISSING', `password file ${source.passwordFile} is empty`);
  return password;
}

function readKeystore(file: string): z.output<typeof keystoreSchema> {
  const value = readKeyFile(file);
  if (typeof value === 'object' && value !== null && 'version' in value && value.version === 4) {
    throw new KeystoreError(
      'KEYSTORE_INVALID',
      `keystore ${file} holds a BLS key (EIP-2335), but an ECDSA key is needed: name a Web3 Secret Storage v3 keystore`,
    );
  }
  const result = keystoreSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new KeystoreError(
    'KEYSTORE_INVALID',
    `keystore ${file} is not a Web3 Secret Storage v3 file (${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'})`,
  );
}
