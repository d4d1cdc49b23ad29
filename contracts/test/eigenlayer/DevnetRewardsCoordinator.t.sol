// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { stdError } from "forge-std/StdError.sol";
import { IRewardsCoordinator } from "../../src/eigenlayer/IRewardsCoordinator.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import {
    OperatorSet,
    StrategyAndMultiplier,
    OperatorReward,
    OperatorDirectedRewardsSubmission,
    EarnerTreeMerkleLeaf,
    TokenTreeMerkleLeaf,
    RewardsMerkleClaim,
    DistributionRoot
} from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetRewardsCoordinator } from "../../src/eigenlayer/devnet/DevnetRewardsCoordinator.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetRewardsCoordinatorTest is EigenDevnetFixture {
    uint32 private constant INTERVAL = 100;
    uint32 private constant ACTIVATION_DELAY = 50;
    uint32 private constant START = 1_699_999_000;

    DevnetRewardsCoordinator private coordinator;
    address private rewardsUpdater = makeAddr("rewardsUpdater");
    address private low = address(0x1000);
    address private high = address(0x2000);

    function setUp() public override {
        super.setUp();
        coordinator = new DevnetRewardsCoordinator(
            allocationManager,
            delegationManager,
            strategyManager,
            permissionController,
            DevnetRewardsCoordinator.Parameters({
                rewardsUpdater: rewardsUpdater,
                calculationInterval: INTERVAL,
                maxRewardsDuration: 600,
                maxRetroactiveLength: 2_000,
                maxFutureLength: 300,
                genesisTimestamp: START - 500,
                activationDelay: ACTIVATION_DELAY,
                defaultOperatorSplitBips: 1_000
            })
        );
        stakeToken.mint(avs, 1e24);
        vm.prank(avs);
        stakeToken.approve(address(coordinator), type(uint256).max);
    }

    // ------------------------------------------------------------------ submissions

    function test_submissionIsTakenAndTold() public {
        OperatorDirectedRewardsSubmission[] memory submissions = new OperatorDirectedRewardsSubmission[](2);
        (submissions[0], submissions[1]) = (submission(), submission());
        for (uint256 nonce; nonce < 2; ++nonce) {
            bytes32 submissionHash = keccak256(abi.encode(avs, nonce, submissions[nonce]));
            vm.expectEmit(address(coordinator));
            emit IRewardsCoordinator.OperatorDirectedOperatorSetRewardsSubmissionCreated(
                avs, submissionHash, operatorSet, nonce, submissions[nonce]
            );
        }
        vm.prank(avs);
        coordinator.createOperatorDirectedOperatorSetRewardsSubmission(operatorSet, submissions);
        assertEq(stakeToken.balanceOf(address(coordinator)), 2 * 30e18);
        assertEq(coordinator.submissionNonce(avs), 2);
        bytes32 second = keccak256(abi.encode(avs, 1, submissions[1]));
        assertTrue(coordinator.isOperatorDirectedOperatorSetRewardsSubmissionHash(avs, second));
    }

    function test_onlyTheAvsOrItsAppointeeSubmitsForAnExistingSet() public {
        OperatorDirectedRewardsSubmission[] memory submissions = list(submission());
        vm.expectRevert(IRewardsCoordinator.InvalidPermissions.selector);
        coordinator.createOperatorDirectedOperatorSetRewardsSubmission(operatorSet, submissions);
        vm.prank(avs);
        vm.expectRevert(IRewardsCoordinator.InvalidOperatorSet.selector);
        coordinator.createOperatorDirectedOperatorSetRewardsSubmission(OperatorSet(avs, 99), submissions);
        vm.prank(avs);
        permissionController.setAppointee(
            avs, address(this), address(coordinator), IRewardsCoordinator.createOperatorDirectedOperatorSetRewardsSubmission.selector
        );
        stakeToken.approve(address(coordinator), 30e18);
        coordinator.createOperatorDirectedOperatorSetRewardsSubmission(operatorSet, submissions);
        assertEq(stakeToken.balanceOf(address(coordinator)), 30e18);
    }

    function test_periodMustFit() public {
        OperatorDirectedRewardsSubmission memory params = submission();
        params.duration = 0;
        expectRefusal(params, IRewardsCoordinator.DurationIsZero.selector);
        params.duration = 700;
        expectRefusal(params, IRewardsCoordinator.DurationExceedsMax.selector);
        params.duration = 150;
        expectRefusal(params, IRewardsCoordinator.InvalidDurationRemainder.selector);
        params.duration = 200;
        params.startTimestamp = START + 1;
        expectRefusal(params, IRewardsCoordinator.InvalidStartTimestampRemainder.selector);
        params.startTimestamp = START - 600;
        expectRefusal(params, IRewardsCoordinator.StartTimestampTooFarInPast.selector);
        // Strictly retroactive.
        params.startTimestamp = START;
        vm.warp(START + 200);
        expectRefusal(params, IRewardsCoordinator.SubmissionNotRetroactive.selector);
        vm.warp(START + 201);
        submit(params);
        vm.warp(START + 2_000);
        submit(params);
        vm.warp(START + 2_001);
        expectRefusal(params, IRewardsCoordinator.StartTimestampTooFarInPast.selector);
    }

    function test_strategiesAscendAndAreWhitelisted() public {
        OperatorDirectedRewardsSubmission memory params = submission();
        params.strategiesAndMultipliers = new StrategyAndMultiplier[](0);
        expectRefusal(params, IRewardsCoordinator.InputArrayLengthZero.selector);
        params.strategiesAndMultipliers = new StrategyAndMultiplier[](2);
        params.strategiesAndMultipliers[0] = StrategyAndMultiplier(strategy, 1);
        params.strategiesAndMultipliers[1] = StrategyAndMultiplier(strategy, 1);
        expectRefusal(params, IRewardsCoordinator.StrategiesNotInAscendingOrder.selector);
        params.strategiesAndMultipliers[1].strategy = IStrategy(address(type(uint160).max));
        expectRefusal(params, IRewardsCoordinator.StrategyNotWhitelisted.selector);
        params.strategiesAndMultipliers = new StrategyAndMultiplier[](1);
        params.strategiesAndMultipliers[0] = StrategyAndMultiplier(IStrategy(0xbeaC0eeEeeeeEEeEeEEEEeeEEeEeeeEeeEEBEaC0), 1);
        submit(params);
    }

    function test_operatorsAscendAndAmountsArePositive() public {
        OperatorDirectedRewardsSubmission memory params = submission();
        (params.operatorRewards[0].operator, params.operatorRewards[1].operator) = (high, low);
        expectRefusal(params, IRewardsCoordinator.OperatorsNotInAscendingOrder.selector);
        params.operatorRewards[0].operator = low;
        expectRefusal(params, IRewardsCoordinator.OperatorsNotInAscendingOrder.selector);
        params.operatorRewards[0].operator = address(0);
        expectRefusal(params, IRewardsCoordinator.InputAddressZero.selector);
        params = submission();
        params.operatorRewards[1].amount = 0;
        expectRefusal(params, IRewardsCoordinator.AmountIsZero.selector);
        params.operatorRewards[1].amount = 1e38 - 10e18;
        expectRefusal(params, IRewardsCoordinator.AmountExceedsMax.selector);
        params.operatorRewards[1].amount = type(uint256).max;
        expectRefusal(params, IRewardsCoordinator.AmountExceedsMax.selector);
        params.operatorRewards = new OperatorReward[](0);
        expectRefusal(params, IRewardsCoordinator.InputArrayLengthZero.selector);
    }

    // ------------------------------------------------------------------ splits

    function test_splitCountsAfterTheActivationDelay() public {
        assertEq(coordinator.getOperatorSetSplit(low, operatorSet), 1_000);
        vm.startPrank(low);
        vm.expectRevert(IRewardsCoordinator.SplitExceedsMax.selector);
        coordinator.setOperatorSetSplit(low, operatorSet, 10_001);
        vm.expectRevert(IRewardsCoordinator.InvalidOperatorSet.selector);
        coordinator.setOperatorSetSplit(low, OperatorSet(avs, 99), 1);
        uint32 activatedAt = uint32(block.timestamp) + ACTIVATION_DELAY;
        vm.expectEmit(address(coordinator));
        emit IRewardsCoordinator.OperatorSetSplitBipsSet(low, low, operatorSet, activatedAt, 1_000, 10_000);
        coordinator.setOperatorSetSplit(low, operatorSet, 10_000);
        vm.warp(activatedAt - 1);
        assertEq(coordinator.getOperatorSetSplit(low, operatorSet), 1_000);
        vm.warp(activatedAt);
        assertEq(coordinator.getOperatorSetSplit(low, operatorSet), 10_000);
        vm.expectRevert(IRewardsCoordinator.PreviousSplitPending.selector);
        coordinator.setOperatorSetSplit(low, operatorSet, 0);
        vm.warp(activatedAt + 1);
        coordinator.setOperatorSetSplit(low, operatorSet, 0);
        assertEq(coordinator.getOperatorSetSplit(low, operatorSet), 10_000);
        vm.stopPrank();
        vm.expectRevert(IRewardsCoordinator.InvalidPermissions.selector);
        coordinator.setOperatorSetSplit(low, operatorSet, 0);
    }

    // ------------------------------------------------------------------ roots

    function test_rootsAreTheUpdatersAndForPastPeriods() public {
        vm.expectRevert(IRewardsCoordinator.UnauthorizedCaller.selector);
        coordinator.submitRoot(bytes32(uint256(1)), START);
        vm.expectRevert(IRewardsCoordinator.UnauthorizedCaller.selector);
        coordinator.disableRoot(0);
        vm.startPrank(rewardsUpdater);
        vm.expectRevert(IRewardsCoordinator.RewardsEndTimestampNotElapsed.selector);
        coordinator.submitRoot(bytes32(uint256(1)), uint32(block.timestamp));
        uint32 activatedAt = uint32(block.timestamp) + ACTIVATION_DELAY;
        vm.expectEmit(address(coordinator));
        emit IRewardsCoordinator.DistributionRootSubmitted(0, bytes32(uint256(1)), START, activatedAt);
        coordinator.submitRoot(bytes32(uint256(1)), START);
        vm.expectRevert(IRewardsCoordinator.NewRootMustBeForNewCalculatedPeriod.selector);
        coordinator.submitRoot(bytes32(uint256(2)), START);
        coordinator.submitRoot(bytes32(uint256(2)), START + 1);
        assertEq(coordinator.getDistributionRootsLength(), 2);
        assertEq(coordinator.getRootIndexFromHash(bytes32(uint256(2))), 1);
        assertEq(coordinator.currRewardsCalculationEndTimestamp(), START + 1);
        assertEq(coordinator.getCurrentDistributionRoot().root, bytes32(uint256(2)));
        assertEq(coordinator.getCurrentClaimableDistributionRoot().root, bytes32(0));
        vm.expectRevert(IRewardsCoordinator.InvalidRoot.selector);
        coordinator.getRootIndexFromHash(bytes32(uint256(3)));

        vm.expectRevert(IRewardsCoordinator.InvalidRootIndex.selector);
        coordinator.disableRoot(2);
        vm.expectEmit(address(coordinator));
        emit IRewardsCoordinator.DistributionRootDisabled(1);
        coordinator.disableRoot(1);
        vm.expectRevert(IRewardsCoordinator.RootDisabled.selector);
        coordinator.disableRoot(1);
        vm.warp(activatedAt);
        vm.expectRevert(IRewardsCoordinator.RootAlreadyActivated.selector);
        coordinator.disableRoot(0);
        DistributionRoot memory current = coordinator.getCurrentClaimableDistributionRoot();
        assertEq(abi.encode(current), abi.encode(DistributionRoot(bytes32(uint256(1)), START, activatedAt, false)));
        assertTrue(coordinator.getDistributionRootAtIndex(1).disabled);
    }

    // ------------------------------------------------------------------ claims

    function test_claimsAreCumulative() public {
        fund();
        RewardsMerkleClaim memory claim = distribute(10e18);
        vm.expectEmit(address(coordinator));
        emit IRewardsCoordinator.RewardsClaimed(rootOf(claim), low, low, high, stakeToken, 10e18);
        vm.prank(low);
        coordinator.processClaim(claim, high);
        assertEq(stakeToken.balanceOf(high), 10e18);
        vm.prank(low);
        vm.expectRevert(IRewardsCoordinator.EarningsNotGreaterThanClaimed.selector);
        coordinator.processClaim(claim, high);
        RewardsMerkleClaim[] memory claims = new RewardsMerkleClaim[](1);
        claims[0] = distribute(25e18);
        vm.prank(low);
        coordinator.processClaims(claims, high);
        assertEq(stakeToken.balanceOf(high), 25e18);
        assertEq(coordinator.cumulativeClaimed(low, stakeToken), 25e18);
    }

    function test_claimerIsTheEarnersChoice() public {
        fund();
        RewardsMerkleClaim memory claim = distribute(10e18);
        vm.prank(high);
        vm.expectRevert(IRewardsCoordinator.UnauthorizedCaller.selector);
        coordinator.processClaim(claim, high);
        vm.expectEmit(address(coordinator));
        emit IRewardsCoordinator.ClaimerForSet(low, address(0), high);
        vm.prank(low);
        coordinator.setClaimerFor(high);
        assertEq(coordinator.claimerFor(low), high);
        vm.prank(low);
        vm.expectRevert(IRewardsCoordinator.UnauthorizedCaller.selector);
        coordinator.processClaim(claim, high);
        vm.prank(high);
        coordinator.processClaim(claim, high);
    }

    function test_claimerForOperatorsAndAvs() public {
        vm.prank(low);
        vm.expectRevert(IRewardsCoordinator.InvalidEarner.selector);
        coordinator.setClaimerFor(low, high);
        vm.expectRevert(IRewardsCoordinator.InvalidPermissions.selector);
        coordinator.setClaimerFor(avs, high);
        vm.prank(avs);
        coordinator.setClaimerFor(avs, high);
        registerAsOperator(low, 0);
        vm.prank(low);
        coordinator.setClaimerFor(low, high);
        assertEq(coordinator.claimerFor(avs), high);
        assertEq(coordinator.claimerFor(low), high);
    }

    function test_rootMustBeActiveAndNotDisabled() public {
        RewardsMerkleClaim memory claim = twoEarners(3, 5);
        vm.startPrank(rewardsUpdater);
        coordinator.submitRoot(rootOf(claim), START);
        vm.expectRevert(IRewardsCoordinator.RootNotActivated.selector);
        coordinator.checkClaim(claim);
        coordinator.disableRoot(0);
        vm.expectRevert(IRewardsCoordinator.RootDisabled.selector);
        coordinator.checkClaim(claim);
        claim.rootIndex = 1;
        vm.expectRevert(stdError.indexOOBError);
        coordinator.checkClaim(claim);
    }

    function test_proofsMustHold() public {
        fund();
        RewardsMerkleClaim memory claim = distribute(10e18);
        assertTrue(coordinator.checkClaim(claim));
        claim.tokenLeaves[0].cumulativeEarnings += 1;
        expectClaimRefusal(claim, IRewardsCoordinator.InvalidClaimProof.selector);
        claim.tokenLeaves[0].cumulativeEarnings -= 1;
        claim.earnerLeaf.earner = high;
        expectClaimRefusal(claim, IRewardsCoordinator.InvalidClaimProof.selector);
        claim.earnerLeaf.earner = low;
        claim.earnerIndex = 2;
        expectClaimRefusal(claim, IRewardsCoordinator.InvalidEarnerLeafIndex.selector);
        claim.earnerIndex = 0;
        claim.tokenIndices[0] = 2;
        expectClaimRefusal(claim, IRewardsCoordinator.InvalidTokenLeafIndex.selector);
        claim.tokenIndices[0] = 0;
        claim.tokenTreeProofs = new bytes[](0);
        expectClaimRefusal(claim, IRewardsCoordinator.InputArrayLengthMismatch.selector);
        claim.tokenTreeProofs = new bytes[](1);
        claim.tokenLeaves = new TokenTreeMerkleLeaf[](2);
        expectClaimRefusal(claim, IRewardsCoordinator.InputArrayLengthMismatch.selector);
    }

    function test_treesOfOneLeafNeedNoProof() public {
        fund();
        TokenTreeMerkleLeaf memory token = TokenTreeMerkleLeaf(stakeToken, 7e18);
        EarnerTreeMerkleLeaf memory earner = EarnerTreeMerkleLeaf(low, coordinator.calculateTokenLeafHash(token));
        RewardsMerkleClaim memory claim =
            RewardsMerkleClaim(0, 0, "", earner, new uint32[](1), new bytes[](1), new TokenTreeMerkleLeaf[](1));
        claim.tokenLeaves[0] = token;
        submitRoot(coordinator.calculateEarnerLeafHash(earner));
        vm.prank(low);
        coordinator.processClaim(claim, low);
        assertEq(stakeToken.balanceOf(low), 7e18);
    }

    function test_leavesAreSaltedAndPacked() public view {
        assertEq(
            coordinator.calculateEarnerLeafHash(EarnerTreeMerkleLeaf(low, bytes32(uint256(9)))),
            keccak256(abi.encodePacked(bytes1(0), low, bytes32(uint256(9))))
        );
        assertEq(
            coordinator.calculateTokenLeafHash(TokenTreeMerkleLeaf(stakeToken, 9)),
            keccak256(abi.encodePacked(bytes1(0x01), address(stakeToken), uint256(9)))
        );
    }

    function test_parametersAreReadable() public view {
        assertEq(coordinator.CALCULATION_INTERVAL_SECONDS(), INTERVAL);
        assertEq(coordinator.MAX_REWARDS_DURATION(), 600);
        assertEq(coordinator.MAX_RETROACTIVE_LENGTH(), 2_000);
        assertEq(coordinator.MAX_FUTURE_LENGTH(), 300);
        assertEq(coordinator.GENESIS_REWARDS_TIMESTAMP(), START - 500);
        assertEq(coordinator.activationDelay(), ACTIVATION_DELAY);
        assertEq(coordinator.defaultOperatorSplitBips(), 1_000);
        assertEq(coordinator.rewardsUpdater(), rewardsUpdater);
    }

    // ------------------------------------------------------------------ steps

    function submission() private view returns (OperatorDirectedRewardsSubmission memory params) {
        params.strategiesAndMultipliers = new StrategyAndMultiplier[](1);
        params.strategiesAndMultipliers[0] = StrategyAndMultiplier(strategy, 1e18);
        params.token = stakeToken;
        params.operatorRewards = new OperatorReward[](2);
        params.operatorRewards[0] = OperatorReward(low, 10e18);
        params.operatorRewards[1] = OperatorReward(high, 20e18);
        params.startTimestamp = START;
        params.duration = 200;
        params.description = "a period";
    }

    function list(OperatorDirectedRewardsSubmission memory only)
        private
        pure
        returns (OperatorDirectedRewardsSubmission[] memory submissions)
    {
        submissions = new OperatorDirectedRewardsSubmission[](1);
        submissions[0] = only;
    }

    function submit(OperatorDirectedRewardsSubmission memory params) private {
        vm.prank(avs);
        coordinator.createOperatorDirectedOperatorSetRewardsSubmission(operatorSet, list(params));
    }

    function expectRefusal(OperatorDirectedRewardsSubmission memory params, bytes4 problem) private {
        vm.prank(avs);
        vm.expectRevert(problem);
        coordinator.createOperatorDirectedOperatorSetRewardsSubmission(operatorSet, list(params));
    }

    function expectClaimRefusal(RewardsMerkleClaim memory claim, bytes4 problem) private {
        vm.prank(low);
        vm.expectRevert(problem);
        coordinator.processClaim(claim, low);
    }

    function fund() private {
        submit(submission());
    }

    /// @notice Publishes a root under which `low` earned `amount` of the stake token, and makes it active.
    function distribute(uint256 amount) private returns (RewardsMerkleClaim memory claim) {
        claim = twoEarners(amount, 5);
        claim.rootIndex = uint32(coordinator.getDistributionRootsLength());
        submitRoot(rootOf(claim));
    }

    function submitRoot(bytes32 root) private {
        uint32 end = uint32(coordinator.getDistributionRootsLength()) + START;
        vm.prank(rewardsUpdater);
        coordinator.submitRoot(root, end);
        vm.warp(vm.getBlockTimestamp() + ACTIVATION_DELAY);
    }

    /// @notice A tree of two earners, of whom the first has two tokens.
    function twoEarners(uint256 amount, uint256 otherAmount) private view returns (RewardsMerkleClaim memory claim) {
        bytes32 first = keccak256(abi.encodePacked(bytes1(0x01), address(stakeToken), amount));
        bytes32 second = keccak256(abi.encodePacked(bytes1(0x01), address(this), otherAmount));
        claim.earnerLeaf = EarnerTreeMerkleLeaf(low, keccak256(bytes.concat(first, second)));
        claim.earnerTreeProof = bytes.concat(keccak256("another earner"));
        claim.tokenIndices = new uint32[](1);
        claim.tokenTreeProofs = new bytes[](1);
        claim.tokenTreeProofs[0] = bytes.concat(second);
        claim.tokenLeaves = new TokenTreeMerkleLeaf[](1);
        claim.tokenLeaves[0] = TokenTreeMerkleLeaf(IERC20(address(stakeToken)), amount);
    }

    function rootOf(RewardsMerkleClaim memory claim) private pure returns (bytes32) {
        bytes32 leaf = keccak256(abi.encodePacked(bytes1(0), claim.earnerLeaf.earner, claim.earnerLeaf.earnerTokenRoot));
        return keccak256(bytes.concat(leaf, claim.earnerTreeProof));
    }
}
