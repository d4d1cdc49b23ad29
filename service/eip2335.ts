import {
  createCipheriv,
  createDecipheriv,
  createHash,
  pbkdf2Sync,
  randomBytes,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto';

import { bytesToHex, hexToBytes, type Hex } from 'viem';
import { z } from 'zod';

const hex = z.string().regex(/^([0-9a-fA-F]{2})*$/);

// Bounds keep a hostile file from exhausting memory or time: 128 x N x r bytes, at most 1 GiB.
const kdf = z.discriminatedUnion('function', [
  z.object({
    function: z.literal('scrypt'),
    params: z
      .object({ dklen: z.literal(32), n: z.int().min(2), r: z.int().min(1), p: z.int().min(1).max(64), salt: hex })
      .refine(({ n, r }) => n * r <= 2 ** 23, 'scrypt would need more than 1 GiB'),
    message: z.literal(''),
  }),
  z.object({
    function: z.literal('pbkdf2'),
    params: z.object({
      dklen: z.literal(32),
      c: z.int().min(1).max(10_000_000),
      prf: z.literal('hmac-sha256'),
      salt: hex,
    }),
    message: z.literal(''),
  }),
]);

/** The `crypto` part of an EIP-2335 keystore that holds a secret of 32 bytes. */
export const eip2335Crypto = z.object({
  kdf,
  checksum: z.object({ function: z.literal('sha256'), params: z.object({}), message: hex.length(64) }),
  cipher: z.object({
    function: z.literal('aes-128-ctr'),
    params: z.object({ iv: hex.length(32) }),
    message: hex.length(64),
  }),
});

export type Eip2335Crypto = z.output<typeof eip2335Crypto>;

/** How a password is stretched: scrypt with work factor N, or pbkdf2 with so many rounds. */
export type PasswordCost = { readonly scryptN: number } | { readonly pbkdf2Rounds: number };

/** Encrypts 32 bytes under a password with a fresh salt and initialisation vector. */
export function encryptEip2335(secret: Hex, password: string, cost: PasswordCost): Eip2335Crypto {
  const salt = randomBytes(32).toString('hex');
  const derivation: Eip2335Crypto['kdf'] =
    'scryptN' in cost
      ? { function: 'scrypt', params: { dklen: 32, n: cost.scryptN, r: 8, p: 1, salt }, message: '' }
      : { function: 'pbkdf2', params: { dklen: 32, c: cost.pbkdf2Rounds, prf: 'hmac-sha256', salt }, message: '' };
  const key = deriveKey(derivation, password);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv);
  const message = Buffer.concat([cipher.update(hexToBytes(secret)), cipher.final()]);
  return {
    kdf: derivation,
    checksum: { function: 'sha256', params: {}, message: checksumOf(key, message).toString('hex') },
    cipher: { function: 'aes-128-ctr', params: { iv: iv.toString('hex') }, message: message.toString('hex') },
  };
}

/** The secret, or undefined when the password is not the one. */
export function decryptEip2335(crypto: Eip2335Crypto, password: string): Hex | undefined {
  const key = deriveKey(crypto.kdf, password);
  const message = Buffer.from(crypto.cipher.message, 'hex');
  if (!timingSafeEqual(checksumOf(key, message), Buffer.from(crypto.checksum.message, 'hex'))) return undefined;
  const iv = Buffer.from(crypto.cipher.params.iv, 'hex');
  const cipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), iv);
  return bytesToHex(Buffer.concat([cipher.update(message), cipher.final()]));
}

function deriveKey(derivation: Eip2335Crypto['kdf'], password: string): Buffer {
  const salt = Buffer.from(derivation.params.salt, 'hex');
  const bytes = Buffer.from(normalized(password), 'utf8');
  if (derivation.function === 'pbkdf2') {
    return pbkdf2Sync(bytes, salt, derivation.params.c, derivation.params.dklen, 'sha256');
  }
  const { n, r, p, dklen } = derivation.params;
  return scryptSync(bytes, salt, dklen, { N: n, r, p, maxmem: 128 * n * r * 2 + 128 * r * p + 1_048_576 });
}

function checksumOf(key: Buffer, message: Buffer): Buffer {
  return createHash('sha256').update(key.subarray(16, 32)).update(message).digest();
}

/** EIP-2335: NFKD, without the control codes C0, C1 and Delete. */
function normalized(password: string): string {
  // oxlint-disable-next-line no-control-regex -- control codes are what is looked for
  return password.normalize('NFKD').replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '');
}
