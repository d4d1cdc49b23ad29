import { encodeDeployData, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { bn254TableCalculatorAbi, bn254TableCalculatorBytecode } from '../contracts/generated/Bn254TableCalculator.js';
import { ecdsaTableCalculatorAbi, ecdsaTableCalculatorBytecode } from '../contracts/generated/EcdsaTableCalculator.js';
import { iStrategyAbi } from '../contracts/generated/IStrategy.js';
import { matchmakerRegistrarAbi, matchmakerRegistrarBytecode } from '../contracts/generated/MatchmakerRegistrar.js';
import { createContract, type DeployDependencies } from '../deploy/createContract.js';
import type { Deployment } from '../deployment.js';
import { configureOperatorSet } from './configureOperatorSet.js';
import { deployJudge, type JudgeParameters } from './deployJudge.js';
import { deployStrategy } from './deployStrategy.js';
import { readEigen } from './eigenCall.js';
import { probeEigenlayer } from './probeEigenlayer.js';
import {
  INCLUSION_MARGIN_SECONDS,
  slashingWindow,
  SlashingWindowShortError,
  type SlashingWindow,
} from './slashingWindow.js';

/** What the stake side of a market is deployed with. */
export interface StakeSideParameters extends Omit<JudgeParameters, 'eigenlayer' | 'strategy'> {
  /** Of the stake chain. */
  readonly chainId: number;
  readonly blockTimeMs: number;
  /** Refuses delays under which operators can leave before they are slashed. */
  readonly economicSecurity: boolean;
  /** EigenLayer on the stake chain. */
  readonly eigenlayer: Pick<
    Deployment['eigenlayer'],
    | 'allocationManager'
    | 'delegationManager'
    | 'strategyManager'
    | 'strategyFactory'
    | 'keyRegistrar'
    | 'crossChainRegistry'
    | 'permissionController'
  > & { readonly releaseManager: Address | null };
  /** What restakers deposit: a strategy of EigenLayer, or a token whose strategy is made if it has none. */
  readonly stake: { readonly strategy: Address } | { readonly token: Address };
  /** Where the AVS metadata JSON is. */
  readonly metadataUri: string;
  /** Stake counts only while it stays slashable for so many blocks; default: EigenLayer's deallocation delay, the most that makes sense. */
  readonly lookaheadBlocks?: number;
}

/** An operator set ready for operators to join: what a deployment file says about it, and whether its stake can be slashed in time. */
export interface StakeSide extends Pick<Deployment, 'stake' | 'stakeToken' | 'strategy'> {
  readonly window: SlashingWindow;
}

/** EigenLayer brings tables less often than the set wants them. */
export class StalenessBelowCadenceError extends MatchmakerError<'STALENESS_BELOW_CADENCE'> {
  constructor(maxStalenessSeconds: number, cadenceSeconds: number) {
    super(
      'STALENESS_BELOW_CADENCE',
      `maxStalenessSeconds is ${maxStalenessSeconds}, but EigenLayer carries tables every ${cadenceSeconds} s and takes no less: raise it to ${cadenceSeconds} at least, and a transport that is late by a day should not stop the market`,
      { metadata: { maxStalenessSeconds, cadenceSeconds } },
    );
  }
}

/**
 * Deploys the stake side of a market for any EigenLayer and makes its operator set: judge, slasher, vault, registrar and table calculator,
 * then everything that EigenLayer must be told. The lane's account is the AVS or may act for it. Nothing is sent before the chain has been
 * probed; what an interrupted call has done is not done again.
 * Throws EigenlayerNotThereError, EigenlayerVersionError, StalenessBelowCadenceError, SlashingWindowShortError, OperatorSetTakenError,
 * DeployAddressError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployStakeSide(
  parameters: StakeSideParameters,
  dependencies: DeployDependencies,
): Promise<StakeSide> {
  const { market, terms, chainId, blockTimeMs, eigenlayer } = parameters;
  const { releaseManager, ...contracts } = eigenlayer;
  const delays = await probeEigenlayer(
    { ...contracts, ...(releaseManager === null ? {} : { releaseManager }) },
    dependencies,
  );
  if (terms.maxStalenessSeconds < delays.tableUpdateCadenceSeconds) {
    throw new StalenessBelowCadenceError(terms.maxStalenessSeconds, delays.tableUpdateCadenceSeconds);
  }
  const lookaheadBlocks = parameters.lookaheadBlocks ?? delays.deallocationDelayBlocks;
  const window = slashingWindow({
    maxTableAgeSeconds: terms.maxStalenessSeconds,
    challengeWindowSeconds: terms.challengeWindowSeconds,
    vetoSeconds: 0,
    inclusionMarginSeconds: INCLUSION_MARGIN_SECONDS,
    deallocationDelayBlocks: delays.deallocationDelayBlocks,
    lookaheadBlocks,
    blockTimeMs,
  });
  if (parameters.economicSecurity && window.shortfallSeconds > 0) throw new SlashingWindowShortError(window);

  const { strategy, stakeToken } = await strategyOf(parameters, dependencies);
  const { judge, slasher, vault } = await deployJudge({ ...parameters, strategy }, dependencies);
  const registrar = await createContract('registrar', registrarCreation(parameters, strategy), dependencies);
  const calculator = await createContract('calculator', calculatorCreation(parameters, lookaheadBlocks), dependencies);
  await configureOperatorSet(
    {
      eigenlayer,
      operatorSet: market.operatorSet,
      curve: market.quorum.curve,
      strategy,
      registrar,
      calculator,
      slasher,
      vault,
      metadataUri: parameters.metadataUri,
      maxStalenessSeconds: terms.maxStalenessSeconds,
    },
    dependencies,
  );
  const deploymentBlock = dependencies.progress.firstBlock;
  return {
    stake: { chainId, deploymentBlock, blockTimeMs, registrar, calculator, judge, slasher, vault },
    stakeToken,
    strategy,
    window,
  };
}

async function strategyOf(
  { stake, eigenlayer }: StakeSideParameters,
  dependencies: DeployDependencies,
): Promise<{ readonly strategy: Address; readonly stakeToken: Address }> {
  if ('token' in stake) {
    const { strategyFactory } = eigenlayer;
    const strategy = await deployStrategy({ strategyFactory, token: stake.token }, dependencies);
    return { strategy: lowerCase(strategy), stakeToken: lowerCase(stake.token) };
  }
  const token = await readEigen(dependencies.rpc, {
    address: stake.strategy,
    abi: iStrategyAbi,
    functionName: 'underlyingToken',
    args: [],
  });
  return { strategy: lowerCase(stake.strategy), stakeToken: lowerCase(token) };
}

function registrarCreation({ eigenlayer, market, terms }: StakeSideParameters, strategy: Address): Hex {
  const { allocationManager, delegationManager, keyRegistrar, permissionController } = eigenlayer;
  const { avs } = market.operatorSet;
  const { minimumShares } = terms;
  return encodeDeployData({
    abi: matchmakerRegistrarAbi,
    bytecode: matchmakerRegistrarBytecode,
    args: [{ allocationManager, delegationManager, keyRegistrar, permissionController, avs, strategy, minimumShares }],
  });
}

function calculatorCreation({ eigenlayer, market }: StakeSideParameters, lookaheadBlocks: number): Hex {
  const args = [eigenlayer.keyRegistrar, eigenlayer.allocationManager, lookaheadBlocks] as const;
  return market.quorum.curve === 'ecdsa'
    ? encodeDeployData({ abi: ecdsaTableCalculatorAbi, bytecode: ecdsaTableCalculatorBytecode, args })
    : encodeDeployData({ abi: bn254TableCalculatorAbi, bytecode: bn254TableCalculatorBytecode, args });
}

function lowerCase(address: Address): Address {
  return address.toLowerCase() as Address;
}
