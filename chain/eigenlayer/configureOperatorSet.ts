import { isAddressEqual, zeroAddress, type Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { iReleaseManagerAbi } from '../contracts/generated/IReleaseManager.js';
import type { DeployDependencies } from '../deploy/createContract.js';
import type { Deployment } from '../deployment.js';
import { CURVE_TYPES } from './curveType.js';
import { readEigen, writeEigen } from './eigenCall.js';

/** What an operator set is to be. */
export interface OperatorSetParameters {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager' | 'keyRegistrar' | 'crossChainRegistry'> & {
    readonly releaseManager: Address | null;
  };
  readonly operatorSet: Deployment['operatorSet'];
  readonly curve: Deployment['quorum']['curve'];
  /** The one strategy whose stake counts. */
  readonly strategy: Address;
  readonly registrar: Address;
  readonly calculator: Address;
  /** The only account that may slash the set. */
  readonly slasher: Address;
  /** Who receives slashed stake, for ever. */
  readonly vault: Address;
  /** Where the AVS metadata JSON is. */
  readonly metadataUri: string;
  readonly maxStalenessSeconds: number;
}

/** The set's id has been used for something else, which cannot be changed. */
export class OperatorSetTakenError extends MatchmakerError<'OPERATOR_SET_TAKEN'> {
  constructor({ avs, id }: Deployment['operatorSet'], what: string, wanted: string, actual: string) {
    super(
      'OPERATOR_SET_TAKEN',
      `operator set ${id} of ${avs} exists, and its ${what} is ${actual}, not ${wanted}: go on with the --out folder that it was deployed from, or deploy a market for another set id`,
      { metadata: { avs, id, what, wanted, actual } },
    );
  }
}

/**
 * Makes the operator set what it is to be, in the order that EigenLayer wants: metadata, registrar, the set with slasher and recipient, its
 * curve, its reservation for tables, where its releases are found. What the chain already says is left as it is, so it can be called again.
 * Throws OperatorSetTakenError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function configureOperatorSet(
  parameters: OperatorSetParameters,
  dependencies: DeployDependencies,
): Promise<void> {
  await announceMetadata(parameters, dependencies);
  await setRegistrar(parameters, dependencies);
  await createSet(parameters, dependencies);
  await setCurve(parameters, dependencies);
  await reserveTables(parameters, dependencies);
  await announceReleases(parameters, dependencies);
}

/** Only an event tells what the URI is; whether one was sent is known here alone. */
async function announceMetadata(
  { eigenlayer, operatorSet, metadataUri }: OperatorSetParameters,
  { lane, progress }: DeployDependencies,
): Promise<void> {
  if (progress.isAnnounced('metadata', metadataUri)) return;
  await writeEigen(lane, {
    address: eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'updateAVSMetadataURI',
    args: [operatorSet.avs, metadataUri],
  });
  progress.noteAnnounced('metadata', metadataUri);
}

async function setRegistrar(
  { eigenlayer, operatorSet, registrar }: OperatorSetParameters,
  { lane, rpc }: DeployDependencies,
): Promise<void> {
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const current = await readEigen(rpc, { ...manager, functionName: 'getAVSRegistrar', args: [operatorSet.avs] });
  if (isAddressEqual(current, registrar)) return;
  await writeEigen(lane, { ...manager, functionName: 'setAVSRegistrar', args: [operatorSet.avs, registrar] });
}

async function createSet(
  { eigenlayer, operatorSet, strategy, slasher, vault }: OperatorSetParameters,
  { lane, rpc }: DeployDependencies,
): Promise<void> {
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const args = [operatorSet] as const;
  if (!(await readEigen(rpc, { ...manager, functionName: 'isOperatorSet', args }))) {
    const set = { operatorSetId: operatorSet.id, strategies: [strategy], slasher };
    await writeEigen(lane, {
      ...manager,
      functionName: 'createRedistributingOperatorSets',
      args: [operatorSet.avs, [set], [vault]],
    });
    return;
  }
  const [actualSlasher, recipient, strategies] = await Promise.all([
    readEigen(rpc, { ...manager, functionName: 'getSlasher', args }),
    readEigen(rpc, { ...manager, functionName: 'getRedistributionRecipient', args }),
    readEigen(rpc, { ...manager, functionName: 'getStrategiesInOperatorSet', args }),
  ]);
  const requireSame = (what: string, wanted: Address, actual: readonly Address[]): void => {
    if (actual.length === 1 && isAddressEqual(actual[0] ?? zeroAddress, wanted)) return;
    throw new OperatorSetTakenError(operatorSet, what, wanted, actual.join(', ') || 'none');
  };
  requireSame('slasher', slasher, [actualSlasher]);
  requireSame('redistribution recipient', vault, [recipient]);
  requireSame('strategy', strategy, strategies);
}

async function setCurve(
  { eigenlayer, operatorSet, curve }: OperatorSetParameters,
  { lane, rpc }: DeployDependencies,
): Promise<void> {
  const keys = { address: eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  const current = await readEigen(rpc, { ...keys, functionName: 'getOperatorSetCurveType', args: [operatorSet] });
  if (current === CURVE_TYPES[curve]) return;
  if (current !== 0) throw new OperatorSetTakenError(operatorSet, 'curve', curve, String(current));
  await writeEigen(lane, { ...keys, functionName: 'configureOperatorSet', args: [operatorSet, CURVE_TYPES[curve]] });
}

async function reserveTables(
  { eigenlayer, operatorSet, calculator, maxStalenessSeconds }: OperatorSetParameters,
  { lane, rpc }: DeployDependencies,
): Promise<void> {
  const registry = { address: eigenlayer.crossChainRegistry, abi: iCrossChainRegistryAbi };
  const args = [operatorSet] as const;
  const config = { owner: operatorSet.avs, maxStalenessPeriod: maxStalenessSeconds };
  if (!(await readEigen(rpc, { ...registry, functionName: 'hasActiveGenerationReservation', args }))) {
    await writeEigen(lane, {
      ...registry,
      functionName: 'createGenerationReservation',
      args: [operatorSet, calculator, config],
    });
    return;
  }
  const [actual, actualConfig] = await Promise.all([
    readEigen(rpc, { ...registry, functionName: 'getOperatorTableCalculator', args }),
    readEigen(rpc, { ...registry, functionName: 'getOperatorSetConfig', args }),
  ]);
  if (!isAddressEqual(actual, calculator)) {
    await writeEigen(lane, {
      ...registry,
      functionName: 'setOperatorTableCalculator',
      args: [operatorSet, calculator],
    });
  }
  if (
    !isAddressEqual(actualConfig.owner, config.owner) ||
    actualConfig.maxStalenessPeriod !== config.maxStalenessPeriod
  ) {
    await writeEigen(lane, { ...registry, functionName: 'setOperatorSetConfig', args: [operatorSet, config] });
  }
}

/** EigenLayer wants to know where a set's releases are described before any can be published. */
async function announceReleases(
  { eigenlayer, operatorSet, metadataUri }: OperatorSetParameters,
  { lane, rpc }: DeployDependencies,
): Promise<void> {
  if (eigenlayer.releaseManager === null) return;
  const releases = { address: eigenlayer.releaseManager, abi: iReleaseManagerAbi };
  if ((await readEigen(rpc, { ...releases, functionName: 'getMetadataURI', args: [operatorSet] })) === metadataUri) {
    return;
  }
  await writeEigen(lane, { ...releases, functionName: 'publishMetadataURI', args: [operatorSet, metadataUri] });
}
