import type { Hex } from 'viem';

/** A public key of BN254, the same scalar times either generator. */
export interface Bn254PublicKey {
  /** X, Y: 64 bytes. */
  readonly g1: Hex;
  /** X imaginary, X real, Y imaginary, Y real: 128 bytes. */
  readonly g2: Hex;
}

/** BLS signatures on BN254 as EigenLayer's verifier checks them, whoever computes them. */
export interface Bn254 {
  /** `wasm` is mcl, some five times as fast at pairings as `javascript`. */
  readonly backend: 'wasm' | 'javascript';
  /** The public key of a scalar of 32 bytes. Throws Bn254KeyInvalidError. */
  publicKey(secret: Hex): Bn254PublicKey;
  /** The scalar times the point of a 32-byte digest: X, Y, 64 bytes. Throws as `publicKey`. */
  sign(digest: Hex, secret: Hex): Hex;
  /** Whether both are points of their groups of prime order, and of one scalar. One pairing. */
  keysMatch(key: Bn254PublicKey): boolean;
  /**
   * Whether the sum of the signatures is that of the keys over the digest: one pairing however many there are. The keys must be
   * known to be of the group (keysMatch). False for no signatures, and for bytes that are no points.
   */
  verify(digest: Hex, signatures: readonly Hex[], g2Keys: readonly Hex[]): boolean;
}
