const uint32 = (minimum: number): object => ({ type: 'integer', minimum, maximum: 0xffff_ffff });
const bytes32 = { type: 'string', pattern: '^0x[0-9a-fA-F]{64}$' };

/** Most records a batch may carry: the protocol's bound on `maxMatches`. */
export const MAX_RECORDS = 512;

/** Largest body of a signature, bytes: 512 records in hex are 32 KiB, the rest is below 3 KiB. */
export const SIGNATURE_BODY_LIMIT_BYTES = 64 * 1024;

const batchSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'round',
    'snapshotBlock',
    'snapshotHash',
    'policyHash',
    'operatorSetKey',
    'tableTimestamp',
    'tableHash',
    'recordsHash',
    'matchCount',
  ],
  properties: {
    round: uint32(1),
    snapshotBlock: { type: 'integer', minimum: 1, maximum: 2 ** 40 - 1 },
    snapshotHash: bytes32,
    policyHash: bytes32,
    operatorSetKey: bytes32,
    tableTimestamp: uint32(1),
    tableHash: bytes32,
    recordsHash: bytes32,
    matchCount: { type: 'integer', minimum: 1, maximum: MAX_RECORDS },
  },
} as const;

const hexBytes = (bytes: number): object => ({ type: 'string', pattern: `^0x[0-9a-fA-F]{${2 * bytes}}$` });
const body = {
  batch: batchSchema,
  records: { type: 'string', maxLength: 2 + MAX_RECORDS * 64, pattern: '^0x([0-9a-fA-F]{64})+$' },
};

/** JSON schema of a posted signature on a curve; nothing may be missing, added or of another type. */
export function signatureBodySchema(curve: 'ecdsa' | 'bn254'): object {
  if (curve === 'ecdsa') {
    return {
      type: 'object',
      additionalProperties: false,
      required: ['batch', 'records', 'signature'],
      properties: { ...body, signature: hexBytes(65) },
    };
  }
  return {
    type: 'object',
    additionalProperties: false,
    required: ['batch', 'records', 'signature', 'signer'],
    properties: {
      ...body,
      signature: hexBytes(64),
      signer: {
        type: 'object',
        additionalProperties: false,
        required: ['g1', 'g2'],
        properties: { g1: hexBytes(64), g2: hexBytes(128) },
      },
    },
  };
}
