import { expect, test } from '@jest/globals';

import { decryptEip2335, eip2335Crypto, encryptEip2335 } from './eip2335.js';

/** The test vectors of EIP-2335: a password with letters outside the BMP and compatibility forms, and both derivations. */
const PASSWORD = '𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑';
const SECRET = '0x000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f';
const salt = 'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3';
const cipher = { function: 'aes-128-ctr', params: { iv: '264daa3f303d7259501c93d997d84fe6' } };
const scrypt = {
  kdf: { function: 'scrypt', params: { dklen: 32, n: 262_144, p: 1, r: 8, salt }, message: '' },
  checksum: {
    function: 'sha256',
    params: {},
    message: 'd2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484',
  },
  cipher: { ...cipher, message: '06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f' },
};
const pbkdf2 = {
  kdf: { function: 'pbkdf2', params: { dklen: 32, c: 262_144, prf: 'hmac-sha256', salt }, message: '' },
  checksum: {
    function: 'sha256',
    params: {},
    message: '8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1',
  },
  cipher: { ...cipher, message: 'cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad' },
};

test.each([scrypt, pbkdf2])('the vector with $kdf.function opens, and with no other password', (vector) => {
  const crypto = eip2335Crypto.parse(vector);
  expect(decryptEip2335(crypto, PASSWORD)).toBe(SECRET);
  expect(decryptEip2335(crypto, `\u0000\u007f\u009f${PASSWORD}`)).toBe(SECRET);
  expect(decryptEip2335(crypto, `${PASSWORD} `)).toBeUndefined();
});

test.each([{ scryptN: 1_024 }, { pbkdf2Rounds: 1_000 }])('what is encrypted at %p opens again', (cost) => {
  const crypto = encryptEip2335(SECRET, 'pässword', cost);
  expect(eip2335Crypto.parse(crypto)).toEqual(crypto);
  expect(decryptEip2335(crypto, 'pässword')).toBe(SECRET);
  expect(decryptEip2335(crypto, 'password')).toBeUndefined();
  expect(encryptEip2335(SECRET, 'pässword', cost).cipher.message).not.toBe(crypto.cipher.message);
});

test('a file that would exhaust memory is refused before anything is derived', () => {
  const params = { ...scrypt.kdf.params, n: 2 ** 30 };
  expect(eip2335Crypto.safeParse({ ...scrypt, kdf: { ...scrypt.kdf, params } }).success).toBe(false);
});
