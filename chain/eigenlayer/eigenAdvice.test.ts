import { expect, test } from '@jest/globals';
import { formatAbiItem } from 'viem/utils';
import type { Abi } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { iOperatorTableUpdaterAbi } from '../contracts/generated/IOperatorTableUpdater.js';
import { iPermissionControllerAbi } from '../contracts/generated/IPermissionController.js';
import { iReleaseManagerAbi } from '../contracts/generated/IReleaseManager.js';
import { iRewardsCoordinatorAbi } from '../contracts/generated/IRewardsCoordinator.js';
import { iStrategyFactoryAbi } from '../contracts/generated/IStrategyFactory.js';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import { matchmakerRegistrarAbi } from '../contracts/generated/MatchmakerRegistrar.js';
import { adviceErrorsAbi, adviceFor } from './eigenAdvice.js';

/** Contracts that people's own commands write to, and what those call in turn, so that they meet each of its errors. */
const WRITTEN_TO: readonly (readonly [string, Abi])[] = [
  ['AllocationManager', iAllocationManagerAbi],
  ['CrossChainRegistry', iCrossChainRegistryAbi],
  ['DelegationManager', iDelegationManagerAbi],
  ['KeyRegistrar', iKeyRegistrarAbi],
  ['OperatorTableUpdater', iOperatorTableUpdaterAbi],
  ['PermissionController', iPermissionControllerAbi],
  ['ReleaseManager', iReleaseManagerAbi],
  ['RewardsCoordinator', iRewardsCoordinatorAbi],
  ['StrategyFactory', iStrategyFactoryAbi],
  ['StrategyManager', iStrategyManagerAbi],
  ['MatchmakerRegistrar', matchmakerRegistrarAbi],
];

test.each(WRITTEN_TO)('every error of %s has advice under its very signature', (_, abi) => {
  const known = new Set(adviceErrorsAbi.map((item) => formatAbiItem(item)));
  const errors = abi.filter((item) => item.type === 'error');
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.map((item) => formatAbiItem(item)).filter((signature) => !known.has(signature))).toEqual([]);
});

test('every piece of advice says what is wrong and what to do', () => {
  for (const item of adviceErrorsAbi) {
    if (item.type !== 'error') continue;
    const advice = adviceFor(item.name);
    expect(advice?.problem).toMatch(/\S/);
    expect(advice?.fix).toMatch(/\S/);
  }
});

test('an unknown error has no advice', () => {
  expect(adviceFor('NoSuchError')).toBeNull();
  expect(adviceFor(null)).toBeNull();
});
