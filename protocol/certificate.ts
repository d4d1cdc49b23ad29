import { concat, hashTypedData, isHex, size } from 'viem';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../engine/error.js';

/** The certificate that EigenLayer's ECDSACertificateVerifier checks. */
export interface CertificateFields {
  /** The verifier contract. */
  readonly verifier: Address;
  /** The operator table's reference timestamp, seconds. */
  readonly referenceTimestamp: number;
  readonly messageHash: Hex;
}

/** One operator's signature over a certificate digest. */
export interface SignerSignature {
  readonly signer: Address;
  /** r, s, v: 65 bytes. */
  readonly signature: Hex;
}

/** Signatures that no verifier would take. */
export class SignaturesInvalidError extends MatchmakerError<'SIGNATURES_INVALID'> {
  constructor(problem: string, signer: Address) {
    super('SIGNATURES_INVALID', `signature of ${signer}: ${problem}`, { metadata: { problem, signer } });
  }
}

/** EIP-712 fields of the certificate, in order. */
export const certificateTypes = {
  ECDSACertificate: [
    { name: 'referenceTimestamp', type: 'uint32' },
    { name: 'messageHash', type: 'bytes32' },
  ],
} as const;

const SIGNATURE_BYTES = 65;

/** The digest that operators sign: ECDSACertificate in the domain 'EigenLayer', '1' of the verifier, which names no chain. */
export function certificateDigest({ verifier, referenceTimestamp, messageHash }: CertificateFields): Hex {
  return hashTypedData({
    domain: { name: 'EigenLayer', version: '1', verifyingContract: verifier },
    types: certificateTypes,
    primaryType: 'ECDSACertificate',
    message: { referenceTimestamp, messageHash },
  });
}

/**
 * A certificate's signatures, concatenated by ascending signer as the verifier requires.
 * Throws SignaturesInvalidError for a signer that occurs twice or a signature that is not 65 bytes.
 */
export function joinSignatures(signatures: readonly SignerSignature[]): Hex {
  const ascending = signatures
    .map(({ signer, signature }) => ({ signer, signature, order: BigInt(signer) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
  ascending.forEach(({ signer, signature, order }, index) => {
    if (!isHex(signature) || size(signature) !== SIGNATURE_BYTES) {
      throw new SignaturesInvalidError(`it is not ${SIGNATURE_BYTES} bytes of hex`, signer);
    }
    if (index > 0 && ascending[index - 1]!.order === order) throw new SignaturesInvalidError('it occurs twice', signer);
  });
  return concat(ascending.map(({ signature }) => signature));
}
