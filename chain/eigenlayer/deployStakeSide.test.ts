import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { readEigen } from './eigenCall.js';
import { deployStakeSide } from './deployStakeSide.js';
import { deployStrategy } from './deployStrategy.js';
import { startStakeChain, UPDATE_CADENCE_SECONDS, type StakeChain } from '../../test/support/stakeChain.js';

const BURN_ADDRESS = '0x00000000000000000000000000000000000E16E4';
let chain: StakeChain;

beforeAll(async () => {
  chain = await startStakeChain();
}, 60_000);

afterAll(() => chain?.stop());

function parameters() {
  return {
    eigenlayer: chain.eigenlayer,
    operatorSetId: 9,
    strategy: chain.strategy,
    slasher: chain.lane(1).address,
    metadataUri: 'https://matchmaker.example/avs.json',
    lookaheadBlocks: 5,
    maxStalenessSeconds: UPDATE_CADENCE_SECONDS,
  };
}

test('a set with a recipient redistributes to it and has the calculator’s table', async () => {
  const { operatorSet, registrar, calculator } = chain.stakeSide;
  const allocation = { address: chain.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const registry = { address: chain.eigenlayer.crossChainRegistry, abi: iCrossChainRegistryAbi };
  const keys = { address: chain.eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  const read = (name: 'getSlasher' | 'getRedistributionRecipient' | 'getStrategiesInOperatorSet') =>
    readEigen(chain.rpc, { ...allocation, functionName: name, args: [operatorSet] });
  expect(operatorSet).toEqual({ avs: chain.lane(0).address, id: 3 });
  expect(await read('getSlasher')).toMatch(/51a5$/i);
  expect(await read('getRedistributionRecipient')).toMatch(/fa17$/i);
  expect(await read('getStrategiesInOperatorSet')).toEqual([chain.strategy]);
  expect(
    await readEigen(chain.rpc, { ...allocation, functionName: 'getAVSRegistrar', args: [operatorSet.avs] }),
  ).toMatch(new RegExp(registrar, 'i'));
  expect(
    await readEigen(chain.rpc, { ...registry, functionName: 'getOperatorTableCalculator', args: [operatorSet] }),
  ).toMatch(new RegExp(calculator, 'i'));
  expect(
    await readEigen(chain.rpc, { ...registry, functionName: 'getOperatorSetConfig', args: [operatorSet] }),
  ).toEqual({ owner: operatorSet.avs, maxStalenessPeriod: 3_600 });
  expect(await readEigen(chain.rpc, { ...keys, functionName: 'getOperatorSetCurveType', args: [operatorSet] })).toBe(1);
});

test('a set without a recipient burns', async () => {
  const { operatorSet } = await deployStakeSide(parameters(), { lane: chain.lane(1) });
  const recipient = await readEigen(chain.rpc, {
    address: chain.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'getRedistributionRecipient',
    args: [operatorSet],
  });
  expect(recipient).toBe(BURN_ADDRESS);
});

test('a staleness below the cadence is refused', async () => {
  await expect(
    deployStakeSide({ ...parameters(), maxStalenessSeconds: UPDATE_CADENCE_SECONDS - 1 }, { lane: chain.lane(2) }),
  ).rejects.toMatchObject({ errorName: 'InvalidStalenessPeriod' });
});

test('a token keeps the strategy that it has', async () => {
  const { strategyFactory } = chain.eigenlayer;
  const nonce = await chain.lane(3).nextNonce();
  const dependencies = { lane: chain.lane(3), rpc: chain.rpc };
  expect(await deployStrategy({ strategyFactory, token: chain.stakeToken }, dependencies)).toBe(chain.strategy);
  expect(await chain.lane(3).nextNonce()).toBe(nonce);
});
