import { expect, test } from '@jest/globals';
import { encodeErrorResult } from 'viem';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { RpcAnswerError, RpcUnavailableError, type Rpc } from '../rpc/rpc.js';
import { EigenCallRevertedError, decodeEigenError, readEigen } from './eigenCall.js';

const OPERATOR = '0x0000000000000000000000000000000000000011';
const CALL = {
  address: OPERATOR,
  abi: iKeyRegistrarAbi,
  functionName: 'isKeyGloballyRegistered',
  args: [`0x${'11'.repeat(32)}`],
} as const;

/** A node that answers every call with this error. */
function failing(error: Error): Rpc {
  return { batch: () => Promise.reject(error), request: () => Promise.reject(error) };
}

test('a custom error is named with its arguments', () => {
  const data = encodeErrorResult({
    abi: iKeyRegistrarAbi,
    errorName: 'OperatorStillSlashable',
    args: [{ avs: OPERATOR, id: 7 }, OPERATOR],
  });
  expect(decodeEigenError(data)).toEqual({
    name: 'OperatorStillSlashable',
    args: [{ avs: OPERATOR, id: 7 }, OPERATOR],
  });
});

test.each(['0x', '0x12345678', '0xzz'] as const)('revert data %s is no known error', (data) => {
  expect(decodeEigenError(data)).toBeNull();
});

test('a revert becomes an error that names function and reason', async () => {
  const data = encodeErrorResult({ abi: iKeyRegistrarAbi, errorName: 'KeyAlreadyRegistered' });
  const answer = new RpcAnswerError('execution reverted', { rpcCode: 3, data });
  const failure = readEigen(failing(answer), CALL);
  await expect(failure).rejects.toBeInstanceOf(EigenCallRevertedError);
  await expect(failure).rejects.toMatchObject({
    errorName: 'KeyAlreadyRegistered',
    message: expect.stringMatching(
      /^isKeyGloballyRegistered: reverted with KeyAlreadyRegistered\(\): somebody has used .*; make a new one/,
    ),
    cause: answer,
  });
});

test('errors that are no reverts pass unchanged', async () => {
  for (const error of [new RpcUnavailableError('gone'), new RpcAnswerError('unknown block')]) {
    await expect(readEigen(failing(error), CALL)).rejects.toBe(error);
  }
});
