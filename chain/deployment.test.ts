import { expect, test } from '@jest/globals';
import { DeploymentInvalidError, parseDeployment } from './deployment.js';

const ADDRESS = '0xABcdEFABcdEFabcdEfAbCdefabcdeFABcDEFabCD';

function named(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, ADDRESS]));
}

const GOOD = {
  name: 'devnet',
  chainId: 31_337,
  deploymentBlock: 1,
  blockTimeMs: 250,
  economicSecurity: false,
  contracts: named(
    'accessManager',
    'marketPause',
    'tokenRegistry',
    'matchPolicy',
    'stakingManager',
    'complianceRegistry',
    'providerRegistry',
    'providerAdmission',
    'providerAttributes',
    'certificateRegistry',
    'escrow',
    'orderRequest',
    'bid',
    'computeLease',
    'matchSettlement',
    'signedCalls',
    'rewardOracle',
    'rewarder',
  ),
  operatorSet: { avs: ADDRESS, id: 0 },
  eigenlayer: named(
    'allocationManager',
    'delegationManager',
    'strategyManager',
    'keyRegistrar',
    'crossChainRegistry',
    'operatorTableUpdater',
    'ecdsaCertificateVerifier',
    'bn254CertificateVerifier',
    'permissionController',
  ),
  stakeToken: ADDRESS,
  strategy: ADDRESS,
};

test('a deployment is read with its addresses in lower case, as logs and reads give them', () => {
  const deployment = parseDeployment(GOOD);
  expect(deployment.contracts.escrow).toBe(ADDRESS.toLowerCase());
  expect(parseDeployment(deployment)).toEqual(deployment);
});

test('all problems are told at once, each with its path', () => {
  const { escrow, ...contracts } = GOOD.contracts;
  const bad = {
    ...GOOD,
    chainId: 0,
    contracts: { ...contracts, orderRequest: `${escrow}00` },
    operatorSet: { avs: 'x', id: -1 },
    extra: 1,
  };
  const told = (() => {
    try {
      return parseDeployment(bad);
    } catch (error) {
      return error;
    }
  })();
  if (!(told instanceof DeploymentInvalidError)) throw new Error('it was accepted');
  for (const part of [
    'chainId:',
    'contracts.escrow:',
    'contracts.orderRequest:',
    'operatorSet.avs:',
    'operatorSet.id:',
    'extra',
  ]) {
    expect(told.message).toContain(part);
  }
});
