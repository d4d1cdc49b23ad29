import { encodeDeployData, keccak256, type Address, type Hex } from 'viem';
import { faultJudgeAbi, faultJudgeBytecode } from '../contracts/generated/FaultJudge.js';
import { matchmakerSlasherAbi, matchmakerSlasherBytecode } from '../contracts/generated/MatchmakerSlasher.js';
import { slashVaultAbi, slashVaultBytecode } from '../contracts/generated/SlashVault.js';
import {
  createAt,
  createContract,
  findContract,
  nextAddress,
  type DeployDependencies,
} from '../deploy/createContract.js';
import type { Deployment, MarketDeployment } from '../deployment.js';
import type { AvsTerms } from './avsTerms.js';
import { CURVE_TYPES } from './curveType.js';

/** Whose faults are judged, and what they cost. */
export interface JudgeParameters {
  readonly market: Pick<MarketDeployment, 'chainId' | 'operatorSet' | 'quorum'> & {
    readonly contracts: Pick<MarketDeployment['contracts'], 'matchSettlement' | 'providerRegistry' | 'orderRequest'>;
  };
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager' | 'strategyManager' | 'keyRegistrar'>;
  readonly strategy: Address;
  readonly terms: AvsTerms;
  /** Says what a tenant's loss is worth in staked tokens; best a timelock. */
  readonly vaultOwner: Address;
  /** Gets what neither challenger nor victim does. */
  readonly treasury: Address;
}

/** EigenLayer counts fractions of 1e18. */
const WAD_PER_BPS = 10n ** 14n;

/**
 * Deploys the judge, the slasher that only it moves, and the vault that slashed stake goes to. Slasher and vault hold each other's address,
 * so the vault's is known before it exists; when another
 * transaction of the key took its place, both are made anew.
 * Throws DeployAddressError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployJudge(
  parameters: JudgeParameters,
  dependencies: DeployDependencies,
): Promise<{ readonly judge: Address; readonly slasher: Address; readonly vault: Address }> {
  const { progress } = dependencies;
  const judge = await createContract('judge', judgeCreation(parameters), dependencies);
  const noted = { slasher: progress.contract('slasher')?.address, vault: progress.contract('vault')?.address };
  if (noted.slasher !== undefined && noted.vault !== undefined) {
    const vaultData = vaultCreation(parameters, judge, noted.slasher);
    const slasher = await findContract('slasher', slasherCreation(parameters, judge, noted.vault), dependencies);
    const vault = await findContract('vault', vaultData, dependencies);
    if (slasher !== null && vault !== null) return { judge, slasher, vault };
    if (slasher !== null && (await nextAddress(dependencies)) === noted.vault) {
      return { judge, slasher, vault: await createAt('vault', vaultData, noted.vault, dependencies) };
    }
  }
  const slasher = await nextAddress(dependencies);
  const vault = await nextAddress(dependencies, 1);
  const vaultData = vaultCreation(parameters, judge, slasher);
  // Whoever goes on from here must know which vault the slasher expects.
  progress.noteContract('vault', vault, keccak256(vaultData));
  await createAt('slasher', slasherCreation(parameters, judge, vault), slasher, dependencies);
  await createAt('vault', vaultData, vault, dependencies);
  return { judge, slasher, vault };
}

function judgeCreation({ market, eigenlayer, terms }: JudgeParameters): Hex {
  const { matchSettlement, providerRegistry, orderRequest } = market.contracts;
  return encodeDeployData({
    abi: faultJudgeAbi,
    bytecode: faultJudgeBytecode,
    args: [
      {
        marketChainId: BigInt(market.chainId),
        settlement: matchSettlement,
        providerRegistry,
        orderRequest,
        certificateVerifier: market.quorum.certificateVerifier,
        keyRegistrar: eigenlayer.keyRegistrar,
        operatorSet: market.operatorSet,
        curve: CURVE_TYPES[market.quorum.curve],
        challengeWindowSeconds: terms.challengeWindowSeconds,
      },
    ],
  });
}

function slasherCreation(
  { market, eigenlayer, strategy, terms }: JudgeParameters,
  judge: Address,
  vault: Address,
): Hex {
  return encodeDeployData({
    abi: matchmakerSlasherAbi,
    bytecode: matchmakerSlasherBytecode,
    args: [
      {
        allocationManager: eigenlayer.allocationManager,
        keyRegistrar: eigenlayer.keyRegistrar,
        judge,
        vault,
        operatorSet: market.operatorSet,
        curve: CURVE_TYPES[market.quorum.curve],
        strategy,
        equivocationWad: BigInt(terms.equivocationBps) * WAD_PER_BPS,
        wrongBatchWad: BigInt(terms.wrongBatchBps) * WAD_PER_BPS,
      },
    ],
  });
}

function vaultCreation(parameters: JudgeParameters, judge: Address, slasher: Address): Hex {
  const { market, eigenlayer, strategy, terms, vaultOwner, treasury } = parameters;
  return encodeDeployData({
    abi: slashVaultAbi,
    bytecode: slashVaultBytecode,
    args: [
      {
        strategyManager: eigenlayer.strategyManager,
        slasher,
        judge,
        operatorSet: market.operatorSet,
        strategy,
        challengerBps: terms.challengerBps,
        victimBps: terms.victimBps,
        claimPeriodSeconds: terms.claimPeriodSeconds,
        owner: vaultOwner,
        treasury,
      },
    ],
  });
}
