import { encodeDeployData, getContractAddress, type Address, type Hex } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import {
  devnetAllocationManagerAbi,
  devnetAllocationManagerBytecode,
} from '../contracts/generated/DevnetAllocationManager.js';
import {
  devnetBN254CertificateVerifierAbi,
  devnetBN254CertificateVerifierBytecode,
} from '../contracts/generated/DevnetBN254CertificateVerifier.js';
import {
  devnetCrossChainRegistryAbi,
  devnetCrossChainRegistryBytecode,
} from '../contracts/generated/DevnetCrossChainRegistry.js';
import {
  devnetDelegationManagerAbi,
  devnetDelegationManagerBytecode,
} from '../contracts/generated/DevnetDelegationManager.js';
import {
  devnetECDSACertificateVerifierAbi,
  devnetECDSACertificateVerifierBytecode,
} from '../contracts/generated/DevnetECDSACertificateVerifier.js';
import { devnetKeyRegistrarAbi, devnetKeyRegistrarBytecode } from '../contracts/generated/DevnetKeyRegistrar.js';
import {
  devnetOperatorTableUpdaterAbi,
  devnetOperatorTableUpdaterBytecode,
} from '../contracts/generated/DevnetOperatorTableUpdater.js';
import {
  devnetPermissionControllerAbi,
  devnetPermissionControllerBytecode,
} from '../contracts/generated/DevnetPermissionController.js';
import {
  devnetStrategyFactoryAbi,
  devnetStrategyFactoryBytecode,
} from '../contracts/generated/DevnetStrategyFactory.js';
import {
  devnetStrategyManagerAbi,
  devnetStrategyManagerBytecode,
} from '../contracts/generated/DevnetStrategyManager.js';
import { DeployAddressError } from '../deploy/deployMarket.js';
import type { TransactionLane } from '../deploy/transactionLane.js';
import type { Deployment } from '../deployment.js';
import type { GeneratorInfo } from './generatorKey.js';

/** How the devnet's EigenLayer behaves. */
export interface EigenDevnetParameters {
  /** Blocks for which stake stays slashable after it was withdrawn from a set. */
  readonly deallocationDelayBlocks: number;
  /** Blocks before a changed allocation delay counts. */
  readonly allocationConfigurationDelayBlocks: number;
  /** Shortest staleness that a set may choose, seconds. */
  readonly tableUpdateCadenceSeconds: number;
  /** May disable table roots. */
  readonly pauser: Address;
  /** Names the generator's own table; no operator set needs to exist there. */
  readonly generatorSet: OperatorSet;
  readonly generatorInfo: GeneratorInfo;
}

/** EigenLayer's contracts, and the factory that makes a strategy for any token. */
export type EigenDevnet = Deployment['eigenlayer'] & { readonly strategyFactory: Address };

/** The order of deployment; the updater is last because its constructor stores the generator's table in a verifier. */
const CONTRACTS = [
  'permissionController',
  'delegationManager',
  'strategyManager',
  'strategyFactory',
  'allocationManager',
  'keyRegistrar',
  'crossChainRegistry',
  'bn254CertificateVerifier',
  'ecdsaCertificateVerifier',
  'operatorTableUpdater',
] as const satisfies readonly (keyof EigenDevnet)[];

/** Generators sign a root alone, so all of the weight must. */
const ROOT_THRESHOLD_BPS = 10_000;

/**
 * Deploys our own EigenLayer on a chain that has none. The contracts hold each other's addresses, which are therefore
 * computed before the first exists. Throws DeployAddressError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployEigenDevnet(
  parameters: EigenDevnetParameters,
  dependencies: { readonly lane: TransactionLane },
): Promise<EigenDevnet> {
  const { lane } = dependencies;
  const addresses = predictAddresses(lane.address, await lane.nextNonce());
  const creations = creationData(parameters, addresses);

  const sent = [];
  for (const contract of CONTRACTS.slice(0, -1)) {
    sent.push({ contract, ...(await lane.send({ data: creations[contract], label: `deploy ${contract}` })) });
  }
  for (const { contract, mined } of sent) checkAddress(contract, addresses, (await mined).contractAddress);
  const updater = await lane.run({ data: creations.operatorTableUpdater, label: 'deploy operatorTableUpdater' });
  checkAddress('operatorTableUpdater', addresses, updater.contractAddress);
  return addresses;
}

function checkAddress(contract: keyof EigenDevnet, addresses: EigenDevnet, actual: Address | null): void {
  if (actual?.toLowerCase() !== addresses[contract])
    throw new DeployAddressError(contract, addresses[contract], actual);
}

function predictAddresses(from: Address, firstNonce: number): EigenDevnet {
  const entries = CONTRACTS.map((contract, index) => [
    contract,
    getContractAddress({ from, nonce: BigInt(firstNonce + index) }).toLowerCase(),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- CONTRACTS names every key
  return Object.fromEntries(entries) as EigenDevnet;
}

function creationData(parameters: EigenDevnetParameters, addresses: EigenDevnet): Record<keyof EigenDevnet, Hex> {
  const { permissionController, allocationManager, delegationManager, strategyManager, keyRegistrar } = addresses;
  return {
    permissionController: encodeDeployData({
      abi: devnetPermissionControllerAbi,
      bytecode: devnetPermissionControllerBytecode,
    }),
    delegationManager: encodeDeployData({
      abi: devnetDelegationManagerAbi,
      bytecode: devnetDelegationManagerBytecode,
      args: [allocationManager, strategyManager, permissionController],
    }),
    strategyManager: encodeDeployData({
      abi: devnetStrategyManagerAbi,
      bytecode: devnetStrategyManagerBytecode,
      args: [delegationManager, addresses.strategyFactory],
    }),
    strategyFactory: encodeDeployData({
      abi: devnetStrategyFactoryAbi,
      bytecode: devnetStrategyFactoryBytecode,
      args: [strategyManager],
    }),
    allocationManager: encodeDeployData({
      abi: devnetAllocationManagerAbi,
      bytecode: devnetAllocationManagerBytecode,
      args: [
        delegationManager,
        permissionController,
        parameters.deallocationDelayBlocks,
        parameters.allocationConfigurationDelayBlocks,
      ],
    }),
    keyRegistrar: encodeDeployData({
      abi: devnetKeyRegistrarAbi,
      bytecode: devnetKeyRegistrarBytecode,
      args: [allocationManager, permissionController],
    }),
    crossChainRegistry: encodeDeployData({
      abi: devnetCrossChainRegistryAbi,
      bytecode: devnetCrossChainRegistryBytecode,
      args: [allocationManager, keyRegistrar, permissionController, parameters.tableUpdateCadenceSeconds],
    }),
    bn254CertificateVerifier: encodeDeployData({
      abi: devnetBN254CertificateVerifierAbi,
      bytecode: devnetBN254CertificateVerifierBytecode,
      args: [addresses.operatorTableUpdater],
    }),
    ecdsaCertificateVerifier: encodeDeployData({
      abi: devnetECDSACertificateVerifierAbi,
      bytecode: devnetECDSACertificateVerifierBytecode,
      args: [addresses.operatorTableUpdater],
    }),
    operatorTableUpdater: encodeDeployData({
      abi: devnetOperatorTableUpdaterAbi,
      bytecode: devnetOperatorTableUpdaterBytecode,
      args: [
        addresses.bn254CertificateVerifier,
        addresses.ecdsaCertificateVerifier,
        parameters.pauser,
        parameters.generatorSet,
        ROOT_THRESHOLD_BPS,
        parameters.generatorInfo,
      ],
    }),
  };
}
