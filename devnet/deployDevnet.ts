import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDeployData, encodeFunctionData, parseUnits, zeroAddress, type Address, type Hex } from 'viem';
import { complianceRegistryAbi } from '../chain/contracts/generated/ComplianceRegistry.js';
import { devnetPriceFeedAbi, devnetPriceFeedBytecode } from '../chain/contracts/generated/DevnetPriceFeed.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../chain/contracts/generated/DevnetToken.js';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { slashVaultAbi } from '../chain/contracts/generated/SlashVault.js';
import { deployMarket } from '../chain/deploy/deployMarket.js';
import { DeployProgress } from '../chain/deploy/deployProgress.js';
import type { EconomyParameters, MarketParameters } from '../chain/deploy/marketParameters.js';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { delegateStake } from '../chain/eigenlayer/delegateStake.js';
import { deployEigenDevnet } from '../chain/eigenlayer/deployEigenDevnet.js';
import { deployStakeSide } from '../chain/eigenlayer/deployStakeSide.js';
import { generatorInfo } from '../chain/eigenlayer/generatorKey.js';
import { readTableEntries } from '../chain/eigenlayer/readTableEntries.js';
import { registerOperator } from '../chain/eigenlayer/registerOperator.js';
import {
  TableFromFutureError,
  TableNotNewerError,
  transportOperatorTable,
  type TransportedTable,
} from '../chain/eigenlayer/transportOperatorTable.js';
import { storageAt } from '../chain/rpc/rpcCall.js';
import { decodeTableWord } from '../protocol/words/tableWord.js';
import { TABLE_SLOT } from '../protocol/words/slots.js';
import type { Curve } from '../protocol/operatorTable.js';
import type { DevnetChain } from './devnetChain.js';
import { AUDITOR_COUNT, DEVNET_TOKENS } from './marketPlan.js';
import { loadDevnetAvsTerms, loadDevnetParameters } from './parameters.js';
import { signingKeyOf } from './signingKeyOf.js';

/** An operator of a devnet, registered with stake of its own and of a restaker. */
export interface DevnetOperator {
  readonly name: string;
  /** Account on the stake chain. */
  readonly address: Address;
  /** Address of the key that signs matches. */
  readonly signer: Address;
  readonly signingKey: Hex;
  readonly stakeWhole: number;
}

/** A market on a devnet with its stake side, and the keys of those who run it. */
export interface DevnetMarket {
  readonly deployment: Deployment;
  readonly roundLengthBlocks: number;
  readonly bidWindowBlocks: number;
  readonly economy: EconomyParameters;
  /** The resource table; a row's id is its position plus one. */
  readonly resources: MarketParameters['resources'];
  /** Start of era 0, seconds since 1970. */
  readonly eraZero: number;
  /** What providers stake and auditors bond, and what rewards are paid in; anyone may mint it. */
  readonly stakingToken: Address;
  /** Payment tokens by id, from 1 at index 0; anyone may mint them. */
  readonly paymentTokens: readonly Address[];
  /** USD feeds that the governor writes. */
  readonly priceFeeds: { readonly rewardToken: Address; readonly native: Address };
  /** Holds every role but the verifier's and the oracle's. */
  readonly governorLane: TransactionLane;
  readonly verifierLane: TransactionLane;
  readonly oracleLane: TransactionLane;
  /** Each accredited, with a full bond. */
  readonly auditorLanes: readonly TransactionLane[];
  readonly treasuryLane: TransactionLane;
  readonly foundationLane: TransactionLane;
  /** The chain with EigenLayer and the operator set; the market's own where there is one chain. */
  readonly stakeChain: DevnetChain;
  /** The AVS, which also says what a tenant's loss is worth; on the stake chain. */
  readonly avsLane: TransactionLane;
  /** BN254 key of the one generator that signs table roots. */
  readonly generatorKey: bigint;
  /** Carries operator tables to the market chain, which anyone may. */
  readonly carrierLane: TransactionLane;
}

/** What may be chosen about a devnet's market; the rest is config/networks/devnet.json. */
export interface DevnetParameters {
  /** On which operators sign; default ECDSA. */
  readonly curve?: Curve;
  readonly blockTimeMs?: number;
  readonly roundLengthBlocks?: number;
  readonly bidWindowBlocks?: number;
  readonly policy?: Partial<MarketParameters['policy']>;
  readonly economy?: Partial<EconomyParameters>;
}

const OPERATOR_SET_ID = 1;
const GENERATOR_SET_ID = 0;
/** Any scalar will do: whoever knows a devnet's key can only fool that devnet. */
const GENERATOR_KEY = 0x6d617463686d616b65722d6465766e6574n;
const DEALLOCATION_DELAY_BLOCKS = 1_200;
const ALLOCATION_CONFIGURATION_DELAY_BLOCKS = 8;
const TABLE_CADENCE_SECONDS = 60;
/** As an old configuration of mainnet, with an interval and a delay that nobody has to wait for. */
const REWARDS = {
  calculationIntervalSeconds: 60,
  maxRewardsDurationSeconds: 6_048_000,
  maxRetroactiveSeconds: 14_515_200,
  maxFutureSeconds: 2_592_000,
  genesisTimestamp: 1_710_979_200,
  activationDelaySeconds: 1,
  defaultOperatorSplitBips: 1_000,
};
const TRANSPORT_ATTEMPTS = 20;
const TRANSPORT_PAUSE_MS = 250;
const WHOLE_MAGNITUDE = 10n ** 18n;
const STAKE_DECIMALS = 18;
/** Share of an operator's stake that a restaker delegates to it, percent. */
const DELEGATED_PERCENT = 40;
const AUDITOR_MAX_BPS = 1_000;
const FEED_DECIMALS = 8;
/** What the devnet's feeds say at first, USD. */
const REWARD_TOKEN_USD = '0.05';
const NATIVE_USD = '3000';
/** Staked tokens that are worth one dollar, the inverse of REWARD_TOKEN_USD; a market's tokens are dollars of 1,000,000 micro-units. */
const STAKE_PER_DOLLAR = '20';

/**
 * Deploys our devnet EigenLayer, an operator set, tokens and a whole market on an empty devnet chain, with a key for every role; with a
 * second chain what EigenLayer and the operator set are made of goes there.
 * Throws DeployAddressError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployDevnet(
  chain: DevnetChain,
  parameters: DevnetParameters = {},
  stakeChain: DevnetChain = chain,
): Promise<DevnetMarket> {
  const newLane = (of = chain): TransactionLane => of.lane(of.nextAccount().privateKey);
  const governorLane = newLane();
  const eigenLane = newLane(stakeChain);
  const avsLane = newLane(stakeChain);
  const [verifierLane, oracleLane, treasuryLane, foundationLane] = [newLane(), newLane(), newLane(), newLane()];
  const carrierLane = newLane();
  const isOneChain = chain === stakeChain;
  const tableLane = isOneChain ? eigenLane : newLane();
  const auditorLanes = Array.from({ length: AUDITOR_COUNT }, () => newLane());
  const network = loadDevnetParameters();
  const policy = { ...network.policy, ...parameters.policy };
  const economy = { ...network.economy, ...parameters.economy };
  // One era is over already, whose challenge results can be posted at once.
  const eraZero = chain.blocks.head().timestamp - economy.rewards.eraSeconds;
  const operatorSet = { avs: lowerCase(avsLane.address), id: OPERATOR_SET_ID };

  const [eigenlayer, rewardTokenFeed, nativeFeed, stakingToken, ...paymentTokens] = await Promise.all([
    deployEigenDevnet(
      {
        deallocationDelayBlocks: DEALLOCATION_DELAY_BLOCKS,
        allocationConfigurationDelayBlocks: ALLOCATION_CONFIGURATION_DELAY_BLOCKS,
        tableUpdateCadenceSeconds: TABLE_CADENCE_SECONDS,
        pauser: eigenLane.address,
        rewards: { ...REWARDS, rewardsUpdater: eigenLane.address },
        generatorSet: { avs: lowerCase(eigenLane.address), id: GENERATOR_SET_ID },
        generatorInfo: generatorInfo(GENERATOR_KEY),
      },
      { lane: eigenLane, tableLane },
    ),
    deployPriceFeed(governorLane, 'SPON / USD', REWARD_TOKEN_USD),
    deployPriceFeed(governorLane, 'ETH / USD', NATIVE_USD),
    deployToken(governorLane, 'Devnet SPON', 'SPON', STAKE_DECIMALS),
    ...DEVNET_TOKENS.map(({ name, symbol, decimals }) => deployToken(governorLane, name, symbol, decimals)),
  ]);
  const blockTimeMs = parameters.blockTimeMs ?? network.blockTimeMs;
  const [market, stakeToken] = await Promise.all([
    deployMarket(
      {
        ...network,
        chainId: chain.chainId,
        blockTimeMs,
        roundLengthBlocks: parameters.roundLengthBlocks ?? network.roundLengthBlocks,
        bidWindowBlocks: parameters.bidWindowBlocks ?? network.bidWindowBlocks,
        policy,
        economy,
        eraZero,
        stakingToken,
        rewardToken: stakingToken,
        paymentTokens: paymentTokens.map((address) => ({ address, minimumDeposit: 1n })),
        feeds: { rewardToken: rewardTokenFeed, native: nativeFeed, sequencer: zeroAddress },
        roles: {
          governor: governorLane.address,
          providerVerifier: verifierLane.address,
          scoreOracle: oracleLane.address,
          complianceOfficer: governorLane.address,
          providerApprover: governorLane.address,
          council: [],
          slasher: governorLane.address,
          parameters: governorLane.address,
          upgrader: governorLane.address,
          guardian: governorLane.address,
          rewardPoster: governorLane.address,
          rewardGuardian: governorLane.address,
        },
        treasury: treasuryLane.address,
        foundation: foundationLane.address,
        quorum: { curve: parameters.curve ?? 'ecdsa', checkedBy: 'table' },
        stakeSide: {
          operatorSet,
          eigenlayer,
        },
      },
      { lane: governorLane },
    ),
    isOneChain ? stakingToken : deployToken(avsLane, 'Devnet SPON', 'SPON', STAKE_DECIMALS),
  ]);
  // What the market chain has of EigenLayer is no part of the stake side.
  const {
    operatorTableUpdater: _u,
    ecdsaCertificateVerifier: _e,
    bn254CertificateVerifier: _b,
    ...source
  } = eigenlayer;
  const { window: _, ...stakeSide } = await deployStakeSide(
    {
      chainId: stakeChain.chainId,
      blockTimeMs,
      economicSecurity: network.economicSecurity,
      eigenlayer: { ...source, releaseManager: null },
      market,
      stake: { token: stakeToken },
      terms: { ...loadDevnetAvsTerms(), maxStalenessSeconds: policy.maxTableAgeSeconds },
      vaultOwner: avsLane.address,
      treasury: treasuryLane.address,
      metadataUri: 'https://matchmaker.example/avs.json',
    },
    {
      lane: avsLane,
      rpc: stakeChain.rpc,
      progress: DeployProgress.inMemory({
        chainId: stakeChain.chainId,
        deployer: avsLane.address,
        firstBlock: stakeChain.blocks.head().number,
      }),
    },
  );
  const deployment = parseDeployment({ ...market, ...stakeSide });
  await Promise.all(
    DEVNET_TOKENS.map(({ id }) =>
      avsLane.run({
        to: deployment.stake.vault,
        data: encodeFunctionData({
          abi: slashVaultAbi,
          functionName: 'setCompensationRate',
          args: [id, parseUnits(STAKE_PER_DOLLAR, STAKE_DECIMALS)],
        }),
        label: 'set what a loss is worth',
        errorsAbi: slashVaultAbi,
      }),
    ),
  );
  const bond = parseUnits(String(economy.auditorBond.minimumWhole), STAKE_DECIMALS);
  await Promise.all(auditorLanes.map((lane) => admitAuditor(lane, { deployment, governorLane, stakingToken, bond })));
  return {
    deployment,
    roundLengthBlocks: parameters.roundLengthBlocks ?? network.roundLengthBlocks,
    bidWindowBlocks: parameters.bidWindowBlocks ?? network.bidWindowBlocks,
    economy,
    resources: network.resources,
    eraZero,
    stakingToken,
    paymentTokens,
    priceFeeds: { rewardToken: rewardTokenFeed, native: nativeFeed },
    governorLane,
    verifierLane,
    oracleLane,
    auditorLanes,
    treasuryLane,
    foundationLane,
    stakeChain,
    avsLane,
    generatorKey: GENERATOR_KEY,
    carrierLane,
  };
}

/** Accredits an auditor and has it post the full bond. */
async function admitAuditor(
  lane: TransactionLane,
  {
    deployment,
    governorLane,
    stakingToken,
    bond,
  }: Pick<DevnetMarket, 'deployment' | 'governorLane' | 'stakingToken'> & { bond: bigint },
): Promise<void> {
  const { complianceRegistry } = deployment.contracts;
  await Promise.all([
    governorLane.run({
      to: complianceRegistry,
      data: encodeFunctionData({
        abi: complianceRegistryAbi,
        functionName: 'accredit',
        args: [lane.address, AUDITOR_MAX_BPS],
      }),
      label: 'accredit an auditor',
      errorsAbi: complianceRegistryAbi,
    }),
    mint(lane, stakingToken, bond),
    lane.run({
      to: stakingToken,
      data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'approve', args: [complianceRegistry, bond] }),
      label: "approve an auditor's bond",
    }),
  ]);
  await lane.run({
    to: complianceRegistry,
    data: encodeFunctionData({ abi: complianceRegistryAbi, functionName: 'postBond', args: [bond] }),
    label: "post an auditor's bond",
    errorsAbi: complianceRegistryAbi,
  });
}

/** Name of a devnet's operator by its position. */
export function operatorName(index: number): string {
  return `operator-${index + 1}`;
}

/**
 * Makes an operator of each stake (whole tokens), with the signing key of the same position (on the set's curve) or a new one: deposits, a restaker's delegation, allocation, signing key, membership of the set.
 * They count from the next table on. Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export function registerOperators(
  chain: DevnetChain,
  { deployment, stakeChain }: DevnetMarket,
  stakes: readonly number[],
  signingKeys: readonly Hex[] = stakes.map(() => signingKeyOf(deployment.quorum.curve, chain.nextAccount().privateKey)),
): Promise<DevnetOperator[]> {
  const { rpc } = stakeChain;
  const { eigenlayer, operatorSet, strategy, stakeToken } = deployment;
  const seats = stakes.map((stakeWhole, index) => ({
    stakeWhole,
    lane: stakeChain.lane(stakeChain.nextAccount().privateKey),
    restakerLane: stakeChain.lane(stakeChain.nextAccount().privateKey),
    signingKey: signingKeys[index] as Hex,
  }));
  return Promise.all(
    seats.map(async ({ stakeWhole, lane, restakerLane, signingKey }, index) => {
      const stake = parseUnits(String(stakeWhole), STAKE_DECIMALS);
      const delegated = (stake * BigInt(DELEGATED_PERCENT)) / 100n;
      await Promise.all([mint(lane, stakeToken, stake - delegated), mint(restakerLane, stakeToken, delegated)]);
      const name = operatorName(index);
      const { operator, signer } = await registerOperator(
        {
          eigenlayer,
          operatorSet,
          strategy,
          stakeToken,
          stake: stake - delegated,
          magnitude: WHOLE_MAGNITUDE,
          signingKey,
          socket: `${name}.example`,
          metadataUri: `https://${name}.example/operator.json`,
          allocationDelayBlocks: 0,
        },
        { lane, rpc },
      );
      await delegateStake(
        { eigenlayer, strategy, stakeToken, operator, amount: delegated },
        { lane: restakerLane, rpc },
      );
      return { name, address: operator, signer: lowerCase(signer), signingKey, stakeWhole };
    }),
  );
}

/**
 * Carries the operator table to the verifier and has settlement take it over; it counts from the next round on.
 * Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function publishOperatorTable(chain: DevnetChain, market: DevnetMarket): Promise<void> {
  const { deployment, stakeChain, carrierLane: lane } = market;
  const { contracts } = deployment;
  const { referenceTimestamp } = await transportWhenNewer(chain, market);
  const entries = await readTableEntries(deployment, referenceTimestamp, { rpc: chain.rpc, stakeRpc: stakeChain.rpc });
  try {
    await lane.run({
      to: contracts.matchSettlement,
      data: encodeFunctionData({ abi: matchSettlementAbi, functionName: 'recordTable', args: [entries] }),
      label: 'record the operator table',
      errorsAbi: matchSettlementAbi,
    });
  } catch (error) {
    // Anyone may record a table, and a running aggregator does: with its transaction still in the pool ours is refused already.
    for (let attempt = 1; !(await hasRecorded(chain, contracts.matchSettlement, referenceTimestamp)); attempt++) {
      if (attempt === TRANSPORT_ATTEMPTS) throw error;
      await sleep(TRANSPORT_PAUSE_MS);
    }
  }
}

async function hasRecorded(chain: DevnetChain, settlement: Address, referenceTimestamp: number): Promise<boolean> {
  const word = await chain.rpc.request(storageAt(settlement, TABLE_SLOT, 'latest'));
  return decodeTableWord(word).tableTimestamp >= referenceTimestamp;
}

/**
 * A root carries its block's time, and a chain that mines on demand gives many blocks one second: those after it are waited for. So is the
 * market chain's clock where it is behind the stake chain's.
 */
async function transportWhenNewer(chain: DevnetChain, market: DevnetMarket): Promise<TransportedTable> {
  const { eigenlayer, operatorSet, contracts } = market.deployment;
  const lane = market.carrierLane;
  for (let attempt = 1; ; attempt++) {
    try {
      return await transportOperatorTable(
        { eigenlayer, operatorSet, generatorKey: market.generatorKey },
        { lane, rpc: chain.rpc, stakeRpc: market.stakeChain.rpc },
      );
    } catch (error) {
      const isEarly = error instanceof TableNotNewerError || error instanceof TableFromFutureError;
      if (!isEarly || attempt === TRANSPORT_ATTEMPTS) throw error;
    }
    await sleep(TRANSPORT_PAUSE_MS);
    await lane.run({
      to: contracts.matchSettlement,
      data: encodeFunctionData({ abi: matchSettlementAbi, functionName: 'tick' }),
      label: 'make a later block',
    });
  }
}

async function deployToken(lane: TransactionLane, name: string, symbol: string, decimals: number): Promise<Address> {
  const receipt = await lane.run({
    data: encodeDeployData({ abi: devnetTokenAbi, bytecode: devnetTokenBytecode, args: [name, symbol, decimals] }),
    label: `deploy ${symbol}`,
  });
  // A creation that was mined and did not revert has an address.
  return lowerCase(receipt.contractAddress as Address);
}

async function deployPriceFeed(lane: TransactionLane, description: string, usd: string): Promise<Address> {
  const receipt = await lane.run({
    data: encodeDeployData({
      abi: devnetPriceFeedAbi,
      bytecode: devnetPriceFeedBytecode,
      args: [description, FEED_DECIMALS, parseUnits(usd, FEED_DECIMALS)],
    }),
    label: `deploy the feed ${description}`,
  });
  return lowerCase(receipt.contractAddress as Address);
}

async function mint(lane: TransactionLane, token: Address, amount: bigint): Promise<void> {
  await lane.run({
    to: token,
    data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [lane.address, amount] }),
    label: 'mint stake tokens',
  });
}

function lowerCase(address: Address): Address {
  return address.toLowerCase() as Address;
}
