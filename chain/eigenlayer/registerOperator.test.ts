import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { matchmakerRegistrarAbi } from '../contracts/generated/MatchmakerRegistrar.js';
import { TokenBalanceError } from './approveToken.js';
import { readEigen } from './eigenCall.js';
import { OtherSigningKeyError } from './registerKey.js';
import { registerOperator } from './registerOperator.js';
import { startStakeChain, WHOLE, type StakeChain } from '../../test/support/stakeChain.js';

let chain: StakeChain;

beforeAll(async () => {
  chain = await startStakeChain();
}, 60_000);

afterAll(() => chain?.stop());

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

test('an account becomes an operator with stake, key and socket, and doing it again sends nothing', async () => {
  const lane = chain.lane(1);
  const { operatorSet, registrar } = chain.stakeSide;
  await chain.fund(lane.address, 30n * WHOLE);
  const result = await registerOperator(chain.registration(1, 30n * WHOLE), { lane, rpc: chain.rpc });
  const who = { operator: lane.address, signer: chain.account(101).account.address };
  expect(result).toEqual({ ...who, isNewOperator: true, isNewKey: true, isNewMember: true });

  const allocation = { address: chain.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const block = await chain.rpc.request({ method: 'eth_blockNumber', params: [], decode: Number });
  const stake = await readEigen(chain.rpc, {
    ...allocation,
    functionName: 'getMinimumSlashableStake',
    args: [operatorSet, [lane.address], [chain.strategy], block],
  });
  expect(stake).toEqual([[30n * WHOLE]]);
  const socket = { address: registrar, abi: matchmakerRegistrarAbi };
  expect(await readEigen(chain.rpc, { ...socket, functionName: 'getOperatorSocket', args: [lane.address] })).toBe(
    'http://127.0.0.1:9001',
  );
  const keys = { address: chain.eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  expect(
    await readEigen(chain.rpc, { ...keys, functionName: 'getECDSAAddress', args: [operatorSet, lane.address] }),
  ).toBe(result.signer);

  const nonce = await lane.nextNonce();
  expect(await registerOperator(chain.registration(1, 30n * WHOLE), { lane, rpc: chain.rpc })).toEqual({
    ...who,
    isNewOperator: false,
    isNewKey: false,
    isNewMember: false,
  });
  expect(await lane.nextNonce()).toBe(nonce);
});

test('a registration that ran out of tokens says so and is finished by calling again', async () => {
  const lane = chain.lane(2);
  const registration = chain.registration(2, 5n * WHOLE);
  const error = await refusal(registerOperator(registration, { lane, rpc: chain.rpc }));
  expect(error).toBeInstanceOf(TokenBalanceError);

  await chain.fund(lane.address, 5n * WHOLE);
  await registerOperator(registration, { lane, rpc: chain.rpc });
  const member = await readEigen(chain.rpc, {
    address: chain.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'isMemberOfOperatorSet',
    args: [lane.address, chain.stakeSide.operatorSet],
  });
  expect(member).toBe(true);
});

test('a signing key that another operator has used is refused with the registrar’s error', async () => {
  const { signingKey } = chain.registration(1, 0n);
  const error = await refusal(
    registerOperator({ ...chain.registration(3, 0n), signingKey }, { lane: chain.lane(3), rpc: chain.rpc }),
  );
  expect(error).toMatchObject({ code: 'EIGEN_CALL_REVERTED', errorName: 'KeyAlreadyRegistered' });
});

test('whoever has less stake than the set asks for does not join, and is told how to get it', async () => {
  const error = await refusal(registerOperator(chain.registration(7, 0n), { lane: chain.lane(7), rpc: chain.rpc }));
  expect(error).toMatchObject({
    errorName: 'StakeBelowMinimum',
    message: expect.stringMatching(/StakeBelowMinimum\(0, 1\).*operator register --stake/),
  });
});

test('a second signing key for one operator is refused before anything is sent', async () => {
  const { signingKey } = chain.registration(4, 0n);
  const nonce = await chain.lane(1).nextNonce();
  const error = await refusal(
    registerOperator({ ...chain.registration(1, 30n * WHOLE), signingKey }, { lane: chain.lane(1), rpc: chain.rpc }),
  );
  expect(error).toBeInstanceOf(OtherSigningKeyError);
  expect(await chain.lane(1).nextNonce()).toBe(nonce);
});

test('a set that does not exist is refused with its error', async () => {
  const registration = chain.registration(5, 0n);
  const error = await refusal(
    registerOperator(
      { ...registration, operatorSet: { ...registration.operatorSet, id: 99 } },
      { lane: chain.lane(5), rpc: chain.rpc },
    ),
  );
  expect(error).toMatchObject({ errorName: 'InvalidOperatorSet' });
});
