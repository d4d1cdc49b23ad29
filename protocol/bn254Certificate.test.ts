import { expect, test } from '@jest/globals';
import { concat, keccak256, numberToHex, stringToBytes } from 'viem';

import { BN254_CERTIFICATE_TYPEHASH, bn254CertificateDigest } from './bn254Certificate.js';

test('the type hash is that of the certificate', () => {
  expect(keccak256(stringToBytes('BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)'))).toBe(
    BN254_CERTIFICATE_TYPEHASH,
  );
});

test('the digest covers type, timestamp and message, one word each, and no domain', () => {
  const messageHash = keccak256('0x01');
  expect(bn254CertificateDigest(1_700_000_000, messageHash)).toBe(
    keccak256(concat([BN254_CERTIFICATE_TYPEHASH, numberToHex(1_700_000_000, { size: 32 }), messageHash])),
  );
});
