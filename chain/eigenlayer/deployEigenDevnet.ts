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
  devnetRewardsCoordinatorAbi,
  devnetRewardsCoordinatorBytecode,
} from '../contracts/generated/DevnetRewardsCoordinator.js';
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

/** How the devnet's rewards coordinator behaves. */
export interface EigenDevnetRewards {
  /** Submits the roots that claims are paid against. */
  readonly rewardsUpdater: Address;
  /** Periods begin and last a multiple of it. */
  readonly calculationIntervalSeconds: number;
  readonly maxRewardsDurationSeconds: number;
  /** How long before its submission a period may begin. */
  readonly maxRetroactiveSeconds: number;
  readonly maxFutureSeconds: number;
  /** Seconds; no period begins before. */
  readonly genesisTimestamp: number;
  /** Between a root or a split and its use. */
  readonly activationDelaySeconds: number;
  /** Of operators that set none. */
  readonly defaultOperatorSplitBips: number;
}

/** How the devnet's EigenLayer behaves. */
export interface EigenDevnetParameters {
  /** Blocks for which stake stays slashable after it was taken back from a set or queued for withdrawal. */
  readonly deallocationDelayBlocks: number;
  /** Blocks before a changed allocation delay or slasher counts. */
  readonly allocationConfigurationDelayBlocks: number;
  /** Shortest staleness that a set may choose, seconds. */
  readonly tableUpdateCadenceSeconds: number;
  /** May disable table roots. */
  readonly pauser: Address;
  readonly rewards: EigenDevnetRewards;
  /** Names the generator's own table; no operator set needs to exist there. */
  readonly generatorSet: OperatorSet;
  readonly generatorInfo: GeneratorInfo;
}

/** EigenLayer's contracts of a devnet. */
export type EigenDevnet = Deployment['eigenlayer'];

/** What operator sets live with, in the order of deployment. */
const SOURCE = [
  'permissionController',
  'delegationManager',
  'strategyManager',
  'strategyFactory',
  'allocationManager',
  'keyRegistrar',
  'crossChainRegistry',
  'rewardsCoordinator',
] as const satisfies readonly (keyof EigenDevnet)[];

/** Where tables arrive, in the order of deployment; the updater is last because its constructor stores the generator's table in a verifier. */
const DESTINATION = [
  'bn254CertificateVerifier',
  'ecdsaCertificateVerifier',
  'operatorTableUpdater',
] as const satisfies readonly (keyof EigenDevnet)[];

/** Generators sign a root alone, so all of the weight must. */
const ROOT_THRESHOLD_BPS = 10_000;

/**
 * Deploys our own EigenLayer: what operator sets live with by `lane`, and where their tables arrive by `tableLane`, which may be of another
 * chain. The contracts hold each other's addresses, which are therefore computed before the first exists.
 * Throws DeployAddressError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployEigenDevnet(
  parameters: EigenDevnetParameters,
  dependencies: { readonly lane: TransactionLane; readonly tableLane?: TransactionLane },
): Promise<EigenDevnet> {
  const { lane, tableLane = lane } = dependencies;
  const source = await predictAddresses(SOURCE, lane);
  await create(lane, source, sourceCreation(parameters, source));
  const destination = await predictAddresses(DESTINATION, tableLane);
  const { operatorTableUpdater, ...verifiers } = destinationCreation(parameters, destination);
  await create(tableLane, destination, verifiers);
  await create(tableLane, destination, { operatorTableUpdater });
  return { ...source, ...destination };
}

/** Creates those of the contracts whose code is given, in the order of the addresses, which is that of the nonces. */
async function create<Name extends string>(
  lane: TransactionLane,
  addresses: Readonly<Record<Name, Address>>,
  creations: Readonly<Partial<Record<Name, Hex>>>,
): Promise<void> {
  const sent = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type names all keys
  for (const contract of Object.keys(addresses) as Name[]) {
    const data = creations[contract];
    if (data === undefined) continue;
    sent.push({ contract, ...(await lane.send({ data, label: `deploy ${contract}` })) });
  }
  for (const { contract, mined } of sent) {
    const { contractAddress } = await mined;
    if (contractAddress !== addresses[contract]) {
      throw new DeployAddressError(contract, addresses[contract], contractAddress);
    }
  }
}

async function predictAddresses<Name extends string>(
  names: readonly Name[],
  lane: TransactionLane,
): Promise<Record<Name, Address>> {
  const firstNonce = await lane.nextNonce();
  const entries = names.map((contract, index) => [
    contract,
    getContractAddress({ from: lane.address, nonce: BigInt(firstNonce + index) }).toLowerCase(),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of these very names
  return Object.fromEntries(entries) as Record<Name, Address>;
}

function sourceCreation(
  parameters: EigenDevnetParameters,
  addresses: Pick<EigenDevnet, (typeof SOURCE)[number]>,
): Record<(typeof SOURCE)[number], Hex> {
  const { permissionController, allocationManager, delegationManager, strategyManager, keyRegistrar } = addresses;
  const { rewards } = parameters;
  return {
    permissionController: encodeDeployData({
      abi: devnetPermissionControllerAbi,
      bytecode: devnetPermissionControllerBytecode,
    }),
    delegationManager: encodeDeployData({
      abi: devnetDelegationManagerAbi,
      bytecode: devnetDelegationManagerBytecode,
      args: [allocationManager, strategyManager, permissionController, parameters.deallocationDelayBlocks],
    }),
    strategyManager: encodeDeployData({
      abi: devnetStrategyManagerAbi,
      bytecode: devnetStrategyManagerBytecode,
      args: [delegationManager, allocationManager, addresses.strategyFactory],
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
    rewardsCoordinator: encodeDeployData({
      abi: devnetRewardsCoordinatorAbi,
      bytecode: devnetRewardsCoordinatorBytecode,
      args: [
        allocationManager,
        delegationManager,
        strategyManager,
        permissionController,
        {
          rewardsUpdater: rewards.rewardsUpdater,
          calculationInterval: rewards.calculationIntervalSeconds,
          maxRewardsDuration: rewards.maxRewardsDurationSeconds,
          maxRetroactiveLength: rewards.maxRetroactiveSeconds,
          maxFutureLength: rewards.maxFutureSeconds,
          genesisTimestamp: rewards.genesisTimestamp,
          activationDelay: rewards.activationDelaySeconds,
          defaultOperatorSplitBips: rewards.defaultOperatorSplitBips,
        },
      ],
    }),
  };
}

function destinationCreation(
  parameters: EigenDevnetParameters,
  addresses: Pick<EigenDevnet, (typeof DESTINATION)[number]>,
): Record<(typeof DESTINATION)[number], Hex> {
  return {
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
