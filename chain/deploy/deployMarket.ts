import {
  decodeEventLog,
  encodeDeployData,
  encodeFunctionData,
  getAbiItem,
  getContractAddress,
  parseUnits,
  toEventSelector,
  type Address,
  type ContractFunctionArgs,
  type Hex,
} from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { NO_PACKING } from '../../protocol/packingHash.js';
import { policyStructOf } from '../../protocol/policyStruct.js';
import { bidAbi, bidBytecode } from '../contracts/generated/Bid.js';
import { certificateRegistryAbi, certificateRegistryBytecode } from '../contracts/generated/CertificateRegistry.js';
import { complianceRegistryAbi, complianceRegistryBytecode } from '../contracts/generated/ComplianceRegistry.js';
import { computeLeaseAbi, computeLeaseBytecode } from '../contracts/generated/ComputeLease.js';
import { escrowAbi, escrowBytecode } from '../contracts/generated/Escrow.js';
import { marketAuthorityAbi, marketAuthorityBytecode } from '../contracts/generated/MarketAuthority.js';
import { marketPauseAbi, marketPauseBytecode } from '../contracts/generated/MarketPause.js';
import { marketProxyAbi, marketProxyBytecode } from '../contracts/generated/MarketProxy.js';
import { matchPolicyAbi, matchPolicyBytecode } from '../contracts/generated/MatchPolicy.js';
import { matchSettlementAbi, matchSettlementBytecode } from '../contracts/generated/MatchSettlement.js';
import { orderRequestAbi, orderRequestBytecode } from '../contracts/generated/OrderRequest.js';
import { providerAdmissionAbi, providerAdmissionBytecode } from '../contracts/generated/ProviderAdmission.js';
import { providerAttributesAbi, providerAttributesBytecode } from '../contracts/generated/ProviderAttributes.js';
import { providerRegistryAbi, providerRegistryBytecode } from '../contracts/generated/ProviderRegistry.js';
import { rewardOracleAbi, rewardOracleBytecode } from '../contracts/generated/RewardOracle.js';
import { rewarderAbi, rewarderBytecode } from '../contracts/generated/Rewarder.js';
import { signedCallsAbi, signedCallsBytecode } from '../contracts/generated/SignedCalls.js';
import { stakingManagerAbi, stakingManagerBytecode } from '../contracts/generated/StakingManager.js';
import { tokenRegistryAbi, tokenRegistryBytecode } from '../contracts/generated/TokenRegistry.js';
import type { Deployment, MarketDeployment } from '../deployment.js';
import type { Receipt } from '../rpc/rpcCall.js';
import {
  DeployerHoldsParametersError,
  MARKET_ROLES,
  upgradeDelayShortfallSeconds,
  UpgradeDelayTooShortError,
  type MarketParameters,
  type MarketRoles,
} from './marketParameters.js';
import { quorumVerifierData, tableSourceOf } from './quorumVerifier.js';
import type { LaneTransaction } from './transactionLane.js';

/** A contract did not come to lie where the others were told it would. */
export class DeployAddressError extends MatchmakerError<'DEPLOY_ADDRESS'> {
  constructor(contract: string, predicted: Address, actual: Address | null) {
    super(
      'DEPLOY_ADDRESS',
      `${contract} was deployed at ${actual ?? 'no address'} instead of ${predicted}: another transaction of this key came in between; deploy again`,
      { metadata: { contract, predicted, actual } },
    );
  }
}

/** The market counts other blocks than the chain's own: `arbSys` says the wrong thing about this chain. */
export class BlockSourceWrongError extends MatchmakerError<'BLOCK_SOURCE_WRONG'> {
  constructor(arbSys: boolean, counted: number, blockNumber: number) {
    super(
      'BLOCK_SOURCE_WRONG',
      `the market counts block ${counted} where the chain counts ${blockNumber}: arbSys must be ${String(!arbSys)} on this chain; deploy again`,
      { metadata: { arbSys, counted, blockNumber } },
    );
  }
}

/** Modules whose state outlives their code: each is an implementation and the proxy that everybody calls. */
const PROXIED = [
  'marketPause',
  'tokenRegistry',
  'matchPolicy',
  'stakingManager',
  'complianceRegistry',
  'providerAdmission',
  'providerAttributes',
  'certificateRegistry',
  'escrow',
  'bid',
  'computeLease',
  'signedCalls',
  'rewardOracle',
  'rewarder',
] as const satisfies readonly (keyof Deployment['contracts'])[];
/** Contracts that are what they are for good. */
const IMMUTABLE = [
  'accessManager',
  'providerRegistry',
  'orderRequest',
  'matchSettlement',
] as const satisfies readonly (keyof Deployment['contracts'])[];

const POLICY_SCHEDULED = toEventSelector(getAbiItem({ abi: matchPolicyAbi, name: 'PolicyScheduled' }));
const TOKEN_DECIMALS = 18;
/** ResourceCategory of the contracts. */
const RESOURCE_CATEGORIES = { cpu: 0, gpu: 1 } as const;

type Proxied = (typeof PROXIED)[number];
type Immutable = (typeof IMMUTABLE)[number];
type ContractAddresses = Record<Proxied | Immutable, Address>;
type Implementations = Record<Proxied, Address>;

/** Sends with the key that deploys; TransactionLane without waiting, AccountLane one after the other. */
export interface DeployLane {
  readonly address: Address;
  /** The nonce of its next transaction. */
  nextNonce(): Promise<number>;
  /** Resolves once the node has the transaction. */
  send(transaction: LaneTransaction): Promise<{ readonly mined: Promise<Receipt> }>;
  run(transaction: LaneTransaction): Promise<Receipt>;
}

/** One creation of the deployment, in the order of its nonce. */
interface Creation {
  readonly label: string;
  readonly predicted: Address;
  readonly data: Hex;
}

/**
 * Deploys a whole market with the lane's key: its contracts, which hold each other's addresses for good and therefore are
 * told them before they exist, then payment tokens and resources. Implementations and immutable contracts come first, in the order of
 * the deployment's nonces, the quorum verifier before all, proxies after them. The key ends without any right but what `roles` gives it.
 * Throws DeployAddressError, BlockSourceWrongError, UpgradeDelayTooShortError, DeployerHoldsParametersError, ReceiverNotCheckedError,
 * TransactionRevertedError and the errors of the RPC.
 */
export async function deployMarket(
  parameters: MarketParameters,
  dependencies: { lane: DeployLane },
): Promise<MarketDeployment> {
  const { lane } = dependencies;
  requireSaneGovernance(parameters, lane.address);
  const { verifier, addresses, implementations } = predictAddresses(lane.address, await lane.nextNonce());
  const constructors = constructorData(parameters, addresses, verifier, lane.address);
  const initializers = initializerData(parameters, addresses);

  const codes = await createAll(lane, [
    { label: 'quorum verifier', predicted: verifier, data: quorumVerifierData(parameters) },
    ...IMMUTABLE.map((name) => ({ label: name, predicted: addresses[name], data: constructors[name] })),
    ...PROXIED.map((name) => ({
      label: `${name} implementation`,
      predicted: implementations[name],
      data: constructors[name],
    })),
  ]);
  // A proxy calls its implementation when it is made, so those are on the chain before.
  const proxies = await createAll(
    lane,
    PROXIED.map((name) => ({
      label: name,
      predicted: addresses[name],
      data: encodeDeployData({
        abi: marketProxyAbi,
        bytecode: marketProxyBytecode,
        args: [implementations[name], initializers[name]],
      }),
    })),
  );
  requireOwnBlocks(parameters, proxies[PROXIED.indexOf('matchPolicy')] as Receipt);
  await fillTables(parameters, addresses, lane);
  await dropRights(parameters.roles, addresses.accessManager, lane);

  const deploymentBlock = Math.min(...codes.map(({ blockNumber }) => blockNumber));
  return { ...described(parameters, addresses, verifier), deploymentBlock };
}

/**
 * What `deployMarket` would return if it were called now, but for the block. Sends nothing.
 * Throws UpgradeDelayTooShortError, DeployerHoldsParametersError, ReceiverNotCheckedError and the errors of the RPC.
 */
export async function predictMarket(
  parameters: MarketParameters,
  dependencies: { lane: Pick<DeployLane, 'address' | 'nextNonce'> },
): Promise<Omit<MarketDeployment, 'deploymentBlock'>> {
  const { lane } = dependencies;
  requireSaneGovernance(parameters, lane.address);
  quorumVerifierData(parameters);
  const { verifier, addresses } = predictAddresses(lane.address, await lane.nextNonce());
  return described(parameters, addresses, verifier);
}

function described(
  parameters: MarketParameters,
  contracts: ContractAddresses,
  verifier: Address,
): Omit<MarketDeployment, 'deploymentBlock'> {
  const { name, chainId, blockTimeMs, economicSecurity, quorum, stakeSide } = parameters;
  const { curve, checkedBy } = quorum;
  return {
    name,
    chainId,
    blockTimeMs,
    economicSecurity,
    contracts,
    quorum: { curve, checkedBy, verifier, certificateVerifier: tableSourceOf(quorum, stakeSide) },
    ...stakeSide,
  };
}

function requireSaneGovernance({ economy, economicSecurity, roles }: MarketParameters, deployer: Address): void {
  const shortfallSeconds = upgradeDelayShortfallSeconds(economy);
  if (economicSecurity && shortfallSeconds > 0) throw new UpgradeDelayTooShortError(shortfallSeconds);
  if (isSame(roles.parameters, deployer) && economy.delays.parametersSeconds > 0) {
    throw new DeployerHoldsParametersError(deployer);
  }
}

/** Sends all creations, then checks of each where it came to lie. */
async function createAll(lane: DeployLane, creations: readonly Creation[]): Promise<Receipt[]> {
  const sent = [];
  for (const { label, predicted, data } of creations) {
    sent.push({ label, predicted, ...(await lane.send({ data, label: `deploy ${label}` })) });
  }
  return Promise.all(
    sent.map(async ({ label, predicted, mined }) => {
      const receipt = await mined;
      if (receipt.contractAddress !== predicted) {
        throw new DeployAddressError(label, predicted, receipt.contractAddress);
      }
      return receipt;
    }),
  );
}

/** Payment tokens and resources get their ids in the order of the transactions. */
async function fillTables(
  { paymentTokens, resources }: MarketParameters,
  { tokenRegistry, providerAttributes }: ContractAddresses,
  lane: DeployLane,
): Promise<void> {
  const sent: { readonly mined: Promise<Receipt> }[] = [];
  for (const { address, minimumDeposit } of paymentTokens) {
    sent.push(
      await lane.send({
        to: tokenRegistry,
        data: encodeFunctionData({
          abi: tokenRegistryAbi,
          functionName: 'approveToken',
          args: [address, minimumDeposit],
        }),
        label: `approve payment token ${address}`,
        errorsAbi: tokenRegistryAbi,
      }),
    );
  }
  for (const { category, name, multiplierBps } of resources) {
    sent.push(
      await lane.send({
        to: providerAttributes,
        data: encodeFunctionData({
          abi: providerAttributesAbi,
          functionName: 'addResource',
          args: [RESOURCE_CATEGORIES[category], name, multiplierBps],
        }),
        label: `add resource ${name}`,
        errorsAbi: providerAttributesAbi,
      }),
    );
  }
  await Promise.all(sent.map(({ mined }) => mined));
}

/** The deployer renounces what it needed for the tables, unless it holds it by `roles`. */
async function dropRights(roles: MarketRoles, accessManager: Address, lane: DeployLane): Promise<void> {
  if (isSame(roles.parameters, lane.address)) return;
  await lane.run({
    to: accessManager,
    data: encodeFunctionData({
      abi: marketAuthorityAbi,
      functionName: 'renounceRole',
      args: [MARKET_ROLES.parameters, lane.address],
    }),
    label: "renounce the deployer's rights",
    errorsAbi: marketAuthorityAbi,
  });
}

/** The first round begins one length after the block of the deployment, as the policy counted it and as the chain did. */
function requireOwnBlocks({ arbSys, roundLengthBlocks }: MarketParameters, { logs, blockNumber }: Receipt): void {
  for (const { topics, data } of logs) {
    if (topics[0] !== POLICY_SCHEDULED) continue;
    const { args } = decodeEventLog({
      abi: matchPolicyAbi,
      eventName: 'PolicyScheduled',
      topics: topics as [Hex, ...Hex[]],
      data,
    });
    const counted = args.fromBlock - roundLengthBlocks;
    if (counted !== blockNumber) throw new BlockSourceWrongError(arbSys, counted, blockNumber);
  }
}

function predictAddresses(
  from: Address,
  firstNonce: number,
): { verifier: Address; addresses: ContractAddresses; implementations: Implementations } {
  const addressAt = (offset: number): Address =>
    getContractAddress({ from, nonce: BigInt(firstNonce + offset) }).toLowerCase() as Address;
  const firstImmutable = 1;
  const firstImplementation = firstImmutable + IMMUTABLE.length;
  const firstProxy = firstImplementation + PROXIED.length;
  const named = (names: readonly string[], offset: number): [string, Address][] =>
    names.map((name, index) => [name, addressAt(offset + index)]);
  return {
    verifier: addressAt(0),
    implementations: Object.fromEntries(named(PROXIED, firstImplementation)) as Implementations,
    addresses: Object.fromEntries([
      ...named(IMMUTABLE, firstImmutable),
      ...named(PROXIED, firstProxy),
    ]) as ContractAddresses,
  };
}

/** Creation code of every contract that is no proxy. */
function constructorData(
  parameters: MarketParameters,
  addresses: ContractAddresses,
  verifier: Address,
  deployer: Address,
): Record<Proxied | Immutable, Hex> {
  const { arbSys, stakeSide, stakingToken } = parameters;
  const { accessManager: authority, marketPause: pause, ...others } = addresses;
  const market = { authority, pause, ...others };
  return {
    accessManager: encodeDeployData({
      abi: marketAuthorityAbi,
      bytecode: marketAuthorityBytecode,
      args: [market, roleHolders(parameters), deployer],
    }),
    marketPause: encodeDeployData({ abi: marketPauseAbi, bytecode: marketPauseBytecode }),
    tokenRegistry: encodeDeployData({ abi: tokenRegistryAbi, bytecode: tokenRegistryBytecode }),
    matchPolicy: encodeDeployData({ abi: matchPolicyAbi, bytecode: matchPolicyBytecode, args: [arbSys] }),
    stakingManager: encodeDeployData({
      abi: stakingManagerAbi,
      bytecode: stakingManagerBytecode,
      args: [market, stakingToken],
    }),
    complianceRegistry: encodeDeployData({
      abi: complianceRegistryAbi,
      bytecode: complianceRegistryBytecode,
      args: [market, stakingToken],
    }),
    providerRegistry: encodeDeployData({
      abi: providerRegistryAbi,
      bytecode: providerRegistryBytecode,
      args: [market],
    }),
    providerAdmission: encodeDeployData({
      abi: providerAdmissionAbi,
      bytecode: providerAdmissionBytecode,
      args: [market],
    }),
    providerAttributes: encodeDeployData({
      abi: providerAttributesAbi,
      bytecode: providerAttributesBytecode,
      args: [market],
    }),
    certificateRegistry: encodeDeployData({ abi: certificateRegistryAbi, bytecode: certificateRegistryBytecode }),
    escrow: encodeDeployData({ abi: escrowAbi, bytecode: escrowBytecode, args: [market] }),
    orderRequest: encodeDeployData({
      abi: orderRequestAbi,
      bytecode: orderRequestBytecode,
      args: [market, arbSys, parameters.bidWindowBlocks],
    }),
    bid: encodeDeployData({ abi: bidAbi, bytecode: bidBytecode, args: [market, arbSys] }),
    computeLease: encodeDeployData({ abi: computeLeaseAbi, bytecode: computeLeaseBytecode, args: [market] }),
    matchSettlement: encodeDeployData({
      abi: matchSettlementAbi,
      bytecode: matchSettlementBytecode,
      args: [market, verifier, stakeSide.operatorSet, arbSys],
    }),
    signedCalls: encodeDeployData({ abi: signedCallsAbi, bytecode: signedCallsBytecode, args: [market] }),
    rewardOracle: encodeDeployData({ abi: rewardOracleAbi, bytecode: rewardOracleBytecode, args: [market] }),
    rewarder: encodeDeployData({
      abi: rewarderAbi,
      bytecode: rewarderBytecode,
      args: [market, parameters.rewardToken],
    }),
  };
}

/** What each proxy is told in its creation. */
function initializerData(parameters: MarketParameters, addresses: ContractAddresses): Record<Proxied, Hex> {
  const { policy, economy, treasury, foundation } = parameters;
  const { admission, stake, auditorBond, fees, bids, leases, rewards } = economy;
  const authority = addresses.accessManager;
  const functionName = 'initialize';
  return {
    marketPause: encodeFunctionData({ abi: marketPauseAbi, functionName, args: [authority] }),
    tokenRegistry: encodeFunctionData({ abi: tokenRegistryAbi, functionName, args: [authority] }),
    matchPolicy: encodeFunctionData({
      abi: matchPolicyAbi,
      functionName,
      args: [authority, parameters.roundLengthBlocks, policyStructOf(policy), policy.packing ?? NO_PACKING],
    }),
    stakingManager: encodeFunctionData({
      abi: stakingManagerAbi,
      functionName,
      args: [authority, stake, treasury],
    }),
    complianceRegistry: encodeFunctionData({
      abi: complianceRegistryAbi,
      functionName,
      args: [authority, wholeTokens(auditorBond.minimumWhole), auditorBond.bondSeconds, treasury],
    }),
    providerAdmission: encodeFunctionData({
      abi: providerAdmissionAbi,
      functionName,
      args: [authority, admission.autoApproval, admission.councilQuorum],
    }),
    providerAttributes: encodeFunctionData({ abi: providerAttributesAbi, functionName, args: [authority] }),
    certificateRegistry: encodeFunctionData({ abi: certificateRegistryAbi, functionName, args: [authority] }),
    escrow: encodeFunctionData({
      abi: escrowAbi,
      functionName,
      args: [authority, { ...fees, treasury, foundation }],
    }),
    bid: encodeFunctionData({ abi: bidAbi, functionName, args: [authority, bids] }),
    computeLease: encodeFunctionData({ abi: computeLeaseAbi, functionName, args: [authority, leases] }),
    signedCalls: encodeFunctionData({ abi: signedCallsAbi, functionName, args: [authority] }),
    rewardOracle: encodeFunctionData({
      abi: rewardOracleAbi,
      functionName,
      args: [authority, parameters.eraZero, rewards.eraSeconds, feedTerms(parameters)],
    }),
    rewarder: encodeFunctionData({
      abi: rewarderAbi,
      functionName,
      args: [
        authority,
        {
          ...rewards,
          pointMicroUsd: BigInt(rewards.pointMicroUsd),
          operatorPoolMicroUsd: BigInt(rewards.operatorPoolMicroUsd),
          maxRefundGasPriceWei: BigInt(rewards.maxRefundGasPriceWei),
          maxPerEra: wholeTokens(rewards.maxPerEraWhole),
        },
        rewards.activationSeconds,
        wholeTokens(rewards.contestBondWhole),
        treasury,
      ],
    }),
  };
}

function feedTerms({
  feeds,
  economy,
}: MarketParameters): ContractFunctionArgs<typeof rewardOracleAbi, 'nonpayable', 'setFeedTerms'>[0] {
  const terms = economy.feeds;
  return {
    rewardTokenFeed: feeds.rewardToken,
    nativeFeed: feeds.native,
    sequencerFeed: feeds.sequencer,
    rewardHeartbeatSeconds: terms.rewardHeartbeatSeconds,
    nativeHeartbeatSeconds: terms.nativeHeartbeatSeconds,
    sequencerGraceSeconds: terms.sequencerGraceSeconds,
    rewardMinMicroUsd: BigInt(terms.rewardMinMicroUsd),
    rewardMaxMicroUsd: BigInt(terms.rewardMaxMicroUsd),
    nativeMinMicroUsd: BigInt(terms.nativeMinMicroUsd),
    nativeMaxMicroUsd: BigInt(terms.nativeMaxMicroUsd),
  };
}

/** Every member of every role, with the delay of the roles that have one. */
function roleHolders({
  roles,
  economy,
}: MarketParameters): { role: bigint; account: Address; executionDelay: number }[] {
  const delays: Partial<Record<keyof MarketRoles, number>> = {
    governor: economy.delays.governorSeconds,
    parameters: economy.delays.parametersSeconds,
    upgrader: economy.delays.upgraderSeconds,
  };
  return (Object.keys(MARKET_ROLES) as (keyof MarketRoles)[]).flatMap((name) =>
    [roles[name]].flat().map((account) => ({
      role: MARKET_ROLES[name],
      account,
      executionDelay: delays[name] ?? 0,
    })),
  );
}

function wholeTokens(whole: number): bigint {
  return parseUnits(String(whole), TOKEN_DECIMALS);
}

function isSame(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
