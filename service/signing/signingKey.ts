import type { Address, Hex } from 'viem';

import { signerId } from '../../protocol/signerId.js';
import type { Bn254, Bn254PublicKey } from './bn254.js';
import type { Secp256k1 } from './secp256k1.js';

/** A key that signs batches, as a process holds it after unlocking; the secret stays inside. */
export interface SigningKey {
  readonly curve: 'ecdsa' | 'bn254';
  /** As the operator table names it: an address, or X and Y of the point of G1. */
  readonly publicKey: Hex;
  /** Stands for the key in logs, file names and the guard (signerId). */
  readonly id: Address;
  /** Both points of a BN254 key, which go with every signature; undefined for ECDSA. */
  readonly bn254?: Bn254PublicKey;
  /** Signature over a 32-byte digest: r, s, v (65 bytes), or X and Y (64 bytes). */
  sign(digest: Hex): Hex;
  /** Whether a signature over a digest is this key's. */
  verify(digest: Hex, signature: Hex): boolean;
}

/** A secp256k1 key. Throws for a private key out of range. */
export function ecdsaSigningKey(privateKey: Hex, curve: Secp256k1): SigningKey {
  const publicKey = curve.addressOf(privateKey);
  return {
    curve: 'ecdsa',
    publicKey,
    id: signerId(publicKey),
    sign: (digest) => curve.sign(digest, privateKey),
    verify: (digest, signature) => curve.recover(digest, signature) === publicKey,
  };
}

/** A BN254 key. Throws Bn254KeyInvalidError. */
export function bn254SigningKey(secret: Hex, curve: Bn254): SigningKey {
  const key = curve.publicKey(secret);
  return {
    curve: 'bn254',
    publicKey: key.g1,
    id: signerId(key.g1),
    bn254: key,
    sign: (digest) => curve.sign(digest, secret),
    verify: (digest, signature) => curve.verify(digest, [signature], [key.g2]),
  };
}
