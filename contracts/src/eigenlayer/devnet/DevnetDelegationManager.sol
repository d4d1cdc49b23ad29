// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IAllocationManager } from "../IAllocationManager.sol";
import { IDelegationManager } from "../IDelegationManager.sol";
import { IPermissionController } from "../IPermissionController.sol";
import { IStrategy } from "../IStrategy.sol";
import { IStrategyManager } from "../IStrategyManager.sol";
import { SignatureWithExpiry } from "../EigenTypes.sol";
import { DevnetPermissioned } from "./DevnetPermissioned.sol";

/// @title Operators and delegation, for a chain that has no EigenLayer.
/// @dev Stake stays: undelegating and withdrawing are not part of this devnet.
contract DevnetDelegationManager is IDelegationManager, DevnetPermissioned, EIP712 {
    error OnlyStrategyManager();

    bytes32 private constant APPROVAL_TYPEHASH =
        keccak256("DelegationApproval(address delegationApprover,address staker,address operator,bytes32 salt,uint256 expiry)");

    IAllocationManager public immutable allocationManager;
    IStrategyManager public immutable strategyManager;

    mapping(address staker => address operator) public delegatedTo;
    mapping(address operator => address) public delegationApprover;
    mapping(address operator => mapping(IStrategy strategy => uint256)) private _operatorShares;
    mapping(address approver => mapping(bytes32 salt => bool)) public delegationApproverSaltIsSpent;

    constructor(IAllocationManager allocationManager_, IStrategyManager strategyManager_, IPermissionController permissionController_)
        DevnetPermissioned(permissionController_)
        EIP712("EigenLayer", "1")
    {
        allocationManager = allocationManager_;
        strategyManager = strategyManager_;
    }

    function registerAsOperator(address initDelegationApprover, uint32 allocationDelay, string calldata metadataURI) external {
        require(!isDelegated(msg.sender), ActivelyDelegated());
        delegationApprover[msg.sender] = initDelegationApprover;
        _delegate(msg.sender, msg.sender);
        emit OperatorRegistered(msg.sender, initDelegationApprover);
        emit OperatorMetadataURIUpdated(msg.sender, metadataURI);
        allocationManager.setAllocationDelay(msg.sender, allocationDelay);
    }

    function updateOperatorMetadataURI(address operator, string calldata metadataURI) external {
        require(_mayActFor(operator), InvalidPermissions());
        require(isOperator(operator), OperatorNotRegistered());
        emit OperatorMetadataURIUpdated(operator, metadataURI);
    }

    function delegateTo(address operator, SignatureWithExpiry memory approverSignatureAndExpiry, bytes32 approverSalt) external {
        require(!isDelegated(msg.sender), ActivelyDelegated());
        require(isOperator(operator), OperatorNotRegistered());
        address approver = delegationApprover[operator];
        if (approver != address(0) && approver != msg.sender) {
            _useApproval(approver, operator, approverSignatureAndExpiry, approverSalt);
        }
        _delegate(msg.sender, operator);
    }

    /// @notice Adds a new deposit to the operator that the staker delegates to, if any.
    function increaseDelegatedShares(address staker, IStrategy strategy, uint256 addedShares) external {
        require(msg.sender == address(strategyManager), OnlyStrategyManager());
        address operator = delegatedTo[staker];
        if (operator != address(0)) _increaseOperatorShares(operator, staker, strategy, addedShares);
    }

    function isOperator(address operator) public view returns (bool) {
        return operator != address(0) && delegatedTo[operator] == operator;
    }

    function isDelegated(address staker) public view returns (bool) {
        return delegatedTo[staker] != address(0);
    }

    function getOperatorShares(address operator, IStrategy[] memory strategies) public view returns (uint256[] memory shares) {
        shares = new uint256[](strategies.length);
        for (uint256 i; i < strategies.length; ++i) {
            shares[i] = _operatorShares[operator][strategies[i]];
        }
    }

    function getOperatorsShares(address[] memory operators, IStrategy[] memory strategies)
        external
        view
        returns (uint256[][] memory shares)
    {
        shares = new uint256[][](operators.length);
        for (uint256 i; i < operators.length; ++i) {
            shares[i] = getOperatorShares(operators[i], strategies);
        }
    }

    function calculateDelegationApprovalDigestHash(
        address staker,
        address operator,
        address _delegationApprover,
        bytes32 approverSalt,
        uint256 expiry
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, _delegationApprover, staker, operator, approverSalt, expiry)));
    }

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _useApproval(address approver, address operator, SignatureWithExpiry memory approval, bytes32 salt) private {
        require(!delegationApproverSaltIsSpent[approver][salt], SaltSpent());
        delegationApproverSaltIsSpent[approver][salt] = true;
        require(approval.expiry >= block.timestamp, SignatureExpired());
        bytes32 digest = calculateDelegationApprovalDigestHash(msg.sender, operator, approver, salt, approval.expiry);
        require(SignatureChecker.isValidSignatureNow(approver, digest, approval.signature), InvalidSignature());
    }

    /// @dev A staker holds at most 32 strategies, so the loop is bounded.
    function _delegate(address staker, address operator) private {
        delegatedTo[staker] = operator;
        emit StakerDelegated(staker, operator);
        (IStrategy[] memory strategies, uint256[] memory shares) = strategyManager.getDeposits(staker);
        for (uint256 i; i < strategies.length; ++i) {
            _increaseOperatorShares(operator, staker, strategies[i], shares[i]);
        }
    }

    function _increaseOperatorShares(address operator, address staker, IStrategy strategy, uint256 shares) private {
        _operatorShares[operator][strategy] += shares;
        emit OperatorSharesIncreased(operator, staker, strategy, shares);
    }
}
