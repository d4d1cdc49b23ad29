import { encodeAbiParameters, keccak256, type Hex } from 'viem';

/** keccak256 of "BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)". */
export const BN254_CERTIFICATE_TYPEHASH: Hex = '0xd9f77a423768f4b0526fa60a7c732334516a93f1d228dce50ad804ea74ced36e';

/**
 * The digest that operators of a BN254 set sign, over a table's reference timestamp (seconds) and a message:
 * keccak256(abi.encode(typehash, referenceTimestamp, messageHash)). It has no domain: the message must name chain and contract.
 */
export function bn254CertificateDigest(referenceTimestamp: number, messageHash: Hex): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint32' }, { type: 'bytes32' }],
      [BN254_CERTIFICATE_TYPEHASH, referenceTimestamp, messageHash],
    ),
  );
}
