import { getAddress, keccak256, size, slice, type Address, type Hex } from 'viem';

import { MatchmakerError } from '../engine/error.js';

/** A signing key that is neither 20 nor 64 bytes. */
export class SignerKeyInvalidError extends MatchmakerError<'SIGNER_KEY_INVALID'> {
  constructor(key: Hex) {
    super('SIGNER_KEY_INVALID', `a signing key is an address or 64 bytes of a BN254 point, not ${size(key)} bytes`);
  }
}

/**
 * The 20 bytes that stand for a signing key in logs, file names and the double-sign guard. ECDSA: its address. BN254: the low
 * bytes of keccak256(X, Y), which is EigenLayer's hash of the key. Throws SignerKeyInvalidError.
 */
export function signerId(key: Hex): Address {
  if (size(key) === 20) return getAddress(key);
  if (size(key) !== 64) throw new SignerKeyInvalidError(key);
  return getAddress(slice(keccak256(key), 12));
}
