import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { numberToHex } from 'viem';
import { generatePrivateKey } from 'viem/accounts';

import { BN254_ORDER } from '../protocol/bn254Points.js';
import {
  bn254KeystorePublicKey,
  generateBn254Secret,
  openBn254Keystore,
  parseBn254Secret,
  unlockBn254Key,
  writeBn254Keystore,
} from './bn254Keystore.js';
import { openKeystore, writeKeystore } from './keystore.js';
import { KeystoreError } from './keystoreError.js';
import { javascriptBn254 } from './signing/bn254Javascript.js';

const bn254 = javascriptBn254();
const cost = { scryptN: 1_024 };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-bn254-keystore-'));
  file = path.join(folder, 'key.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function written(): string {
  writeBn254Keystore(file, generateBn254Secret(), 'p', { bn254 }, cost);
  return file;
}

function changed(change: object): string {
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(written(), 'utf8')), ...change }));
  return file;
}

test('a written key opens again, is for its owner only, and tells its public key without the password', () => {
  const secret = generateBn254Secret();
  const key = writeBn254Keystore(file, secret, 'pässword', { bn254 }, cost);
  expect(openBn254Keystore(file, 'pässword', { bn254 })).toEqual({ key, secret });
  expect(bn254KeystorePublicKey(file)).toBe(key.g1);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain(secret.slice(2));
  expect(JSON.parse(text)).toMatchObject({
    version: 4,
    path: '',
    pubkey: key.g1.slice(2),
    description: expect.stringContaining('BN254'),
    crypto: { kdf: { function: 'scrypt' }, cipher: { function: 'aes-128-ctr' }, checksum: { function: 'sha256' } },
  });
});

test('fresh scalars are different and in range', () => {
  const secrets = Array.from({ length: 50 }, generateBn254Secret);
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) expect(parseBn254Secret(secret)).toBe(secret);
});

describe('what is refused, in one line that names the file', () => {
  test.each<[string, string, () => unknown]>([
    ['a missing file', 'KEYSTORE_MISSING', () => bn254KeystorePublicKey(path.join(folder, 'none.json'))],
    ['a wrong password', 'PASSWORD_WRONG', () => openBn254Keystore(written(), 'wrong', { bn254 })],
    [
      'an existing file',
      'KEYSTORE_EXISTS',
      () => writeBn254Keystore(written(), generateBn254Secret(), 'p', { bn254 }, cost),
    ],
    ['a key of another curve', 'KEYSTORE_INVALID', () => bn254KeystorePublicKey(changed({ description: 'validator' }))],
    ['a key of BLS12-381', 'KEYSTORE_INVALID', () => bn254KeystorePublicKey(changed({ pubkey: 'ab'.repeat(48) }))],
    [
      "another key's name",
      'KEYSTORE_INVALID',
      () => openBn254Keystore(changed({ pubkey: bn254.publicKey(numberToHex(2, { size: 32 })).g1 }), 'p', { bn254 }),
    ],
    [
      'an ECDSA keystore',
      'KEYSTORE_INVALID',
      () => {
        writeKeystore(file, generatePrivateKey(), 'p', 1_024);
        unlockBn254Key({ path: file, passwordEnv: 'PW' }, { PW: 'p' }, { bn254 });
      },
    ],
    ['itself where an ECDSA keystore is wanted', 'KEYSTORE_INVALID', () => openKeystore(written(), 'p')],
    ['no password', 'PASSWORD_MISSING', () => unlockBn254Key({ path: written(), passwordEnv: 'PW' }, {}, { bn254 })],
  ])('%s: %s', (_name, code, open) => {
    const error = (() => {
      try {
        open();
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(KeystoreError);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).not.toContain('\n');
    if (code !== 'PASSWORD_MISSING') expect((error as Error).message).toContain(folder);
  });

  test.each(['', '0x00', `0x${'00'.repeat(32)}`, numberToHex(BN254_ORDER, { size: 32 }), 'no hex'])(
    'the scalar %p',
    (text) => expect(() => parseBn254Secret(text)).toThrow(KeystoreError),
  );
});
