import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';

import { keystoreAddress, openKeystore, parsePrivateKey, unlockKey, writeKeystore } from './keystore.js';
import { KeystoreError } from './keystoreError.js';

const N = 1_024;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-keystore-'));
  file = path.join(folder, 'key.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a written key opens again, is for its owner only, and tells its address without the password', () => {
  const privateKey = generatePrivateKey();
  const address = writeKeystore(file, privateKey, 'pässword', N);
  expect(openKeystore(file, 'pässword')).toEqual({ address, privateKey });
  expect(address).toBe(privateKeyToAddress(privateKey));
  expect(keystoreAddress(file)).toBe(address);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain(privateKey.slice(2));
});

test('the Web3 Secret Storage test vectors open (scrypt with r 8 and p 1, and pbkdf2)', () => {
  const expected = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d';
  const scrypt = {
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
      ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
      kdf: 'scrypt',
      kdfparams: {
        dklen: 32,
        n: 262_144,
        r: 1,
        p: 8,
        salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
      },
      mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
    },
    id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
    version: 3,
  };
  const pbkdf2 = {
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      kdf: 'pbkdf2',
      kdfparams: {
        c: 262_144,
        dklen: 32,
        prf: 'hmac-sha256',
        salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
      },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
    id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
    version: 3,
  };
  for (const keystore of [scrypt, pbkdf2]) {
    writeFileSync(file, JSON.stringify(keystore));
    expect(openKeystore(file, 'testpassword').privateKey).toBe(expected);
  }
}, 60_000);

describe('what is refused, in one line that names the file', () => {
  const cases: [string, string, () => unknown][] = [
    ['a missing file', 'KEYSTORE_MISSING', () => openKeystore(path.join(folder, 'none.json'), 'p')],
    ['a wrong password', 'PASSWORD_WRONG', () => openKeystore(written(), 'wrong')],
    [
      'no JSON',
      'KEYSTORE_INVALID',
      () =>
        openKeystore(
          changed(() => 'x'),
          'p',
        ),
    ],
    [
      'another version',
      'KEYSTORE_INVALID',
      () =>
        openKeystore(
          changed((text) => text.replace('"version": 3', '"version": 4')),
          'p',
        ),
    ],
    [
      'a scrypt that would eat the memory',
      'KEYSTORE_INVALID',
      () =>
        openKeystore(
          changed((text) => text.replace(`"n": ${N}`, '"n": 1073741824')),
          'p',
        ),
    ],
    [
      'a file that names another address',
      'KEYSTORE_INVALID',
      () =>
        openKeystore(
          changed((text) => text.replace(/"address": "..../, '"address": "0000')),
          'p',
        ),
    ],
    ['an existing file', 'KEYSTORE_EXISTS', () => writeKeystore(written(), generatePrivateKey(), 'p', N)],
    [
      'a password file that is not there',
      'PASSWORD_MISSING',
      () => unlockKey({ path: written(), passwordFile: path.join(folder, 'pw') }, {}),
    ],
    [
      'an empty password variable',
      'PASSWORD_MISSING',
      () => unlockKey({ path: written(), passwordEnv: 'PW' }, { PW: '' }),
    ],
    ['a private key of zero', 'PRIVATE_KEY_INVALID', () => parsePrivateKey('00'.repeat(32))],
    ['a short private key', 'PRIVATE_KEY_INVALID', () => parsePrivateKey('0x12')],
  ];
  test.each(cases)('%s', (_name, code, act) => {
    let caught: unknown;
    try {
      act();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(KeystoreError);
    expect(caught).toMatchObject({ code, message: expect.not.stringContaining('\n') });
    if (code !== 'PRIVATE_KEY_INVALID') expect(String(caught)).toMatch(/key\.json|none\.json|pw|PW/);
  });
});

test('the password comes from a file without its line break, or from the environment', () => {
  const { address } = openKeystore(written(), 'p');
  const passwordFile = path.join(folder, 'password');
  writeFileSync(passwordFile, 'p\r\n');
  expect(unlockKey({ path: file, passwordFile }, {}).address).toBe(address);
  expect(unlockKey({ path: file, passwordEnv: 'PW' }, { PW: 'p' }).address).toBe(address);
});

function written(): string {
  writeKeystore(file, generatePrivateKey(), 'p', N);
  return file;
}

function changed(change: (text: string) => string): string {
  written();
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  return file;
}
