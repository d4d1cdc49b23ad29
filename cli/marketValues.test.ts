import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import {
  cpuOf,
  gpuOf,
  memoryOf,
  microOf,
  minutesOf,
  modelOf,
  percentOf,
  readCertificate,
  regionOf,
  storageOf,
} from './marketValues.js';
import { TEST_CERTIFICATE } from '../test/support/testCertificate.js';
import { InvalidFlagError } from './usage.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-values-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a certificate's fingerprint is that of its public key", () => {
  const file = path.join(folder, 'provider.crt');
  writeFileSync(file, TEST_CERTIFICATE);
  // The fingerprint is openssl's SHA-256 of the public key in DER.
  expect(readCertificate(file)).toEqual({
    fingerprint: '0x2e628cbd9f4087dfab08b5c18c766a683a5e07f618eba4ebb1ca736d86c0f12e',
    notAfterSeconds: 2110710464,
  });
  writeFileSync(file, 'no certificate');
  expect(() => readCertificate(file)).toThrow('is no certificate; name an X.509 certificate in PEM');
  expect(() => readCertificate(path.join(folder, 'none'))).toThrow('name a file that can be read');
});

test('quantities are read as people write them', () => {
  expect([cpuOf('--cpu', '0.5'), memoryOf('--memory', '32Gi'), storageOf('--storage', '4Ti')]).toEqual([
    500, 32_768, 4_096,
  ]);
  expect([gpuOf('--gpu', '0.25'), microOf('--price', '4.2'), minutesOf('--for', '90s')]).toEqual([250, 4_200_000, 2]);
  expect([percentOf('percent', '2.5%'), modelOf('h100'), modelOf('none'), regionOf('germany')]).toEqual([
    250, 51, 0, 64,
  ]);
});

test.each([
  [() => cpuOf('--cpu', 'x'), '--cpu: `x` is no number of cores; write it like 16, 0.5 or 100m'],
  [() => memoryOf('--memory', '99Ei'), '--memory: `99Ei` is no size'],
  [() => gpuOf('--gpu', '9'), '--gpu: `9` is no number of GPUs'],
  [() => microOf('--price', '1.0000001'), '--price: `1.0000001` is no price'],
  [() => minutesOf('--for', '0s'), '--for: `0s` is no duration'],
  [() => percentOf('percent', '101'), 'percent: `101` is no percentage'],
  [() => modelOf('hh100'), '--model: `hh100` is not known; did you mean `h100`?'],
  [() => regionOf('germny'), '--region: `germny` is not known; did you mean `germany`?'],
])('what is none names the flag and the fix', (read, message) => {
  expect(read).toThrow(InvalidFlagError);
  expect(read).toThrow(message);
});
