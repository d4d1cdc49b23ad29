import { parseAbi, type Abi } from 'viem';
import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { iCertificateRegistryAbi } from '../../chain/contracts/generated/ICertificateRegistry.js';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { iMarketPauseAbi } from '../../chain/contracts/generated/IMarketPause.js';
import { iMatchPolicyAbi } from '../../chain/contracts/generated/IMatchPolicy.js';
import { iMatchSettlementAbi } from '../../chain/contracts/generated/IMatchSettlement.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { iQuorumVerifierAbi } from '../../chain/contracts/generated/IQuorumVerifier.js';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { iRewardOracleAbi } from '../../chain/contracts/generated/IRewardOracle.js';
import { iSignedCallsAbi } from '../../chain/contracts/generated/ISignedCalls.js';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { iTokenRegistryAbi } from '../../chain/contracts/generated/ITokenRegistry.js';

const foundationErrorsAbi = parseAbi([
  'error AccessManagedUnauthorized(address caller)',
  'error AccessManagedRequiredDelay(address caller, uint32 delay)',
  'error AccessManagerAlreadyScheduled(bytes32 operationId)',
  'error AccessManagerNotScheduled(bytes32 operationId)',
  'error AccessManagerNotReady(bytes32 operationId)',
  'error AccessManagerExpired(bytes32 operationId)',
  'error AccessManagerLockedRole(uint64 roleId)',
  'error AccessManagerUnauthorizedAccount(address msgsender, uint64 roleId)',
  'error AccessManagerUnauthorizedCall(address caller, address target, bytes4 selector)',
  'error AccessManagerUnauthorizedCancel(address msgsender, address caller, address target, bytes4 selector)',
  'error ERC1967InvalidImplementation(address implementation)',
  'error UUPSUnsupportedProxiableUUID(bytes32 slot)',
  'error InvalidAccountNonce(address account, uint256 currentNonce)',
  'error SafeERC20FailedOperation(address token)',
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  'error ReentrancyGuardReentrantCall()',
]);

/** Every custom error that a call of the market may end with: those of its contracts and of what they are built on. */
export const marketErrorsAbi: Abi = [
  ...iBidAbi,
  ...iCertificateRegistryAbi,
  ...iComplianceRegistryAbi,
  ...iComputeLeaseAbi,
  ...iEscrowAbi,
  ...iMarketPauseAbi,
  ...iMatchPolicyAbi,
  ...iMatchSettlementAbi,
  ...iOrderRequestAbi,
  ...iProviderAdmissionAbi,
  ...iProviderAttributesAbi,
  ...iProviderRegistryAbi,
  ...iQuorumVerifierAbi,
  ...iRewarderAbi,
  ...iRewardOracleAbi,
  ...iSignedCallsAbi,
  ...iStakingManagerAbi,
  ...iTokenRegistryAbi,
  ...foundationErrorsAbi,
].filter((item) => item.type === 'error');
