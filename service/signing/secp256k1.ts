import { createRequire } from 'node:module';

import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, getAddress, hexToBytes, type Address, type Hex } from 'viem';

import { messageOf } from '../thrown.js';

/** ECDSA over secp256k1 with recovery, whoever computes it. */
export interface Secp256k1 {
  /** `native` is libsecp256k1, some 29 times as fast at recovery as `javascript`. */
  readonly backend: 'native' | 'javascript';
  /** r, s, v over a 32-byte digest: 65 bytes, s in the lower half, v 27 or 28, the nonce by RFC 6979. Throws for a key out of range. */
  sign(digest: Hex, privateKey: Hex): Hex;
  /** Address of the key that made a signature of 65 bytes with v 27 or 28; undefined when there is none. */
  recover(digest: Hex, signature: Hex): Address | undefined;
  /** Address of a private key. Throws for a key out of range. */
  addressOf(privateKey: Hex): Address;
}

/** What was loaded, and why it is not the fast one. */
export interface LoadedSecp256k1 {
  readonly curve: Secp256k1;
  readonly fallbackReason?: string;
}

/** What of the package's binding is used; calls throw plain errors. */
interface Binding {
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array; recid: number };
  ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array;
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array;
}

/** Key 1's signature over keccak256 of "matchmaker: secp256k1 self-test", made with viem. */
const SELF_TEST = {
  privateKey: `0x${'00'.repeat(31)}01`,
  address: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
  digest: '0x55bbcda6ef7d0388aaaf2982813ff3cf1ab19f3d4d46cc19cf5ce5ef8b4c410e',
  signature:
    '0xeb22aecae1dc36b6770d47a25da4f682afd6b013c59d02c6f2c6aec40586804e4b0bb48a64cf9234c72752224962410afb564cc5ddd4c73d8605ee7f97d626df1b',
} as const satisfies { privateKey: Hex; address: Address; digest: Hex; signature: Hex };

/** The native binding when it loads and computes what it must, else the implementation in JavaScript. */
export function loadSecp256k1(load: () => unknown = loadBinding): LoadedSecp256k1 {
  try {
    // The package's own entry falls back to JavaScript without a word: its binding is asked for.
    return { curve: tested(nativeSecp256k1(load() as Binding)) };
  } catch (error) {
    return { curve: tested(javascriptSecp256k1()), fallbackReason: messageOf(error) };
  }
}

/** The implementation in JavaScript (noble). */
export function javascriptSecp256k1(): Secp256k1 {
  return {
    backend: 'javascript',
    sign(digest, privateKey) {
      const signature = noble.sign(hexToBytes(digest), hexToBytes(privateKey), {
        prehash: false,
        lowS: true,
        format: 'recovered',
      });
      return joinSignature(signature.subarray(1), signature[0] as number);
    },
    recover(digest, signature) {
      try {
        const { compact, recid } = splitSignature(signature);
        return addressOfPoint(
          noble.Signature.fromBytes(compact, 'compact')
            .addRecoveryBit(recid)
            .recoverPublicKey(hexToBytes(digest))
            .toBytes(false),
        );
      } catch {
        return undefined;
      }
    },
    addressOf: (privateKey) => addressOfPoint(noble.getPublicKey(hexToBytes(privateKey), false)),
  };
}

function nativeSecp256k1(binding: Binding): Secp256k1 {
  return {
    backend: 'native',
    sign(digest, privateKey) {
      const { signature, recid } = binding.ecdsaSign(hexToBytes(digest), hexToBytes(privateKey));
      return joinSignature(signature, recid);
    },
    recover(digest, signature) {
      try {
        const { compact, recid } = splitSignature(signature);
        return addressOfPoint(binding.ecdsaRecover(compact, recid, hexToBytes(digest), false));
      } catch {
        return undefined;
      }
    },
    addressOf: (privateKey) => addressOfPoint(binding.publicKeyCreate(hexToBytes(privateKey), false)),
  };
}

function loadBinding(): unknown {
  return createRequire(import.meta.url)('secp256k1/bindings');
}

/** A library that computes wrongly on this machine must not be used, however it came about. */
function tested(curve: Secp256k1): Secp256k1 {
  const { privateKey, address, digest, signature } = SELF_TEST;
  if (curve.addressOf(privateKey) !== address) throw new Error(`${curve.backend} secp256k1 derives a wrong address`);
  if (curve.sign(digest, privateKey) !== signature) throw new Error(`${curve.backend} secp256k1 signs wrongly`);
  if (curve.recover(digest, signature) !== address) throw new Error(`${curve.backend} secp256k1 recovers wrongly`);
  return curve;
}

function splitSignature(signature: Hex): { compact: Uint8Array; recid: number } {
  const bytes = hexToBytes(signature);
  const recid = (bytes[64] ?? 0) - 27;
  if (bytes.length !== 65 || (recid !== 0 && recid !== 1)) throw new RangeError('not r, s and a v of 27 or 28');
  return { compact: bytes.subarray(0, 64), recid };
}

function joinSignature(compact: Uint8Array, recid: number): Hex {
  return `${bytesToHex(compact)}${recid === 0 ? '1b' : '1c'}`;
}

function addressOfPoint(uncompressed: Uint8Array): Address {
  return getAddress(bytesToHex(keccak_256(uncompressed.subarray(1)).subarray(12)));
}
