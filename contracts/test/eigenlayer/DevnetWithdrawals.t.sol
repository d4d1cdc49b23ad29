// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IDelegationManager } from "../../src/eigenlayer/IDelegationManager.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import { IStrategyManager } from "../../src/eigenlayer/IStrategyManager.sol";
import { QueuedWithdrawalParams, SignatureWithExpiry, Withdrawal } from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetStrategy } from "../../src/eigenlayer/devnet/DevnetStrategy.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetWithdrawalsTest is EigenDevnetFixture {
    address private operator = makeAddr("operator");
    address private approver = makeAddr("approver");
    address private staker = makeAddr("staker");
    SignatureWithExpiry private noApproval;

    function setUp() public override {
        super.setUp();
        registerAsOperator(operator, 0);
        deposit(staker, 10e18);
        vm.prank(staker);
        delegationManager.delegateTo(operator, noApproval, 0);
    }

    // ------------------------------------------------------------------ queue and complete

    function test_withdrawalWaitsAndPays() public {
        Withdrawal memory withdrawal = Withdrawal(staker, operator, staker, 0, uint32(block.number), strategies(strategy), amounts(4e18));
        bytes32 root = keccak256(abi.encode(withdrawal));
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.OperatorSharesDecreased(operator, staker, strategy, 4e18);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.SlashingWithdrawalQueued(root, withdrawal, amounts(4e18));
        vm.prank(staker);
        bytes32[] memory roots = delegationManager.queueWithdrawals(queueParams(4e18));
        assertEq(roots[0], root);
        assertEq(delegationManager.getQueuedWithdrawalRoots(staker)[0], root);
        assertEq(delegationManager.calculateWithdrawalRoot(withdrawal), root);
        (Withdrawal[] memory queued, uint256[][] memory shares) = delegationManager.getQueuedWithdrawals(staker);
        assertEq(abi.encode(queued[0]), abi.encode(withdrawal));
        assertEq(shares[0][0], 4e18);
        assertEq(sharesOf(operator), 6e18);
        assertEq(strategyManager.stakerDepositShares(staker, strategy), 6e18);
        (IStrategy[] memory held, uint256[] memory heldShares) = delegationManager.getDepositedShares(staker);
        assertEq(held.length, 1);
        assertEq(heldShares[0], 6e18);

        assertEq(delegationManager.minWithdrawalDelayBlocks(), DEALLOCATION_DELAY);
        vm.roll(block.number + DEALLOCATION_DELAY);
        vm.startPrank(staker);
        vm.expectRevert(IDelegationManager.WithdrawalDelayNotElapsed.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), true);
        vm.roll(block.number + 1);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.SlashingWithdrawalCompleted(root);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), true);
        assertEq(stakeToken.balanceOf(staker), 4e18);
        assertEq(strategy.totalShares(), 6e18);
        vm.expectRevert(IDelegationManager.WithdrawalNotQueued.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), true);
        assertEq(delegationManager.getQueuedWithdrawalRoots(staker).length, 0);
    }

    function test_withdrawalIsItsOwnersAndExact() public {
        Withdrawal memory withdrawal = queue(4e18);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.expectRevert(IDelegationManager.WithdrawerNotCaller.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), true);
        vm.startPrank(staker);
        vm.expectRevert(IDelegationManager.InputArrayLengthMismatch.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, new IERC20[](0), true);
        IERC20[] memory wrong = tokens();
        wrong[0] = new DevnetToken("Other", "OTH", 18);
        vm.expectRevert(DevnetStrategy.OnlyUnderlyingToken.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, wrong, true);
        withdrawal.scaledShares[0] += 1;
        vm.expectRevert(IDelegationManager.WithdrawalNotQueued.selector);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), true);
    }

    function test_amountsAreChecked() public {
        vm.startPrank(staker);
        vm.expectRevert(IStrategyManager.SharesAmountTooHigh.selector);
        delegationManager.queueWithdrawals(queueParams(10e18 + 1));
        vm.expectRevert(IStrategyManager.SharesAmountZero.selector);
        delegationManager.queueWithdrawals(queueParams(0));
        QueuedWithdrawalParams[] memory params = queueParams(1);
        params[0].depositShares = new uint256[](2);
        vm.expectRevert(IDelegationManager.InputArrayLengthMismatch.selector);
        delegationManager.queueWithdrawals(params);
        params[0] = QueuedWithdrawalParams(new IStrategy[](0), new uint256[](0), address(0));
        vm.expectRevert(IDelegationManager.InputArrayLengthZero.selector);
        delegationManager.queueWithdrawals(params);
    }

    function test_sharesComeBackAsStake() public {
        Withdrawal memory withdrawal = queue(4e18);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.expectEmit(address(strategyManager));
        emit IStrategyManager.Deposit(staker, strategy, 4e18);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.OperatorSharesIncreased(operator, staker, strategy, 4e18);
        vm.prank(staker);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), false);
        assertEq(sharesOf(operator), 10e18);
        assertEq(stakeToken.balanceOf(staker), 0);
    }

    function test_severalAreCompletedAtOnce() public {
        Withdrawal[] memory withdrawals = new Withdrawal[](2);
        (withdrawals[0], withdrawals[1]) = (queue(1e18), queue(2e18));
        assertEq(withdrawals[1].nonce, 1);
        IERC20[][] memory tokenLists = new IERC20[][](2);
        (tokenLists[0], tokenLists[1]) = (tokens(), tokens());
        bool[] memory asTokens = new bool[](2);
        asTokens[1] = true;
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.prank(staker);
        delegationManager.completeQueuedWithdrawals(withdrawals, tokenLists, asTokens);
        assertEq(stakeToken.balanceOf(staker), 2e18);
        assertEq(strategyManager.stakerDepositShares(staker, strategy), 8e18);
    }

    function test_stakeOfNobodyIsWithdrawnTheSameWay() public {
        address free = makeAddr("free");
        deposit(free, 3e18);
        vm.prank(free);
        delegationManager.queueWithdrawals(queueParams(3e18));
        (Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(free);
        assertEq(queued[0].delegatedTo, address(0));
        (IStrategy[] memory held,) = strategyManager.getDeposits(free);
        assertEq(held.length, 0);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.prank(free);
        delegationManager.completeQueuedWithdrawal(queued[0], tokens(), true);
        assertEq(stakeToken.balanceOf(free), 3e18);
    }

    function test_onlyTheStrategyManagerWithdrawsFromAStrategy() public {
        DevnetStrategy held = DevnetStrategy(address(strategy));
        vm.expectRevert(DevnetStrategy.OnlyStrategyManager.selector);
        held.withdraw(address(this), stakeToken, 1);
        vm.prank(address(strategyManager));
        vm.expectRevert(DevnetStrategy.WithdrawalAmountExceedsTotalDeposits.selector);
        held.withdraw(address(this), stakeToken, 10e18 + 1);
    }

    /// @dev Tokens of a withdrawal are rounded down.
    function testFuzz_withdrawalRoundsDown(uint96 donated, uint256 part) public {
        part = bound(part, 1, 10e18);
        require(stakeToken.transfer(address(strategy), donated));
        uint256 balance = stakeToken.balanceOf(address(strategy));
        Withdrawal memory withdrawal = queue(part);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.prank(staker);
        delegationManager.completeQueuedWithdrawal(withdrawal, tokens(), true);
        assertEq(stakeToken.balanceOf(staker), part * (balance + 1e3) / (10e18 + 1e3));
    }

    // ------------------------------------------------------------------ undelegate and redelegate

    function test_undelegatingQueuesAllStakeByStrategy() public {
        DevnetToken token = new DevnetToken("Other", "OTH", 18);
        IStrategy other = strategyFactory.deployNewStrategy(token);
        token.mint(staker, 5e18);
        vm.startPrank(staker);
        token.approve(address(strategyManager), 5e18);
        strategyManager.depositIntoStrategy(other, token, 5e18);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.StakerUndelegated(staker, operator);
        bytes32[] memory roots = delegationManager.undelegate(staker);
        vm.stopPrank();
        assertEq(roots.length, 2);
        assertEq(delegationManager.delegatedTo(staker), address(0));
        (Withdrawal[] memory queued, uint256[][] memory shares) = delegationManager.getQueuedWithdrawals(staker);
        assertEq(keccak256(abi.encode(queued[0])), roots[0]);
        assertEq(queued[0].strategies.length, 1);
        assertEq(queued[1].delegatedTo, operator);
        assertEq(shares[0][0] + shares[1][0], 15e18);
        assertEq(sharesOf(operator), 0);
    }

    function test_whoMayUndelegateAStaker() public {
        address stranger = makeAddr("stranger");
        vm.prank(stranger);
        vm.expectRevert(IDelegationManager.CallerCannotUndelegate.selector);
        delegationManager.undelegate(staker);
        vm.expectRevert(IDelegationManager.NotActivelyDelegated.selector);
        delegationManager.undelegate(stranger);
        vm.prank(operator);
        vm.expectRevert(IDelegationManager.OperatorsCannotUndelegate.selector);
        delegationManager.undelegate(operator);

        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.StakerForceUndelegated(staker, operator);
        vm.prank(operator);
        delegationManager.undelegate(staker);

        delegateAgain();
        vm.prank(operator);
        permissionController.setAppointee(operator, stranger, address(delegationManager), IDelegationManager.undelegate.selector);
        vm.prank(stranger);
        delegationManager.undelegate(staker);

        delegateAgain();
        vm.prank(operator);
        delegationManager.modifyOperatorDetails(operator, approver);
        vm.prank(approver);
        delegationManager.undelegate(staker);
        assertFalse(delegationManager.isDelegated(staker));
    }

    function test_redelegatingNeedsTheNewOperatorsConsent() public {
        address successor = makeAddr("successor");
        (address signer, uint256 key) = makeAddrAndKey("signing approver");
        vm.prank(successor);
        delegationManager.registerAsOperator(signer, 0, "");
        SignatureWithExpiry memory consent = SignatureWithExpiry("", block.timestamp);
        vm.prank(staker);
        vm.expectRevert(IDelegationManager.InvalidSignature.selector);
        delegationManager.redelegate(successor, consent, 0);
        consent.signature =
            sign(key, delegationManager.calculateDelegationApprovalDigestHash(staker, successor, signer, 0, block.timestamp));
        vm.prank(staker);
        bytes32[] memory roots = delegationManager.redelegate(successor, consent, 0);
        assertEq(roots.length, 1);
        assertEq(delegationManager.delegatedTo(staker), successor);
        assertEq(sharesOf(successor), 0);
        (Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(staker);
        vm.roll(block.number + DEALLOCATION_DELAY + 1);
        vm.prank(staker);
        delegationManager.completeQueuedWithdrawal(queued[0], tokens(), false);
        assertEq(sharesOf(successor), 10e18);
        assertEq(sharesOf(operator), 0);
    }

    function test_approverIsTheOperatorsToChange() public {
        vm.expectRevert(IDelegationManager.InvalidPermissions.selector);
        delegationManager.modifyOperatorDetails(operator, approver);
        vm.prank(staker);
        vm.expectRevert(IDelegationManager.OperatorNotRegistered.selector);
        delegationManager.modifyOperatorDetails(staker, approver);
        vm.prank(operator);
        vm.expectEmit(address(delegationManager));
        emit IDelegationManager.DelegationApproverUpdated(operator, approver);
        delegationManager.modifyOperatorDetails(operator, approver);
        assertEq(delegationManager.delegationApprover(operator), approver);
    }

    // ------------------------------------------------------------------ deposits by signature

    function test_depositBySignatureIsPaidByTheCaller() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        stakeToken.approve(address(strategyManager), 10e18);
        bytes32 digest = strategyManager.calculateStrategyDepositDigestHash(signer, strategy, stakeToken, 3e18, 0, block.timestamp);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Deposit(address staker,address strategy,address token,uint256 amount,uint256 nonce,uint256 expiry)"),
                signer,
                strategy,
                stakeToken,
                3e18,
                0,
                block.timestamp
            )
        );
        assertEq(digest, keccak256(abi.encodePacked(hex"1901", strategyManager.domainSeparator(), structHash)));
        bytes memory signature = sign(key, digest);
        vm.expectRevert(IStrategyManager.SignatureExpired.selector);
        strategyManager.depositIntoStrategyWithSignature(strategy, stakeToken, 3e18, signer, block.timestamp - 1, signature);
        vm.expectRevert(IStrategyManager.InvalidSignature.selector);
        strategyManager.depositIntoStrategyWithSignature(strategy, stakeToken, 4e18, signer, block.timestamp, signature);
        strategyManager.depositIntoStrategyWithSignature(strategy, stakeToken, 3e18, signer, block.timestamp, signature);
        assertEq(strategyManager.stakerDepositShares(signer, strategy), 3e18);
        assertEq(strategyManager.nonces(signer), 1);
        vm.expectRevert(IStrategyManager.InvalidSignature.selector);
        strategyManager.depositIntoStrategyWithSignature(strategy, stakeToken, 3e18, signer, block.timestamp, signature);
        assertFalse(strategyFactory.isBlacklisted(stakeToken));
    }

    // ------------------------------------------------------------------ steps

    function delegateAgain() private {
        deposit(staker, 1e18);
        vm.prank(staker);
        delegationManager.delegateTo(operator, noApproval, 0);
    }

    function queue(uint256 depositShares) private returns (Withdrawal memory) {
        vm.prank(staker);
        delegationManager.queueWithdrawals(queueParams(depositShares));
        (Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(staker);
        return queued[queued.length - 1];
    }

    function queueParams(uint256 depositShares) private view returns (QueuedWithdrawalParams[] memory params) {
        params = new QueuedWithdrawalParams[](1);
        params[0] = QueuedWithdrawalParams(strategies(strategy), amounts(depositShares), address(0));
    }

    function amounts(uint256 only) private pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = only;
    }

    function tokens() private view returns (IERC20[] memory list) {
        list = new IERC20[](1);
        list[0] = stakeToken;
    }

    function sharesOf(address account) private view returns (uint256) {
        return delegationManager.getOperatorShares(account, strategies(strategy))[0];
    }
}
