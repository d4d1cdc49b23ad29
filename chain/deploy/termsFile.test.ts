import { expect, it } from '@jest/globals';
import { ZodError } from 'zod';
import { withPacking } from '../../test/support/packingPolicy.js';
import { TEST_POLICY } from '../../test/support/marketChain.js';
import { parsePolicy } from './termsFile.js';

/** A policy as a file has it. */
function fileOf(policy: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(policy, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ) as Record<string, unknown>;
}

/** Fields that are wrong, each by its path. */
function problemsOf(file: object): string[] {
  try {
    parsePolicy(file);
  } catch (error) {
    if (error instanceof ZodError) return error.issues.map(({ path }) => path.join('.'));
    throw error;
  }
  return [];
}

it('reads a policy of either version of the rules; version 1 leaves out what it does not know', () => {
  const { weightPackingBps: _, packing: __, ...first } = fileOf(TEST_POLICY);
  expect(parsePolicy(first)).toEqual(TEST_POLICY);
  expect(parsePolicy(fileOf(TEST_POLICY))).toEqual(TEST_POLICY);
  expect(parsePolicy(fileOf(withPacking(TEST_POLICY)))).toEqual(withPacking(TEST_POLICY));
});

it('names what the version of the rules does not allow', () => {
  const packed = fileOf(withPacking(TEST_POLICY));
  expect(problemsOf({ ...packed, rulesVersion: 1 })).toEqual(['packing', 'weightPackingBps']);
  expect(problemsOf({ ...packed, packing: null })).toEqual(['packing']);
  expect(problemsOf({ ...packed, packing: undefined })).toEqual(['packing']);
});

it.each([
  ['fromMilli', [0, 500, 1000]],
  ['value', [30, 400, 1001]],
  ['deviceWeight', 65],
  ['cpuWeight', 65],
  ['memoryWeight', 17],
  ['cpuRate', 16_385],
  ['memoryRate', 4_097],
  ['models', [1024]],
  ['modelFactor', [0]],
])('names packing.%s when it is out of bounds', (field, value) => {
  const packed = withPacking(TEST_POLICY);
  const [problem, ...others] = problemsOf(fileOf({ ...packed, packing: { ...packed.packing, [field]: value } }));
  expect(problem).toMatch(new RegExp(`^packing\\.${field}`));
  expect(others).toEqual([]);
});
