import { encodeDeployData, type Address, type Hex } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { ecdsaTableCalculatorAbi, ecdsaTableCalculatorBytecode } from '../contracts/generated/EcdsaTableCalculator.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { matchmakerRegistrarAbi, matchmakerRegistrarBytecode } from '../contracts/generated/MatchmakerRegistrar.js';
import type { TransactionLane } from '../deploy/transactionLane.js';
import type { Deployment } from '../deployment.js';

import { RpcAnswerError } from '../rpc/rpc.js';
import { writeEigen } from './eigenCall.js';

/** EigenLayer's number for ECDSA keys. */
const CURVE_ECDSA = 1;

/** What an operator set is made of. */
export interface StakeSideParameters {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager' | 'keyRegistrar' | 'crossChainRegistry'>;
  /** Any id that the AVS has not used yet. */
  readonly operatorSetId: number;
  /** The one strategy whose stake counts. */
  readonly strategy: Address;
  /** The only account that may slash the set. */
  readonly slasher: Address;
  /** Who receives slashed stake, for ever; absent: it is burnt. */
  readonly redistributionRecipient?: Address;
  readonly metadataUri: string;
  /** Stake counts only while it stays slashable for so many blocks. */
  readonly lookaheadBlocks: number;
  /** Seconds for which a table stays usable; at least the registry's cadence. */
  readonly maxStalenessSeconds: number;
}

/** An operator set ready for operators to join. */
export interface StakeSide {
  readonly operatorSet: OperatorSet;
  readonly registrar: Address;
  readonly calculator: Address;
}

/**
 * Makes the lane's account an AVS with one ECDSA operator set: registrar, table calculator, metadata, the set, its curve
 * and its reservation for tables. Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployStakeSide(
  parameters: StakeSideParameters,
  dependencies: { readonly lane: TransactionLane },
): Promise<StakeSide> {
  const { lane } = dependencies;
  const { allocationManager, keyRegistrar, crossChainRegistry } = parameters.eigenlayer;
  const avs = lane.address;
  const operatorSet = { avs, id: parameters.operatorSetId };

  const registrar = await deploy(
    lane,
    'registrar',
    encodeDeployData({
      abi: matchmakerRegistrarAbi,
      bytecode: matchmakerRegistrarBytecode,
      args: [allocationManager, keyRegistrar, avs],
    }),
  );
  const calculator = await deploy(
    lane,
    'table calculator',
    encodeDeployData({
      abi: ecdsaTableCalculatorAbi,
      bytecode: ecdsaTableCalculatorBytecode,
      args: [keyRegistrar, allocationManager, parameters.lookaheadBlocks],
    }),
  );

  const allocation = { address: allocationManager, abi: iAllocationManagerAbi };
  await writeEigen(lane, { ...allocation, functionName: 'updateAVSMetadataURI', args: [avs, parameters.metadataUri] });
  await writeEigen(lane, { ...allocation, functionName: 'setAVSRegistrar', args: [avs, registrar] });
  const set = { operatorSetId: operatorSet.id, strategies: [parameters.strategy], slasher: parameters.slasher };
  if (parameters.redistributionRecipient === undefined) {
    await writeEigen(lane, { ...allocation, functionName: 'createOperatorSets', args: [avs, [set]] });
  } else {
    await writeEigen(lane, {
      ...allocation,
      functionName: 'createRedistributingOperatorSets',
      args: [avs, [set], [parameters.redistributionRecipient]],
    });
  }
  await writeEigen(lane, {
    address: keyRegistrar,
    abi: iKeyRegistrarAbi,
    functionName: 'configureOperatorSet',
    args: [operatorSet, CURVE_ECDSA],
  });
  await writeEigen(lane, {
    address: crossChainRegistry,
    abi: iCrossChainRegistryAbi,
    functionName: 'createGenerationReservation',
    args: [operatorSet, calculator, { owner: avs, maxStalenessPeriod: parameters.maxStalenessSeconds }],
  });
  return { operatorSet, registrar, calculator };
}

async function deploy(lane: TransactionLane, label: string, data: Hex): Promise<Address> {
  const { contractAddress } = await lane.run({ data, label: `deploy ${label}` });
  if (contractAddress === null) throw new RpcAnswerError(`the receipt of deploying the ${label} names no contract`);
  return contractAddress;
}
