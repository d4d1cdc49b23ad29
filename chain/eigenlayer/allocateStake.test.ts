import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStakeChain, WHOLE, type StakeChain } from '../../test/support/stakeChain.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { latestBlock } from '../rpc/rpcCall.js';
import {
  allocateStake,
  AllocationDelayMissingError,
  AllocationPendingError,
  MagnitudeUnavailableError,
  percentOf,
  type AllocationChange,
} from './allocateStake.js';
import { becomeOperator } from './becomeOperator.js';
import { readEigen, writeEigen } from './eigenCall.js';
import { readDeparture } from './operatorDeparture.js';
import { leaveOperatorSet } from './leaveOperatorSet.js';
import { registerOperator } from './registerOperator.js';
import { setAllocationDelay } from './setAllocationDelay.js';

let chain: StakeChain;
/** Of the chain of `startStakeChain`. */
const DEALLOCATION_DELAY = 10;
const CONFIGURATION_DELAY = 15;

beforeAll(async () => {
  chain = await startStakeChain();
}, 60_000);

afterAll(() => chain?.stop());

const headOf = async (): Promise<number> => (await chain.rpc.request(latestBlock())).number;

function allocate(index: number, magnitude: bigint | 'free'): Promise<AllocationChange> {
  const lane = chain.lane(index);
  const { eigenlayer, strategy, stakeSide } = chain;
  return allocateStake(
    { eigenlayer, operatorSet: stakeSide.operatorSet, strategy, operator: lane.address, magnitude },
    { lane, rpc: chain.rpc },
  );
}

async function mine(blocks: number): Promise<void> {
  const hex = `0x${blocks.toString(16)}`;
  await chain.rpc.request({ method: 'anvil_mine', params: [hex], decode: (raw) => raw });
}

test('a target is reached after the allocation delay, one change at a time, and asking again sends nothing', async () => {
  const lane = chain.lane(1);
  const operator = lane.address;
  await becomeOperator(
    { eigenlayer: chain.eigenlayer, operator, metadataUri: '', allocationDelayBlocks: 5 },
    { lane, rpc: chain.rpc },
  );
  const change = await allocate(1, WHOLE / 4n);
  expect(change).toEqual({ isNew: true, current: 0n, target: WHOLE / 4n, effectBlock: (await headOf()) + 5 });
  const nonce = await lane.nextNonce();
  expect(await allocate(1, WHOLE / 4n)).toEqual({ ...change, isNew: false });
  await expect(allocate(1, WHOLE / 2n)).rejects.toBeInstanceOf(AllocationPendingError);
  await expect(allocate(1, WHOLE / 2n)).rejects.toThrow(`25 % is pending until block ${change.effectBlock}, 5 blocks`);
  expect(await lane.nextNonce()).toBe(nonce);

  await mine(5);
  expect(await allocate(1, WHOLE / 4n)).toMatchObject({ isNew: false, current: WHOLE / 4n });
  expect(await allocate(1, 'free')).toMatchObject({ isNew: true, current: WHOLE / 4n, target: WHOLE });
});

test('more than there is, is refused with what is free, before anything is sent', async () => {
  const error: unknown = await allocate(1, WHOLE).catch((caught: unknown) => caught);
  // The allocation of the test before is on its way to the same target.
  expect(error).toMatchObject({ isNew: false });
  await mine(5);
  await expect(allocate(1, WHOLE + 1n)).rejects.toBeInstanceOf(MagnitudeUnavailableError);
  await expect(allocate(1, 2n * WHOLE)).rejects.toThrow('200 % cannot be allocated: 100 % is free for this set');
});

test('an operator without an allocation delay in force is told to set one', async () => {
  const lane = chain.lane(2);
  const operator = lane.address;
  await becomeOperator(
    { eigenlayer: chain.eigenlayer, operator, metadataUri: '', allocationDelayBlocks: 0 },
    { lane, rpc: chain.rpc },
  );
  const { effectBlock } = await setAllocationDelay(
    { eigenlayer: chain.eigenlayer, operator, delayBlocks: 3 },
    { lane, rpc: chain.rpc },
  );
  expect(effectBlock).toBe((await headOf()) + CONFIGURATION_DELAY + 1);
  const manager = { address: chain.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const delay = () => readEigen(chain.rpc, { ...manager, functionName: 'getAllocationDelay', args: [operator] });
  await mine(CONFIGURATION_DELAY);
  expect(await delay()).toEqual([true, 0]);
  await mine(1);
  expect(await delay()).toEqual([true, 3]);
  // Operators that registered before delays were part of it have none.
  await expect(allocate(9, WHOLE)).rejects.toBeInstanceOf(AllocationDelayMissingError);
});

test('who left stays slashable for the deallocation delay, and so does what it takes back meanwhile', async () => {
  const lane = chain.lane(3);
  const { eigenlayer, stakeSide, rpc } = chain;
  const { operatorSet } = stakeSide;
  await chain.fund(lane.address, 3n * WHOLE);
  await registerOperator(chain.registration(3, 3n * WHOLE), { lane, rpc });
  const who = { eigenlayer, operatorSet, operator: lane.address };
  expect(await readDeparture({ ...who, head: await headOf() }, { rpc })).toBeNull();

  const left = await leaveOperatorSet(who, { lane, rpc });
  expect(left).toEqual({
    leftInBlock: await headOf(),
    slashableUntilBlock: (await headOf()) + DEALLOCATION_DELAY,
  });
  expect(await readDeparture({ ...who, head: await headOf() }, { rpc })).toEqual(left);
  const down = await allocate(3, 0n);
  expect(down).toMatchObject({ isNew: true, current: WHOLE, target: 0n });
  expect(down.effectBlock).toBe((await headOf()) + DEALLOCATION_DELAY + 1);

  const slashable = () =>
    readEigen(rpc, {
      address: eigenlayer.allocationManager,
      abi: iAllocationManagerAbi,
      functionName: 'isOperatorSlashable',
      args: [lane.address, operatorSet],
    });
  await mine(left.slashableUntilBlock - (await headOf()));
  expect(await slashable()).toBe(true);
  await mine(1);
  expect(await slashable()).toBe(false);
  expect(await readDeparture({ ...who, head: await headOf() }, { rpc })).toBeNull();
});

test('an error that no declaration of ours has is named with its remedy', async () => {
  const lane = chain.lane(4);
  const call = writeEigen(lane, {
    address: chain.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'modifyAllocations',
    args: [
      chain.lane(1).address,
      [{ operatorSet: chain.stakeSide.operatorSet, strategies: [chain.strategy], newMagnitudes: [1n] }],
    ],
  });
  await expect(call).rejects.toThrow('modifyAllocations: reverted with InvalidPermissions(): this account may not act');
});

test.each([
  [0n, '0'],
  [WHOLE, '100'],
  [WHOLE / 4n, '25'],
  [WHOLE / 3n, '33.3333'],
  [WHOLE - 1n, '99.9999'],
  [10n ** 12n, '0.0001'],
])('%d of 1e18 is %s %%', (magnitude, percent) => {
  expect(percentOf(magnitude)).toBe(percent);
});
