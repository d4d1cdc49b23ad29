import {
  decodeEventLog,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  toFunctionSelector,
  type Abi,
  type Address,
  type Hex,
} from 'viem';
import type { Policy } from '../../engine/policy.js';
import { MatchmakerError } from '../../engine/error.js';
import { complianceRegistryAbi, complianceRegistryBytecode } from '../contracts/generated/ComplianceRegistry.js';
import { computeLeaseAbi, computeLeaseBytecode } from '../contracts/generated/ComputeLease.js';
import { escrowAbi, escrowBytecode } from '../contracts/generated/Escrow.js';
import { marketAuthorityAbi, marketAuthorityBytecode } from '../contracts/generated/MarketAuthority.js';
import { matchPolicyAbi, matchPolicyBytecode } from '../contracts/generated/MatchPolicy.js';
import { matchSettlementAbi, matchSettlementBytecode } from '../contracts/generated/MatchSettlement.js';
import { orderRequestAbi, orderRequestBytecode } from '../contracts/generated/OrderRequest.js';
import { providerRegistryAbi, providerRegistryBytecode } from '../contracts/generated/ProviderRegistry.js';
import { stakingManagerAbi, stakingManagerBytecode } from '../contracts/generated/StakingManager.js';
import { tokenRegistryAbi, tokenRegistryBytecode } from '../contracts/generated/TokenRegistry.js';
import { parseDeployment, type Deployment } from '../deployment.js';
import type { Receipt } from '../rpc/rpcCall.js';
import type { TransactionLane } from './transactionLane.js';

/** What a market is deployed with. */
export interface MarketParameters {
  readonly name: string;
  readonly chainId: number;
  readonly blockTimeMs: number;
  /** False where the chain's EigenLayer delays are too short for the slashing window to hold. */
  readonly economicSecurity: boolean;
  /** True on Arbitrum chains, where `block.number` means L1. */
  readonly arbSys: boolean;
  readonly roundLengthBlocks: number;
  readonly bidWindowBlocks: number;
  readonly policy: Policy;
  /** New providers may be matched at once; otherwise a verifier lets them in. */
  readonly autoApproveProviders: boolean;
  /** Whole staking tokens that a provider's machines need. */
  readonly stakeRequirement: {
    readonly wholePerDevice: number;
    readonly wholePerCore: number;
    readonly wholeMinimum: number;
  };
  /** What providers stake. */
  readonly stakingToken: Address;
  /** Payment tokens in the order of their ids, from 1. */
  readonly paymentTokens: readonly { readonly address: Address; readonly minimumDeposit: bigint }[];
  readonly roles: MarketRoles;
  /** The stake side that settlement takes its operator table from. */
  readonly stakeSide: Pick<Deployment, 'operatorSet' | 'eigenlayer' | 'stakeToken' | 'strategy'>;
}

/** Who may call the restricted functions. The governor may do everything, and grant and revoke the others. */
export interface MarketRoles {
  readonly governor: Address;
  /** Sets providers' status, tier and attributes. */
  readonly providerVerifier: Address;
  /** Sets providers' uptime, reputation and slashes. */
  readonly scoreOracle: Address;
  /** Accredits auditors and revokes reports. */
  readonly complianceOfficer: Address;
}

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

const ADMIN_ROLE = 0n;
/** Roles of the market's authority by number; 0 is the governor's. */
export const MARKET_ROLES = { providerVerifier: 1n, scoreOracle: 2n, complianceOfficer: 3n } as const;

const CONTRACTS = [
  'accessManager',
  'tokenRegistry',
  'matchPolicy',
  'stakingManager',
  'complianceRegistry',
  'providerRegistry',
  'escrow',
  'orderRequest',
  'computeLease',
  'matchSettlement',
] as const satisfies readonly (keyof Deployment['contracts'])[];

type ContractAddresses = Record<(typeof CONTRACTS)[number], Address>;

/**
 * Deploys a whole market with the lane's key: its contracts, which hold each other's addresses for good and therefore are
 * told them before they exist, then roles and payment tokens. The key ends without any right unless it is the governor.
 * Throws DeployAddressError, BlockSourceWrongError, TransactionRevertedError and the errors of the RPC.
 */
export async function deployMarket(
  parameters: MarketParameters,
  dependencies: { lane: TransactionLane },
): Promise<Deployment> {
  const { lane } = dependencies;
  const firstNonce = await lane.nextNonce();
  const addresses = predictAddresses(lane.address, firstNonce);
  const creations = creationData(parameters, addresses, lane.address);

  const sent = [];
  for (const contract of CONTRACTS) {
    sent.push({ contract, ...(await lane.send({ data: creations[contract], label: `deploy ${contract}` })) });
  }
  let deploymentBlock = Number.MAX_SAFE_INTEGER;
  for (const { contract, mined } of sent) {
    const receipt = await mined;
    if (receipt.contractAddress !== addresses[contract]) {
      throw new DeployAddressError(contract, addresses[contract], receipt.contractAddress);
    }
    deploymentBlock = Math.min(deploymentBlock, receipt.blockNumber);
    if (contract === 'matchPolicy') requireOwnBlocks(parameters, receipt);
  }

  for (const token of parameters.paymentTokens) {
    await lane.run({
      to: addresses.tokenRegistry,
      data: encodeFunctionData({
        abi: tokenRegistryAbi,
        functionName: 'approveToken',
        args: [token.address, token.minimumDeposit],
      }),
      label: `approve payment token ${token.address}`,
      errorsAbi: tokenRegistryAbi,
    });
  }
  await lane.run({
    to: addresses.accessManager,
    data: encodeFunctionData({
      abi: marketAuthorityAbi,
      functionName: 'multicall',
      args: [roleCalls(parameters.roles, addresses, lane.address)],
    }),
    label: 'assign roles',
    errorsAbi: marketAuthorityAbi,
  });

  return parseDeployment({
    name: parameters.name,
    chainId: parameters.chainId,
    deploymentBlock,
    blockTimeMs: parameters.blockTimeMs,
    economicSecurity: parameters.economicSecurity,
    contracts: addresses,
    ...parameters.stakeSide,
  });
}

/** The first round begins one length after the block of the deployment, as the policy counted it and as the chain did. */
function requireOwnBlocks({ arbSys, roundLengthBlocks }: MarketParameters, { logs, blockNumber }: Receipt): void {
  for (const { topics, data } of logs) {
    const { eventName, args } = decodeEventLog({ abi: matchPolicyAbi, topics: topics as [Hex, ...Hex[]], data });
    if (eventName !== 'PolicyScheduled') continue;
    const counted = args.fromBlock - roundLengthBlocks;
    if (counted !== blockNumber) throw new BlockSourceWrongError(arbSys, counted, blockNumber);
  }
}

function predictAddresses(from: Address, firstNonce: number): ContractAddresses {
  return Object.fromEntries(
    CONTRACTS.map((contract, index) => [
      contract,
      getContractAddress({ from, nonce: BigInt(firstNonce + index) }).toLowerCase(),
    ]),
  ) as ContractAddresses;
}

function creationData(
  parameters: MarketParameters,
  addresses: ContractAddresses,
  deployer: Address,
): Record<keyof ContractAddresses, Hex> {
  const { policy, stakeRequirement, stakeSide, arbSys } = parameters;
  return {
    accessManager: encodeDeployData({
      abi: marketAuthorityAbi,
      bytecode: marketAuthorityBytecode,
      args: [deployer],
    }),
    tokenRegistry: encodeDeployData({
      abi: tokenRegistryAbi,
      bytecode: tokenRegistryBytecode,
      args: [addresses.accessManager],
    }),
    matchPolicy: encodeDeployData({
      abi: matchPolicyAbi,
      bytecode: matchPolicyBytecode,
      args: [
        addresses.accessManager,
        arbSys,
        parameters.roundLengthBlocks,
        { ...policy, jitterRange: BigInt(policy.jitterRange) },
      ],
    }),
    stakingManager: encodeDeployData({
      abi: stakingManagerAbi,
      bytecode: stakingManagerBytecode,
      args: [
        addresses.accessManager,
        parameters.stakingToken,
        addresses.providerRegistry,
        stakeRequirement.wholePerDevice,
        stakeRequirement.wholePerCore,
        stakeRequirement.wholeMinimum,
      ],
    }),
    complianceRegistry: encodeDeployData({
      abi: complianceRegistryAbi,
      bytecode: complianceRegistryBytecode,
      args: [addresses.accessManager, addresses.providerRegistry],
    }),
    providerRegistry: encodeDeployData({
      abi: providerRegistryAbi,
      bytecode: providerRegistryBytecode,
      args: [
        addresses.accessManager,
        addresses.matchPolicy,
        addresses.tokenRegistry,
        addresses.stakingManager,
        addresses.complianceRegistry,
        addresses.matchSettlement,
        addresses.computeLease,
        parameters.autoApproveProviders,
      ],
    }),
    escrow: encodeDeployData({
      abi: escrowAbi,
      bytecode: escrowBytecode,
      args: [addresses.tokenRegistry, addresses.orderRequest, addresses.computeLease],
    }),
    orderRequest: encodeDeployData({
      abi: orderRequestAbi,
      bytecode: orderRequestBytecode,
      args: [
        addresses.accessManager,
        addresses.escrow,
        addresses.tokenRegistry,
        addresses.matchPolicy,
        addresses.matchSettlement,
        addresses.computeLease,
        arbSys,
        parameters.bidWindowBlocks,
      ],
    }),
    computeLease: encodeDeployData({
      abi: computeLeaseAbi,
      bytecode: computeLeaseBytecode,
      args: [addresses.escrow, addresses.orderRequest, addresses.providerRegistry, addresses.tokenRegistry],
    }),
    matchSettlement: encodeDeployData({
      abi: matchSettlementAbi,
      bytecode: matchSettlementBytecode,
      args: [
        addresses.matchPolicy,
        addresses.providerRegistry,
        addresses.orderRequest,
        stakeSide.eigenlayer.ecdsaCertificateVerifier,
        stakeSide.operatorSet,
        arbSys,
      ],
    }),
  };
}

/** Calls of the authority, in order: what each role may call, who has it, and the governor in the deployer's place. */
function roleCalls(roles: MarketRoles, addresses: ContractAddresses, deployer: Address): Hex[] {
  const assigned: [bigint, string, Address, Address, Hex[]][] = [
    [
      MARKET_ROLES.providerVerifier,
      'PROVIDER_VERIFIER',
      roles.providerVerifier,
      addresses.providerRegistry,
      selectors(providerRegistryAbi, ['setProviderStatus', 'verifyProvider']),
    ],
    [
      MARKET_ROLES.scoreOracle,
      'SCORE_ORACLE',
      roles.scoreOracle,
      addresses.providerRegistry,
      selectors(providerRegistryAbi, ['setProviderScores']),
    ],
    [
      MARKET_ROLES.complianceOfficer,
      'COMPLIANCE_OFFICER',
      roles.complianceOfficer,
      addresses.complianceRegistry,
      selectors(complianceRegistryAbi, ['accredit', 'revokeReport']),
    ],
  ];
  const abi = marketAuthorityAbi;
  const calls = assigned.flatMap(([role, label, holder, target, functions]) => [
    encodeFunctionData({ abi, functionName: 'labelRole', args: [role, label] }),
    encodeFunctionData({ abi, functionName: 'setTargetFunctionRole', args: [target, functions, role] }),
    encodeFunctionData({ abi, functionName: 'grantRole', args: [role, holder, 0] }),
  ]);
  if (roles.governor.toLowerCase() !== deployer.toLowerCase()) {
    calls.push(
      encodeFunctionData({ abi, functionName: 'grantRole', args: [ADMIN_ROLE, roles.governor, 0] }),
      encodeFunctionData({ abi, functionName: 'renounceRole', args: [ADMIN_ROLE, deployer] }),
    );
  }
  return calls;
}

function selectors(abi: Abi, names: readonly string[]): Hex[] {
  return names.map((name) => {
    const item = abi.find((entry) => entry.type === 'function' && entry.name === name);
    if (item?.type !== 'function') throw new Error(`no function ${name} in the ABI`);
    return toFunctionSelector(item);
  });
}
