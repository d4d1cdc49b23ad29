import { randomBytes, randomUUID } from 'node:crypto';

import { bytesToHex, isHex, type Hex } from 'viem';
import { z } from 'zod';

import { BN254_ORDER } from '../protocol/bn254Points.js';
import { decryptEip2335, eip2335Crypto, encryptEip2335, type PasswordCost } from './eip2335.js';
import { readKeyFile, writeKeyFile } from './keyFile.js';
import { DEFAULT_SCRYPT_N, readPassword } from './keystore.js';
import { KeystoreError } from './keystoreError.js';
import type { KeystoreSource } from './keystoreSource.js';
import type { Bn254, Bn254PublicKey } from './signing/bn254.js';

/** A BN254 key after unlocking. */
export interface UnlockedBn254Key {
  readonly key: Bn254PublicKey;
  /** The scalar, 32 bytes. */
  readonly secret: Hex;
}

/** What the keystore says about its curve, since EIP-2335 by itself means BLS12-381. */
const DESCRIPTION = 'Matchmaker operator signing key: BLS over BN254 (alt_bn128), pubkey is X, Y of G1';

const keystoreSchema = z.object({
  version: z.literal(4),
  uuid: z.string(),
  path: z.string(),
  description: z.string().regex(/bn254/i, 'must name the curve bn254; other curves cannot be used'),
  pubkey: z.string().regex(/^(0x)?[0-9a-fA-F]{128}$/, 'must be X and Y of a point of G1, 64 bytes of hex'),
  crypto: eip2335Crypto,
});

/** A fresh scalar, each between 1 and the group's order, less one, as likely as the others. */
export function generateBn254Secret(): Hex {
  for (;;) {
    const secret = bytesToHex(randomBytes(32));
    const scalar = BigInt(secret);
    if (scalar > 0n && scalar < BN254_ORDER) return secret;
  }
}

/** Reads a scalar as people write it, 32 bytes of hex with or without 0x. Throws KeystoreError PRIVATE_KEY_INVALID. */
export function parseBn254Secret(text: string): Hex {
  const trimmed = text.trim();
  const secret: unknown = trimmed.startsWith('0x') ? trimmed : `0x${trimmed}`;
  if (isHex(secret) && secret.length === 66 && BigInt(secret) > 0n && BigInt(secret) < BN254_ORDER) {
    return `0x${secret.slice(2).toLowerCase()}`;
  }
  throw new KeystoreError(
    'PRIVATE_KEY_INVALID',
    "the private key must be 32 bytes of hex, between 1 and the order of BN254's group",
  );
}

/**
 * Encrypts a scalar into an EIP-2335 (version 4) file, readable by its owner only, and makes it durable.
 * Throws KeystoreError KEYSTORE_EXISTS when the file is there already.
 */
export function writeBn254Keystore(
  file: string,
  secret: Hex,
  password: string,
  dependencies: { bn254: Bn254 },
  cost: PasswordCost = { scryptN: DEFAULT_SCRYPT_N },
): Bn254PublicKey {
  const key = dependencies.bn254.publicKey(secret);
  writeKeyFile(file, {
    crypto: encryptEip2335(secret, password, cost),
    description: DESCRIPTION,
    pubkey: key.g1.slice(2),
    path: '',
    uuid: randomUUID(),
    version: 4,
  });
  return key;
}

/** The point of G1 a keystore file names, without its password. Throws KeystoreError. */
export function bn254KeystorePublicKey(file: string): Hex {
  return `0x${readKeystore(file).pubkey.toLowerCase().replace(/^0x/, '')}`;
}

/** Opens a keystore with its password. Throws KeystoreError: one line that names the file and what is wrong. */
export function openBn254Keystore(file: string, password: string, dependencies: { bn254: Bn254 }): UnlockedBn254Key {
  const secret = decryptEip2335(readKeystore(file).crypto, password);
  if (secret === undefined) throw new KeystoreError('PASSWORD_WRONG', `wrong password for keystore ${file}`);
  const key = dependencies.bn254.publicKey(parseBn254Secret(secret));
  const named = bn254KeystorePublicKey(file);
  if (named !== key.g1) {
    throw new KeystoreError('KEYSTORE_INVALID', `keystore ${file} holds the key ${key.g1}, but names ${named}`);
  }
  return { key, secret };
}

/** Unlocks the key a configuration names. Throws KeystoreError. */
export function unlockBn254Key(
  source: KeystoreSource,
  env: NodeJS.ProcessEnv,
  dependencies: { bn254: Bn254 },
): UnlockedBn254Key {
  // A missing key is reported before a missing password: it is the more basic mistake.
  readKeystore(source.path);
  return openBn254Keystore(source.path, readPassword(source, env), dependencies);
}

function readKeystore(file: string): z.output<typeof keystoreSchema> {
  const value = readKeyFile(file);
  if (typeof value === 'object' && value !== null && 'version' in value && value.version === 3) {
    throw new KeystoreError(
      'KEYSTORE_INVALID',
      `keystore ${file} holds an ECDSA key (version 3), but this market's operators sign with BN254: name an EIP-2335 keystore`,
    );
  }
  const result = keystoreSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new KeystoreError(
    'KEYSTORE_INVALID',
    `keystore ${file} is not an EIP-2335 file of a BN254 key (${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'})`,
  );
}
