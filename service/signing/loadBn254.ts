import type { Hex } from 'viem';

import { messageOf } from '../thrown.js';
import type { Bn254 } from './bn254.js';
import { javascriptBn254 } from './bn254Javascript.js';
import { wasmBn254 } from './bn254Wasm.js';

/** What was loaded, and why it is not the fast one. */
export interface LoadedBn254 {
  readonly curve: Bn254;
  readonly fallbackReason?: string;
}

/** The signature of key 2 over keccak256 of "matchmaker: BN254 self-test". */
const SELF_TEST = {
  secret: `0x${'00'.repeat(31)}02`,
  digest: '0x3b5bf3108b8f6d30fe871ab2bdd5c88b55607f7fb5a0d91f8fff873e211d8876',
  g1: '0x030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd315ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4',
  g2: '0x203e205db4f19b37b60121b83a7333706db86431c6d835849957ed8c3928ad7927dc7234fd11d3e8c36c59277c3e6f149d5cd3cfa9a62aee49f8130962b4b3b9195e8aa5b7827463722b8c153931579d3505566b4edf48d498e185f0509de15204bb53b8977e5f92a0bc372742c4830944a59b4fe6b1c0466e2a6dad122b5d2e',
  signature:
    '0x1abd9f92e32abb6aec60a0ef3d8c7f20519c8eb14ac19e02e3e150fb211ad154253ec7d78cef000828d7ed24bfa729c8e93f3f0d091bcac18de4686461becc8e',
} as const satisfies Record<string, Hex>;

/** mcl when it loads and computes what it must, else the implementation in JavaScript. */
export async function loadBn254(load: () => Promise<Bn254> = wasmBn254): Promise<LoadedBn254> {
  try {
    return { curve: tested(await load()) };
  } catch (error) {
    return { curve: tested(javascriptBn254()), fallbackReason: messageOf(error) };
  }
}

/** A library that computes wrongly on this machine must not be used, however it came about. */
function tested(curve: Bn254): Bn254 {
  const { secret, digest, g1, g2, signature } = SELF_TEST;
  const key = curve.publicKey(secret);
  if (key.g1 !== g1 || key.g2 !== g2) throw new Error(`${curve.backend} BN254 derives a wrong key`);
  if (curve.sign(digest, secret) !== signature) throw new Error(`${curve.backend} BN254 signs wrongly`);
  if (!curve.keysMatch(key) || !curve.verify(digest, [signature], [g2]) || curve.verify(digest, [g1], [g2])) {
    throw new Error(`${curve.backend} BN254 pairs wrongly`);
  }
  return curve;
}
