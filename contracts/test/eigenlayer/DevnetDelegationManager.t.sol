// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDelegationManager } from "../../src/eigenlayer/IDelegationManager.sol";
import { SignatureWithExpiry } from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetDelegationManager } from "../../src/eigenlayer/devnet/DevnetDelegationManager.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetDelegationManagerTest is EigenDevnetFixture {
    address private operator = makeAddr("operator");
    address private staker = makeAddr("staker");
    SignatureWithExpiry private noApproval;

    function testFuzz_anOperatorHasTheSharesOfAllWhoDelegateToIt(uint64 own, uint64 before, uint64 later) public {
        registerAsOperator(operator, 0);
        uint256 shares = deposit(operator, bound(own, 1, 10e18));
        shares += deposit(staker, bound(before, 1, 10e18));
        vm.prank(staker);
        delegationManager.delegateTo(operator, noApproval, 0);
        shares += deposit(staker, bound(later, 1, 10e18));
        assertEq(sharesOf(operator), shares);
    }

    function test_operatorDelegatesToItself() public {
        assertFalse(delegationManager.isOperator(operator));
        vm.prank(operator);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.OperatorRegistered(operator, staker);
        delegationManager.registerAsOperator(staker, 0, "uri");
        assertTrue(delegationManager.isOperator(operator));
        assertEq(delegationManager.delegatedTo(operator), operator);
        assertEq(delegationManager.delegationApprover(operator), staker);
        vm.prank(operator);
        vm.expectRevert(IDelegationManager.ActivelyDelegated.selector);
        delegationManager.registerAsOperator(address(0), 0, "uri");
    }

    function test_zeroAddressIsNoOperator() public view {
        assertFalse(delegationManager.isOperator(address(0)));
    }

    function test_depositsBeforeAndAfterDelegationCount() public {
        registerAsOperator(operator, 0);
        deposit(staker, 3e18);
        assertEq(sharesOf(operator), 0);
        vm.prank(staker);
        delegationManager.delegateTo(operator, noApproval, 0);
        assertEq(sharesOf(operator), 3e18);
        deposit(staker, 2e18);
        deposit(operator, 1e18);
        assertEq(sharesOf(operator), 6e18);
        assertEq(delegationManager.getOperatorsShares(addresses(operator), strategies(strategy))[0][0], 6e18);
    }

    function test_delegationNeedsAnOperatorAndHappensOnce() public {
        vm.startPrank(staker);
        vm.expectRevert(IDelegationManager.OperatorNotRegistered.selector);
        delegationManager.delegateTo(operator, noApproval, 0);
        vm.stopPrank();
        registerAsOperator(operator, 0);
        vm.startPrank(staker);
        delegationManager.delegateTo(operator, noApproval, 0);
        vm.expectRevert(IDelegationManager.ActivelyDelegated.selector);
        delegationManager.delegateTo(operator, noApproval, 0);
        vm.expectRevert(IDelegationManager.ActivelyDelegated.selector);
        delegationManager.registerAsOperator(address(0), 0, "");
    }

    function test_approverSignsEachDelegationOnce() public {
        (address approver, uint256 approverKey) = makeAddrAndKey("approver");
        vm.prank(operator);
        delegationManager.registerAsOperator(approver, 0, "");
        bytes32 salt = keccak256("salt");
        uint256 expiry = block.timestamp;
        bytes32 digest = delegationManager.calculateDelegationApprovalDigestHash(staker, operator, approver, salt, expiry);
        SignatureWithExpiry memory approval = SignatureWithExpiry(sign(approverKey, digest), expiry);

        address other = makeAddr("other staker");
        vm.prank(other);
        vm.expectRevert(IDelegationManager.InvalidSignature.selector);
        delegationManager.delegateTo(operator, approval, salt);
        vm.prank(staker);
        delegationManager.delegateTo(operator, approval, salt);
        vm.prank(other);
        vm.expectRevert(IDelegationManager.SaltSpent.selector);
        delegationManager.delegateTo(operator, approval, salt);
        vm.warp(expiry + 1);
        vm.prank(other);
        vm.expectRevert(IDelegationManager.SignatureExpired.selector);
        delegationManager.delegateTo(operator, approval, keccak256("another salt"));
    }

    function test_approverItselfNeedsNoApproval() public {
        vm.prank(operator);
        delegationManager.registerAsOperator(staker, 0, "");
        vm.prank(staker);
        delegationManager.delegateTo(operator, noApproval, 0);
        assertEq(delegationManager.delegatedTo(staker), operator);
    }

    function test_approvalDigestIsEip712() public view {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("DelegationApproval(address delegationApprover,address staker,address operator,bytes32 salt,uint256 expiry)"),
                address(3),
                address(1),
                address(2),
                bytes32(uint256(4)),
                uint256(5)
            )
        );
        assertEq(
            delegationManager.calculateDelegationApprovalDigestHash(address(1), address(2), address(3), bytes32(uint256(4)), 5),
            keccak256(abi.encodePacked(hex"1901", delegationManager.domainSeparator(), structHash))
        );
    }

    function test_sharesComeFromTheStrategyManagerOnly() public {
        vm.expectRevert(DevnetDelegationManager.OnlyStrategyManager.selector);
        delegationManager.increaseDelegatedShares(staker, strategy, 0, 1);
    }

    function test_metadataIsTheOperatorsToChange() public {
        vm.expectRevert(IDelegationManager.InvalidPermissions.selector);
        delegationManager.updateOperatorMetadataURI(operator, "uri");
        vm.prank(operator);
        vm.expectRevert(IDelegationManager.OperatorNotRegistered.selector);
        delegationManager.updateOperatorMetadataURI(operator, "uri");
        registerAsOperator(operator, 0);
        vm.prank(operator);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.OperatorMetadataURIUpdated(operator, "uri");
        delegationManager.updateOperatorMetadataURI(operator, "uri");
    }

    function sharesOf(address account) private view returns (uint256) {
        return delegationManager.getOperatorShares(account, strategies(strategy))[0];
    }
}
