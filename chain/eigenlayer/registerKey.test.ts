import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { numberToHex, zeroAddress, type Hex } from 'viem';
import { Bn254KeyInvalidError, bn254PublicKey } from '../../protocol/bn254Key.js';
import { BN254_ORDER, encodeG1 } from '../../protocol/bn254Points.js';
import { startStakeChain, type StakeChain } from '../../test/support/stakeChain.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { becomeOperator } from './becomeOperator.js';
import { readEigen } from './eigenCall.js';
import { CurveNotConfiguredError, OtherSigningKeyError, registerKey } from './registerKey.js';

let chain: StakeChain;

beforeAll(async () => {
  chain = await startStakeChain({}, 'bn254');
  for (const index of [1, 2]) {
    const registration = { ...chain.registration(index, 0n), operator: chain.lane(index).address };
    await becomeOperator(registration, { lane: chain.lane(index), rpc: chain.rpc });
  }
}, 120_000);

afterAll(() => chain?.stop());

function register(index: number, scalar: bigint, operatorSet = chain.stakeSide.operatorSet) {
  const lane = chain.lane(index);
  const signingKey: Hex = numberToHex(scalar, { size: 32 });
  return registerKey(
    { eigenlayer: chain.eigenlayer, operatorSet, operator: lane.address, signingKey },
    { lane, rpc: chain.rpc },
  );
}

test('a BN254 key proves itself to the registrar, and registering it again sends nothing', async () => {
  const lane = chain.lane(1);
  const { g1, g2 } = bn254PublicKey(77n);
  expect(await register(1, 77n)).toEqual({ signer: encodeG1(g1), isNewKey: true });
  expect(
    await readEigen(chain.rpc, {
      address: chain.eigenlayer.keyRegistrar,
      abi: iKeyRegistrarAbi,
      functionName: 'getBN254Key',
      args: [chain.stakeSide.operatorSet, lane.address],
    }),
  ).toEqual([g1, g2]);
  const nonce = await lane.nextNonce();
  expect(await register(1, 77n)).toEqual({ signer: encodeG1(g1), isNewKey: false });
  await expect(register(1, 78n)).rejects.toThrow(OtherSigningKeyError);
  expect(await lane.nextNonce()).toBe(nonce);
});

test('a key that another operator has used is refused with the registrar’s error', async () => {
  await expect(register(2, 77n)).rejects.toMatchObject({ errorName: 'KeyAlreadyRegistered' });
});

test('a scalar that is none is refused before anything is sent', async () => {
  await expect(register(2, BN254_ORDER)).rejects.toThrow(Bn254KeyInvalidError);
});

test('a set without a curve says who must configure it', async () => {
  await expect(register(2, 5n, { avs: zeroAddress, id: 9 })).rejects.toThrow(CurveNotConfiguredError);
});
