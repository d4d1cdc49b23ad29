// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IRewarder, RewardTerms, RootState } from "../../src/rewards/IRewarder.sol";
import { RewardsFixture } from "./RewardsFixture.sol";

contract RewarderTest is RewardsFixture {
    bytes32 private constant ROOT = keccak256("root");

    function setUp() public override {
        super.setUp();
        _fund(50_000e18);
    }

    // ---- funds and eras

    function test_Fund_CountsWhatArrives() public {
        token.mint(alice, 100);
        token.setFeeBps(1000);
        vm.startPrank(alice);
        token.approve(address(rewarder), 100);
        vm.expectEmit(address(rewarder));
        emit IRewarder.Funded(alice, 90, 50_000e18 + 90);
        rewarder.fund(100);
        assertEq(rewarder.totalFunded(), 50_000e18 + 90);
        _assertSolvent();
    }

    function test_RevertWhen_NothingIsFunded() public {
        vm.expectRevert(IRewarder.InvalidAmount.selector);
        rewarder.fund(0);
        vm.expectRevert(IRewarder.InvalidAmount.selector);
        rewarder.fund(uint256(type(uint128).max) + 1);
    }

    function test_CloseEra_FixesBlockPricesAndTerms() public {
        _endEra(0);
        vm.roll(777);
        vm.expectEmit(address(rewarder));
        emit IRewarder.EraClosed(0, 777, 500_000, 3_000_000_000, _rewardTerms());
        vm.prank(alice);
        rewarder.closeEra(0);
        (uint64 blockNumber, uint64 reward, uint64 native) = rewarder.closedEra(0);
        assertEq(blockNumber, 777);
        assertEq(reward, 500_000);
        assertEq(native, 3_000_000_000);
    }

    function test_CloseEra_MissedOnesMayBeLeftOutAndNotMadeUp() public {
        _closeEra(3);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.EraAlreadyClosed.selector, 3));
        rewarder.closeEra(3);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.EraAlreadyClosed.selector, 2));
        rewarder.closeEra(2);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.EraNotOver.selector, 4));
        rewarder.closeEra(4);
    }

    function test_RevertWhen_TheEraIsNotOver() public {
        vm.warp(ERA_ZERO + ERA_SECONDS - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.EraNotOver.selector, 0));
        rewarder.closeEra(0);
    }

    function test_SetRewardTerms_HoldFromTheNextEraThatIsClosed() public {
        _closeEra(0);
        RewardTerms memory terms = _rewardTerms();
        terms.maxPerEra = 1e18;
        vm.expectEmit(address(rewarder));
        emit IRewarder.RewardTermsUpdated(terms);
        vm.prank(parameters);
        rewarder.setRewardTerms(terms);
        assertEq(abi.encode(rewarder.rewardTerms()), abi.encode(terms));
        _propose(0, 4000e18, 6000e18);
        _activate();
        _closeEra(1);
        bytes32 root = _rootOfTwo(_leaf(alice, 4001e18), _leaf(bob, 6000e18));
        vm.startPrank(poster);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.EraCapExceeded.selector, 1e18 + 1, 1e18));
        rewarder.proposeRoot(1, root, 10_001e18 + 1, 0, "");
        rewarder.proposeRoot(1, root, 10_001e18, 0, "");
    }

    function test_RevertWhen_TermsAreInvalid() public {
        RewardTerms memory terms = _rewardTerms();
        terms.slashLineBps[6] = 10_001;
        _expectTerms(terms, "slashLineBps");
        terms = _rewardTerms();
        terms.complianceCapBps = 9999;
        _expectTerms(terms, "complianceCapBps");
        terms.complianceCapBps = 20_001;
        _expectTerms(terms, "complianceCapBps");
        vm.startPrank(parameters);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RewardTermsInvalid.selector, "activationSeconds"));
        rewarder.setDistributionTerms(0, 1, treasury);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RewardTermsInvalid.selector, "activationSeconds"));
        rewarder.setDistributionTerms(30 days + 1, 1, treasury);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RewardTermsInvalid.selector, "treasury"));
        rewarder.setDistributionTerms(1, 1, address(0));
    }

    function test_SetDistributionTerms_Announced() public {
        vm.expectEmit(address(rewarder));
        emit IRewarder.DistributionTermsUpdated(60, 5, alice);
        vm.prank(parameters);
        rewarder.setDistributionTerms(60, 5, alice);
        (uint32 activationSeconds, uint128 contestBond, address to) = rewarder.distributionTerms();
        assertEq(activationSeconds, 60);
        assertEq(contestBond, 5);
        assertEq(to, alice);
    }

    // ---- roots

    function test_ProposeRoot_IsPendingUntilItsDelayIsOver() public {
        _closeEra(0);
        uint40 activeAt = uint40(block.timestamp) + ACTIVATION_SECONDS;
        bytes32 root = _rootOfTwo(_leaf(alice, 60), _leaf(bob, 40));
        vm.expectEmit(address(rewarder));
        emit IRewarder.RootProposed(0, root, 100, activeAt, bytes32(uint256(1)), "ipfs://list");
        _propose(0, 60, 40);
        (bytes32 stored, uint256 total, uint40 activation, RootState state, address contested) = rewarder.rootOf(0);
        assertEq(stored, root);
        assertEq(total, 100);
        assertEq(activation, activeAt);
        assertEq(uint8(state), uint8(RootState.Pending));
        assertEq(contested, address(0));
        (bool found, uint32 standing) = rewarder.standingRoot();
        assertTrue(found);
        assertEq(standing, 0);
        vm.warp(activeAt - 1);
        vm.expectRevert(IRewarder.NoActiveRoot.selector);
        rewarder.claim(alice, 60, _proof(_leaf(bob, 40)));
        vm.warp(activeAt);
        assertEq(rewarder.claim(alice, 60, _proof(_leaf(bob, 40))), 60);
    }

    function test_RevertWhen_TheEraWasNotClosed() public {
        _endEra(0);
        _expectPropose(0, ROOT, 1, abi.encodeWithSelector(IRewarder.EraNotClosed.selector, 0));
    }

    function test_RevertWhen_TheRootIsZeroOrTheUriTooLong() public {
        _closeEra(0);
        _expectPropose(0, 0, 1, abi.encodeWithSelector(IRewarder.RootStateInvalid.selector, 0, RootState.None));
        string memory uri = string(new bytes(257));
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RewardTermsInvalid.selector, "uri"));
        vm.prank(poster);
        rewarder.proposeRoot(0, ROOT, 1, 0, uri);
        _propose(0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RewardTermsInvalid.selector, "uri"));
        rewarder.contest(0, uri);
    }

    function test_RevertWhen_RootsDoNotAscend() public {
        _closeEra(1);
        _propose(1, 60, 40);
        _expectPropose(1, ROOT, 100, abi.encodeWithSelector(IRewarder.RootNotNewer.selector, 1, 1));
        _closeEra(2);
        _propose(2, 60, 40);
        _expectPropose(1, ROOT, 100, abi.encodeWithSelector(IRewarder.RootNotNewer.selector, 1, 2));
    }

    function test_RevertWhen_TheRootBeforeIsPendingOrContested() public {
        _closeEra(1);
        vm.prank(parameters);
        rewarder.setDistributionTerms(2 * ERA_SECONDS, CONTEST_BOND, treasury);
        _propose(1, 60, 40);
        _closeEra(2);
        _expectPropose(2, ROOT, 100, abi.encodeWithSelector(IRewarder.RootPending.selector, 1));
        _bond(challenger, CONTEST_BOND);
        vm.prank(challenger);
        rewarder.contest(1, "");
        vm.warp(block.timestamp + 10 * ERA_SECONDS);
        _expectPropose(2, ROOT, 100, abi.encodeWithSelector(IRewarder.RootPending.selector, 1));
    }

    function test_RevertWhen_TheTotalFallsOrExceedsFundsOrCap() public {
        _closeEra(0);
        _expectPropose(0, ROOT, 50_000e18 + 1, abi.encodeWithSelector(IRewarder.NotFunded.selector, 50_000e18 + 1, 50_000e18));
        _expectPropose(0, ROOT, MAX_PER_ERA + 1, abi.encodeWithSelector(IRewarder.EraCapExceeded.selector, MAX_PER_ERA + 1, MAX_PER_ERA));
        _propose(0, 60, 40);
        _closeEra(1);
        _expectPropose(1, ROOT, 99, abi.encodeWithSelector(IRewarder.TotalDecreased.selector, 99, 100));
    }

    function test_RevertWhen_ProposedDuringAPause() public {
        _closeEra(0);
        vm.prank(pauser);
        marketPause.pause(60);
        _expectPropose(0, ROOT, 1, abi.encodeWithSelector(IMarketPause.MarketPaused.selector, uint40(block.timestamp) + 60));
    }

    function test_S22_APauseNeverKeepsAnyoneFromClaiming() public {
        _activeRoot(0, 60, 40);
        vm.prank(pauser);
        marketPause.pause(60);
        assertEq(_claim(alice, 60, bob, 40), 60);
    }

    function test_DisableRoot_BringsTheOneBeforeBack() public {
        _activeRoot(0, 60, 40);
        _closeEra(1);
        _propose(1, 1000, 40);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RootDisabled(1);
        vm.prank(guardian);
        rewarder.disableRoot(1);
        _activate();
        assertEq(rewarder.activeEra(), 0);
        vm.expectRevert(IRewarder.InvalidProof.selector);
        rewarder.claim(alice, 1000, _proof(_leaf(bob, 40)));
        assertEq(_claim(alice, 60, bob, 40), 60);
        // The era is proposed anew, on top of the root that stands.
        _propose(1, 70, 50);
        _activate();
        assertEq(rewarder.activeEra(), 1);
        assertEq(_claim(alice, 70, bob, 50), 10);
    }

    function test_RevertWhen_AnActiveOrMissingRootIsDisabled() public {
        _activeRoot(0, 60, 40);
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootActive.selector, 0));
        rewarder.disableRoot(0);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootStateInvalid.selector, 1, RootState.None));
        rewarder.disableRoot(1);
    }

    // ---- contests

    function test_Contest_HoldsTheRootAndTheBond() public {
        _contested();
        (,,, RootState state, address by) = rewarder.rootOf(0);
        assertEq(uint8(state), uint8(RootState.Contested));
        assertEq(by, challenger);
        assertEq(token.balanceOf(challenger), 0);
        vm.warp(block.timestamp + 365 days);
        vm.expectRevert(IRewarder.NoActiveRoot.selector);
        rewarder.claim(alice, 60, _proof(_leaf(bob, 40)));
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootStateInvalid.selector, 0, RootState.Contested));
        rewarder.disableRoot(0);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootStateInvalid.selector, 0, RootState.Contested));
        rewarder.contest(0, "");
        _assertSolvent();
    }

    function test_Contest_UpheldReturnsTheBondAndDisables() public {
        _contested();
        vm.expectEmit(address(rewarder));
        emit IRewarder.ContestResolved(0, challenger, true);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RootDisabled(0);
        vm.prank(guardian);
        rewarder.resolve(0, true);
        assertEq(rewarder.creditOf(challenger), CONTEST_BOND);
        _assertSolvent();
        vm.expectEmit(address(rewarder));
        emit IRewarder.CreditWithdrawn(challenger, CONTEST_BOND);
        vm.prank(challenger);
        assertEq(rewarder.withdrawCredit(), CONTEST_BOND);
        assertEq(token.balanceOf(challenger), CONTEST_BOND);
        (bool found,) = rewarder.standingRoot();
        assertFalse(found);
        _activate();
        vm.expectRevert(IRewarder.NoActiveRoot.selector);
        rewarder.claim(alice, 60, _proof(_leaf(bob, 40)));
        _assertSolvent();
    }

    function test_Contest_DismissedGivesTheBondToTheTreasuryAndBeginsTheDelayAnew() public {
        _contested();
        vm.warp(block.timestamp + 10 days);
        vm.prank(guardian);
        rewarder.resolve(0, false);
        assertEq(rewarder.creditOf(treasury), CONTEST_BOND);
        (,, uint40 activeAt, RootState state, address by) = rewarder.rootOf(0);
        assertEq(activeAt, block.timestamp + ACTIVATION_SECONDS);
        assertEq(uint8(state), uint8(RootState.Pending));
        assertEq(by, address(0));
        // It can be contested once more.
        _bond(challenger, CONTEST_BOND);
        vm.prank(challenger);
        rewarder.contest(0, "again");
        _assertSolvent();
    }

    function test_Contest_BondIsWhatArrivesAndMayBeZero() public {
        _closeEra(0);
        _propose(0, 60, 40);
        token.setFeeBps(100);
        _bond(challenger, CONTEST_BOND);
        vm.prank(challenger);
        rewarder.contest(0, "");
        _assertSolvent();
        vm.prank(guardian);
        rewarder.resolve(0, true);
        assertEq(rewarder.creditOf(challenger), CONTEST_BOND * 99 / 100);
        vm.prank(parameters);
        rewarder.setDistributionTerms(ACTIVATION_SECONDS, 0, treasury);
        _propose(0, 60, 40);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RootContested(0, alice, 0, "free");
        vm.prank(alice);
        rewarder.contest(0, "free");
        _assertSolvent();
    }

    function test_RevertWhen_AContestIsTooLateUnknownOrUnpaid() public {
        _closeEra(0);
        _propose(0, 60, 40);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(rewarder), 0, uint256(CONTEST_BOND))
        );
        vm.prank(alice);
        rewarder.contest(0, "");
        _activate();
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootActive.selector, 0));
        rewarder.contest(0, "");
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootStateInvalid.selector, 1, RootState.None));
        rewarder.contest(1, "");
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RootStateInvalid.selector, 0, RootState.Pending));
        rewarder.resolve(0, true);
    }

    // ---- claims

    function test_Claim_PaysWhatIsNewToTheWallet() public {
        _activeRoot(0, 60, 40);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RewardClaimed(alice, alice, 60, 60, 0);
        _claim(alice, 60, bob, 40);
        address wallet = makeAddr("wallet");
        vm.expectEmit(address(rewarder));
        emit IRewarder.RewardWalletUpdated(alice, wallet);
        vm.prank(alice);
        rewarder.setRewardWallet(wallet);
        assertEq(rewarder.rewardWalletOf(alice), wallet);
        _activeRoot(1, 100, 40);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RewardClaimed(alice, wallet, 40, 100, 1);
        _claim(alice, 100, bob, 40);
        assertEq(token.balanceOf(alice), 60);
        assertEq(token.balanceOf(wallet), 40);
        assertEq(rewarder.claimedOf(alice), 100);
        assertEq(rewarder.totalClaimed(), 100);
        vm.prank(alice);
        rewarder.setRewardWallet(address(0));
        assertEq(rewarder.rewardWalletOf(alice), alice);
        _assertSolvent();
    }

    function test_S18_NothingIsPaidTwice() public {
        _activeRoot(0, 60, 40);
        _claim(alice, 60, bob, 40);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.NothingToClaim.selector, alice));
        rewarder.claim(alice, 60, _proof(_leaf(bob, 40)));
        // A later root that gives less than was claimed takes nothing back and pays nothing.
        _activeRoot(1, 50, 50);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.NothingToClaim.selector, alice));
        rewarder.claim(alice, 50, _proof(_leaf(bob, 50)));
        assertEq(rewarder.claimedOf(alice), 60);
    }

    function test_S18_AnOlderRootPaysNobody() public {
        _activeRoot(0, 60, 40);
        _activeRoot(1, 70, 50);
        vm.expectRevert(IRewarder.InvalidProof.selector);
        rewarder.claim(alice, 60, _proof(_leaf(bob, 40)));
    }

    function test_S18_LeavesBeyondTheTotalAreNotPaid() public {
        _closeEra(0);
        bytes32 root = _rootOfTwo(_leaf(alice, 60), _leaf(bob, 41));
        vm.prank(poster);
        rewarder.proposeRoot(0, root, 100, 0, "");
        _activate();
        _claim(alice, 60, bob, 41);
        vm.expectRevert(abi.encodeWithSelector(IRewarder.NotFunded.selector, 101, 100));
        rewarder.claim(bob, 41, _proof(_leaf(alice, 60)));
    }

    function test_RevertWhen_TheLeafIsOfAnotherEarnerAmountChainOrRewarder() public {
        _activeRoot(0, 60, 40);
        bytes32[] memory proof = _proof(_leaf(bob, 40));
        vm.expectRevert(IRewarder.InvalidProof.selector);
        rewarder.claim(alice, 61, proof);
        vm.expectRevert(IRewarder.InvalidProof.selector);
        rewarder.claim(challenger, 60, proof);
        vm.expectRevert(IRewarder.InvalidProof.selector);
        rewarder.claim(alice, 60, new bytes32[](0));
        vm.chainId(1);
        vm.expectRevert(IRewarder.InvalidProof.selector);
        rewarder.claim(alice, 60, proof);
    }

    function testFuzz_S18_ClaimsAreMonotoneAndNeverAboveRootTotalAndFunds(uint256 seed) public {
        uint256 toAlice;
        uint256 toBob;
        uint256 expectedAlice;
        uint256 expectedBob;
        for (uint32 era; era < 6; ++era) {
            uint256 word = uint256(keccak256(abi.encode(seed, era)));
            uint256 moreAlice = bound(word & type(uint64).max, 0, MAX_PER_ERA / 2);
            uint256 moreBob = bound((word >> 64) & type(uint64).max, 0, MAX_PER_ERA / 2);
            if (toAlice + toBob + moreAlice + moreBob > rewarder.totalFunded()) (moreAlice, moreBob) = (0, 0);
            _closeEra(era);
            _propose(era, toAlice + moreAlice, toBob + moreBob);
            if ((word >> 250) & 1 == 1) {
                vm.prank(guardian);
                rewarder.disableRoot(era);
                _activate();
            } else {
                _activate();
                (toAlice, toBob) = (toAlice + moreAlice, toBob + moreBob);
            }
            if ((word >> 251) & 1 == 1 && toAlice > expectedAlice) {
                assertEq(_claim(alice, toAlice, bob, toBob), toAlice - expectedAlice);
                expectedAlice = toAlice;
            }
            if ((word >> 252) & 1 == 1 && toBob > expectedBob) {
                assertEq(_claim(bob, toBob, alice, toAlice), toBob - expectedBob);
                expectedBob = toBob;
            }
            assertEq(token.balanceOf(alice), expectedAlice, "what a disabled root promised is never paid");
            assertEq(rewarder.claimedOf(bob), expectedBob);
            assertEq(rewarder.totalClaimed(), expectedAlice + expectedBob);
            assertLe(rewarder.totalClaimed(), toAlice + toBob);
            assertLe(toAlice + toBob, rewarder.totalFunded());
            _assertSolvent();
        }
    }

    // ---- forfeits

    function test_Forfeit_LosesWhatIsUnclaimedUntilALaterEra() public {
        _activeRoot(0, 60, 40);
        _claim(alice, 60, bob, 40);
        _activeRoot(1, 100, 40);
        // In era 2.
        vm.expectEmit(address(rewarder));
        emit IRewarder.RewardsForfeited(alice, 60, 2);
        vm.prank(stakingManager);
        rewarder.forfeit(alice);
        (bool forfeited, uint32 untilEra) = rewarder.forfeitOf(alice);
        assertTrue(forfeited);
        assertEq(untilEra, 2);
        bytes memory refusal = abi.encodeWithSelector(IRewarder.EarnerForfeited.selector, alice, 2);
        vm.expectRevert(refusal);
        rewarder.claim(alice, 100, _proof(_leaf(bob, 40)));
        assertEq(_claim(bob, 40, alice, 100), 40, "others are untouched");
        _activeRoot(2, 100, 40);
        vm.expectRevert(refusal);
        rewarder.claim(alice, 100, _proof(_leaf(bob, 40)));
        // The first root of a later era counts from the 60 that it has had.
        _activeRoot(3, 65, 75);
        assertEq(_claim(alice, 65, bob, 75), 5);
        _assertSolvent();
    }

    function test_ForfeitOf_AnHonestEarner() public view {
        (bool forfeited, uint32 untilEra) = rewarder.forfeitOf(bob);
        assertFalse(forfeited);
        assertEq(untilEra, 0);
    }

    function test_RevertWhen_AnyoneElseForfeits() public {
        vm.expectRevert(abi.encodeWithSelector(IRewarder.NotAuthorized.selector, alice));
        vm.prank(alice);
        rewarder.forfeit(bob);
    }

    function test_RevertWhen_ThereIsNoCredit() public {
        vm.expectRevert(IRewarder.InvalidAmount.selector);
        rewarder.withdrawCredit();
    }

    // ---- roles and storage

    function test_OnlyTheRolesMayAct() public {
        bytes memory refusal = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice);
        RewardTerms memory terms = _rewardTerms();
        vm.startPrank(alice);
        vm.expectRevert(refusal);
        rewarder.proposeRoot(0, ROOT, 1, 0, "");
        vm.expectRevert(refusal);
        rewarder.resolve(0, true);
        vm.expectRevert(refusal);
        rewarder.disableRoot(0);
        vm.expectRevert(refusal);
        rewarder.setRewardTerms(terms);
        vm.expectRevert(refusal);
        rewarder.setDistributionTerms(1, 1, alice);
        vm.expectRevert(refusal);
        rewarder.upgradeToAndCall(address(1), "");
    }

    function test_StorageIsAtTheErc7201Slot_AndInitializesOnce() public {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.Rewarder");
        assertEq(uint256(vm.load(address(rewarder), slot)), rewarder.totalFunded());
        assertEq(rewarder.rewardToken(), address(token));
        RewardTerms memory terms = _rewardTerms();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        rewarder.initialize(address(manager), terms, 1, 1, treasury);
    }

    // ---- gas

    function test_Gas() public {
        token.mint(address(this), 1e18);
        token.approve(address(rewarder), 1e18);
        _measure();
        rewarder.fund(1e18);
        vm.snapshotGasLastCall("Rewarder", "fund");
        _endEra(0);
        _measure();
        rewarder.closeEra(0);
        vm.snapshotGasLastCall("Rewarder", "closeEra");
        // A leaf under 2^24 earners: the proof's hashes stand for any path.
        bytes32[] memory proof = new bytes32[](24);
        bytes32 root = _leaf(alice, 60);
        for (uint256 i; i < proof.length; ++i) {
            proof[i] = keccak256(abi.encode(i));
            root = _rootOfTwo(root, proof[i]);
        }
        _measure();
        vm.prank(poster);
        rewarder.proposeRoot(0, root, 100, bytes32(uint256(1)), string(new bytes(256)));
        vm.snapshotGasLastCall("Rewarder", "proposeRoot, uri of 256 bytes");
        _bond(challenger, 3 * CONTEST_BOND);
        _measure();
        vm.prank(challenger);
        rewarder.contest(0, string(new bytes(256)));
        vm.snapshotGasLastCall("Rewarder", "contest, uri of 256 bytes");
        _measure();
        vm.prank(guardian);
        rewarder.resolve(0, false);
        vm.snapshotGasLastCall("Rewarder", "resolve, dismissed");
        vm.prank(challenger);
        rewarder.contest(0, "");
        _measure();
        vm.prank(guardian);
        rewarder.resolve(0, true);
        vm.snapshotGasLastCall("Rewarder", "resolve, upheld");
        _measure();
        vm.prank(challenger);
        rewarder.withdrawCredit();
        vm.snapshotGasLastCall("Rewarder", "withdrawCredit");
        vm.prank(poster);
        rewarder.proposeRoot(0, root, 100, 0, "");
        _measure();
        vm.prank(guardian);
        rewarder.disableRoot(0);
        vm.snapshotGasLastCall("Rewarder", "disableRoot");
        vm.prank(poster);
        rewarder.proposeRoot(0, root, 100, 0, "");
        _activate();
        _measure();
        vm.prank(alice);
        rewarder.setRewardWallet(bob);
        vm.snapshotGasLastCall("Rewarder", "setRewardWallet");
        _measure();
        rewarder.claim(alice, 60, proof);
        vm.snapshotGasLastCall("Rewarder", "claim, proof of 24");
        _measure();
        vm.prank(stakingManager);
        rewarder.forfeit(alice);
        vm.snapshotGasLastCall("Rewarder", "forfeit");
        RewardTerms memory terms = _rewardTerms();
        terms.maxPerEra = 1;
        _measure();
        vm.prank(parameters);
        rewarder.setRewardTerms(terms);
        vm.snapshotGasLastCall("Rewarder", "setRewardTerms");
        _measure();
        vm.prank(parameters);
        rewarder.setDistributionTerms(1, 1, alice);
        vm.snapshotGasLastCall("Rewarder", "setDistributionTerms");
    }

    /// The next call finds all storage cold, as in a transaction of its own.
    function _measure() private {
        vm.cool(address(rewarder));
        vm.cool(address(oracle));
        vm.cool(address(token));
        vm.cool(address(marketPause));
        vm.cool(address(manager));
    }

    // ---- internal

    function _activeRoot(uint32 era, uint256 toAlice, uint256 toBob) private {
        _closeEra(era);
        _propose(era, toAlice, toBob);
        _activate();
    }

    function _claim(address earner, uint256 cumulative, address other, uint256 others) private returns (uint256) {
        return rewarder.claim(earner, cumulative, _proof(_leaf(other, others)));
    }

    function _contested() private {
        _closeEra(0);
        _propose(0, 60, 40);
        _bond(challenger, CONTEST_BOND);
        vm.expectEmit(address(rewarder));
        emit IRewarder.RootContested(0, challenger, CONTEST_BOND, "why");
        vm.prank(challenger);
        rewarder.contest(0, "why");
    }

    function _expectPropose(uint32 era, bytes32 root, uint256 total, bytes memory revertData) private {
        vm.expectRevert(revertData);
        vm.prank(poster);
        rewarder.proposeRoot(era, root, total, 0, "");
    }

    function _expectTerms(RewardTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRewarder.RewardTermsInvalid.selector, field));
        vm.prank(parameters);
        rewarder.setRewardTerms(terms);
    }
}
