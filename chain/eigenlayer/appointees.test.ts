import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStakeChain, WHOLE, type StakeChain } from '../../test/support/stakeChain.js';
import { testDeployment } from '../../test/support/testDeployment.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iPermissionControllerAbi } from '../contracts/generated/IPermissionController.js';
import type { Deployment } from '../deployment.js';
import { allocateStake } from './allocateStake.js';
import { appoint, DUTIES, dutiesOf, type Duty } from './appointees.js';
import { becomeOperator, NotTheOperatorError } from './becomeOperator.js';
import { readEigen, writeEigen } from './eigenCall.js';
import { leaveOperatorSet } from './leaveOperatorSet.js';
import { registerOperator } from './registerOperator.js';
import { readSocket, updateSocket } from './updateSocket.js';

let chain: StakeChain;
let deployment: Pick<Deployment, 'eigenlayer' | 'stake'>;

beforeAll(async () => {
  chain = await startStakeChain({ minimumShares: 0n });
  const shape = testDeployment();
  deployment = {
    eigenlayer: { ...shape.eigenlayer, ...chain.eigenlayer },
    stake: { ...shape.stake, registrar: chain.stakeSide.registrar },
  };
}, 60_000);

afterAll(() => chain?.stop());

const cold = (): ReturnType<StakeChain['lane']> => chain.lane(1);
const hot = (): ReturnType<StakeChain['lane']> => chain.lane(2);
const act = (lane = hot()) => ({ lane, rpc: chain.rpc });
const appointment = (duties: readonly Duty[]) => ({
  deployment,
  operator: cold().address,
  appointee: hot().address,
  duties,
});

test('without rights a hot key can do nothing for the operator', async () => {
  const operator = cold().address;
  const { eigenlayer, stakeSide } = chain;
  const registration = { ...chain.registration(1, 0n), operator };
  await expect(registerOperator(registration, act())).rejects.toBeInstanceOf(NotTheOperatorError);
  await becomeOperator({ eigenlayer, operator, metadataUri: '', allocationDelayBlocks: 0 }, act(cold()));
  const { magnitude: _, ...joining } = registration;
  const refused = expect.stringMatching(/InvalidPermissions|CallerNotOperator/);
  for (const attempt of [
    registerOperator(joining, act()),
    allocateStake({ ...registration, magnitude: WHOLE }, act()),
    updateSocket({ registrar: stakeSide.registrar, operator, socket: 'http://thief' }, act()),
  ]) {
    await expect(attempt).rejects.toMatchObject({ code: 'EIGEN_CALL_REVERTED', message: refused });
  }
  expect(await dutiesOf(appointment([]), act())).toEqual([]);
});

test('with the rights of a duty it does that, and nothing else', async () => {
  const operator = cold().address;
  const { eigenlayer, stakeSide, rpc } = chain;
  const { operatorSet, registrar } = stakeSide;
  const given = await appoint(appointment(['register', 'socket']), 'give', act(cold()));
  expect(given.map(({ functionName }) => functionName)).toEqual([
    'registerKey',
    'registerForOperatorSets',
    'updateSocket',
  ]);
  expect(await appoint(appointment(['register', 'socket']), 'give', act(cold()))).toEqual([]);
  expect(await dutiesOf(appointment([]), act())).toEqual(['register', 'socket']);

  const { magnitude: _, ...registration } = { ...chain.registration(1, 0n), operator };
  expect(await registerOperator(registration, act())).toMatchObject({
    operator,
    isNewOperator: false,
    isNewKey: true,
    isNewMember: true,
  });
  expect(await updateSocket({ registrar, operator, socket: 'http://moved' }, act())).toBe(true);
  expect(await updateSocket({ registrar, operator, socket: 'http://moved' }, act())).toBe(false);
  expect(await readSocket({ registrar, operator }, { rpc })).toBe('http://moved');
  await expect(allocateStake({ ...registration, magnitude: WHOLE }, act())).rejects.toThrow('InvalidPermissions');
  await expect(leaveOperatorSet({ eigenlayer, operatorSet, operator }, act())).rejects.toThrow('InvalidCaller');

  await appoint(appointment(DUTIES), 'give', act(cold()));
  expect(await dutiesOf(appointment([]), act())).toEqual(DUTIES);
  expect(await allocateStake({ ...registration, magnitude: WHOLE }, act())).toMatchObject({ isNew: true });
  await leaveOperatorSet({ eigenlayer, operatorSet, operator }, act());
  const member = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi } as const;
  expect(
    await readEigen(rpc, { ...member, functionName: 'isMemberOfOperatorSet', args: [operator, operatorSet] }),
  ).toBe(false);
});

test('rights that are taken are gone, and once an admin accepted the operator’s own key has none', async () => {
  const operator = cold().address;
  const { registrar } = chain.stakeSide;
  const taken = await appoint(appointment(['socket']), 'take', act(cold()));
  expect(taken.map(({ functionName }) => functionName)).toEqual(['updateSocket']);
  await expect(updateSocket({ registrar, operator, socket: 'http://late' }, act())).rejects.toThrow(
    'CallerNotOperator',
  );
  const permissions = { address: chain.eigenlayer.permissionController, abi: iPermissionControllerAbi };
  const admin = chain.lane(3);
  await writeEigen(cold(), { ...permissions, functionName: 'addPendingAdmin', args: [operator, admin.address] });
  await writeEigen(admin, { ...permissions, functionName: 'acceptAdmin', args: [operator] });
  await expect(appoint(appointment(['socket']), 'give', act(cold()))).rejects.toThrow('NotAdmin');
  await expect(updateSocket({ registrar, operator, socket: 'http://own' }, act(cold()))).rejects.toThrow(
    'CallerNotOperator',
  );
  await appoint(appointment(['socket']), 'give', act(admin));
  expect(await updateSocket({ registrar, operator, socket: 'http://by-hot' }, act())).toBe(true);
});
