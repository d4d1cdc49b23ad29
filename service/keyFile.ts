import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

import { KeystoreError } from './keystoreError.js';
import { errnoCode, unreadable } from './thrown.js';

/** Writes a keystore's JSON, readable by its owner only, and makes it durable. Throws KeystoreError KEYSTORE_EXISTS. */
export function writeKeyFile(file: string, keystore: object): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
    throw new KeystoreError('KEYSTORE_EXISTS', `keystore ${file} exists already; keys are never overwritten`);
  }
  try {
    writeSync(descriptor, `${JSON.stringify(keystore, undefined, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What a keystore file holds, not yet checked. Throws KeystoreError KEYSTORE_MISSING and KEYSTORE_INVALID. */
export function readKeyFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new KeystoreError('KEYSTORE_MISSING', `keystore ${file} ${unreadable(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new KeystoreError('KEYSTORE_INVALID', `keystore ${file} is not JSON`);
  }
}
