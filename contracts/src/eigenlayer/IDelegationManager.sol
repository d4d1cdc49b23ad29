// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStrategy } from "./IStrategy.sol";
import { SignatureWithExpiry } from "./EigenTypes.sol";

/// @title EigenLayer's delegation manager: who is an operator and whose stake stands behind it.
interface IDelegationManager {
    event OperatorRegistered(address indexed operator, address delegationApprover);
    event OperatorMetadataURIUpdated(address indexed operator, string metadataURI);
    event OperatorSharesIncreased(address indexed operator, address staker, IStrategy strategy, uint256 shares);
    event StakerDelegated(address indexed staker, address indexed operator);

    error InvalidPermissions();
    error ActivelyDelegated();
    error OperatorNotRegistered();
    error SaltSpent();
    error SignatureExpired();
    error InvalidSignature();
    error InputArrayLengthMismatch();

    /// @param initDelegationApprover Who must sign delegations to this operator; zero if anyone may delegate.
    /// @param allocationDelay Blocks until an allocation becomes slashable; in force at once.
    function registerAsOperator(address initDelegationApprover, uint32 allocationDelay, string calldata metadataURI) external;
    function updateOperatorMetadataURI(address operator, string calldata metadataURI) external;
    function delegateTo(address operator, SignatureWithExpiry memory approverSignatureAndExpiry, bytes32 approverSalt) external;
    function isOperator(address operator) external view returns (bool);
    function isDelegated(address staker) external view returns (bool);
    function delegatedTo(address staker) external view returns (address);
    function delegationApprover(address operator) external view returns (address);
    function getOperatorShares(address operator, IStrategy[] memory strategies) external view returns (uint256[] memory);
    function getOperatorsShares(address[] memory operators, IStrategy[] memory strategies) external view returns (uint256[][] memory);
    function calculateDelegationApprovalDigestHash(
        address staker,
        address operator,
        address _delegationApprover,
        bytes32 approverSalt,
        uint256 expiry
    ) external view returns (bytes32);
}
