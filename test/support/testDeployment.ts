import { numberToHex } from 'viem';
import { parseDeployment, type Deployment } from '../../chain/deployment.js';

/** Every contract of a market, in the order of its deployment file. */
export const MARKET_CONTRACTS = [
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
] as const satisfies readonly (keyof Deployment['contracts'])[];

const EIGENLAYER = [
  'allocationManager',
  'delegationManager',
  'strategyManager',
  'strategyFactory',
  'keyRegistrar',
  'crossChainRegistry',
  'operatorTableUpdater',
  'ecdsaCertificateVerifier',
  'bn254CertificateVerifier',
  'permissionController',
  'rewardsCoordinator',
] as const satisfies readonly (keyof Deployment['eigenlayer'])[];

const address = (seed: number) => numberToHex(seed, { size: 20 });

function named<Name extends string>(names: readonly Name[], firstSeed: number): Record<Name, string> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of these very names
  return Object.fromEntries(names.map((name, index) => [name, address(firstSeed + index)])) as Record<Name, string>;
}

/** A deployment on one chain as its file says it, every address another one; nothing is deployed there. */
export function testDeploymentJson() {
  const eigenlayer = named(EIGENLAYER, 0x200);
  const chain = { chainId: 31_337, deploymentBlock: 1, blockTimeMs: 250 };
  return {
    name: 'test',
    ...chain,
    economicSecurity: false,
    contracts: named(MARKET_CONTRACTS, 0x100),
    operatorSet: { avs: address(1), id: 0 },
    quorum: {
      curve: 'ecdsa',
      checkedBy: 'eigenlayer',
      verifier: eigenlayer.ecdsaCertificateVerifier,
      certificateVerifier: eigenlayer.ecdsaCertificateVerifier,
    },
    eigenlayer,
    stake: { ...chain, ...named(['registrar', 'calculator', 'judge', 'slasher', 'vault'], 0x300) },
    stakeToken: address(0x400),
    strategy: address(0x401),
  };
}

/** The same, read. */
export function testDeployment(): Deployment {
  return parseDeployment(testDeploymentJson());
}
