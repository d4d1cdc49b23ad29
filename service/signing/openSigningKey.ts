import { unlockBn254Key } from '../bn254Keystore.js';
import { unlockKey } from '../keystore.js';
import type { KeystoreSource } from '../keystoreSource.js';
import type { Curves } from './curves.js';
import { bn254SigningKey, ecdsaSigningKey, type SigningKey } from './signingKey.js';

/** Unlocks the signing key a configuration names, of the curve that the operator set uses. Throws KeystoreError. */
export function openSigningKey(
  curve: SigningKey['curve'],
  source: KeystoreSource,
  env: NodeJS.ProcessEnv,
  curves: Curves,
): SigningKey {
  return curve === 'ecdsa'
    ? ecdsaSigningKey(unlockKey(source, env).privateKey, curves.secp256k1)
    : bn254SigningKey(unlockBn254Key(source, env, curves).secret, curves.bn254);
}
