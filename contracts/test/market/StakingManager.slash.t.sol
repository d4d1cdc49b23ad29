// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { IStakingManager, SlashCause, SlashOrder, StakeTerms } from "../../src/market/IStakingManager.sol";
import { OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { StakeFixture } from "./StakeFixture.sol";

contract StakingManagerSlashTest is StakeFixture {
    bytes32 private constant EVIDENCE = keccak256("evidence");
    uint32 private constant LEASE = 7;

    function setUp() public override {
        super.setUp();
        _activate(providerId, 1000);
        _machine(providerId);
        _writeOrder(LEASE, tenant, OrderState.Matched, providerId);
    }

    // ---- misconduct

    /// S9: own, delegated and unbonding stake, the provider's rewards, and its standing.
    function test_MisconductTakesOfAllStakeSuspendsAndForfeits() public {
        _unstake(providerId, 100 ether);
        uint256 shares = _delegate(providerId, alice, 300 ether);
        _undelegate(providerId, alice, shares / 3);
        SlashOrder memory order = _order(SlashCause.Misconduct, 2500);
        (order.orderId, order.harm) = (LEASE, 30 ether);

        vm.expectEmit(address(staking));
        emit IStakingManager.Slashed(providerId, SlashCause.Misconduct, LEASE, 225 ether, 50 ether, 50 ether, 30 ether, 295 ether, EVIDENCE);
        vm.expectCall(address(registry), abi.encodeCall(IProviderRegistry.recordSlash, (providerId, true)));
        vm.expectCall(address(registry), abi.encodeCall(IProviderRegistry.setProviderStake, (providerId, 675 + 150, 675)));
        assertEq(staking.slash(order), 325 ether);
        vm.snapshotGasLastCall("StakingManager", "slash misconduct");

        (uint256 own, uint256 delegated, uint256 unbonding) = staking.stakeOf(providerId);
        assertEq(own, 675 ether);
        assertEq(delegated, 150 ether);
        assertEq(unbonding, 150 ether);
        assertEq(staking.compensationOf(tenant), 30 ether);
        assertEq(staking.compensationOf(treasury), 295 ether);
        assertEq(uint8(_status(providerId)), uint8(ProviderStatus.Suspended));
        assertEq(_p0(providerId).slashes(), 1);
        assertEq(_p0(providerId).stakeWhole(), 825);
        (bool forfeited,) = rewarder.forfeitOf(owner);
        assertTrue(forfeited);
        (forfeited,) = rewarder.forfeitOf(alice);
        assertFalse(forfeited, "delegators keep what they have earned");
        _assertSolvent();
    }

    function test_TheTenantIsPaidFirstAndTheTreasuryWhatIsLeft() public {
        SlashOrder memory order = _order(SlashCause.Misconduct, 100);
        (order.orderId, order.harm) = (LEASE, 10 ether + 1);
        staking.slash(order);
        assertEq(staking.compensationOf(tenant), 10 ether, "never more than was slashed");
        assertEq(staking.compensationOf(treasury), 0);
        order.evidenceHash = keccak256("more");
        order.harm = 0;
        staking.slash(order);
        assertEq(staking.compensationOf(tenant), 10 ether);
        assertEq(staking.compensationOf(treasury), 9.9 ether);
    }

    function test_AMisconductNeedsNoTenantAndNoStake() public {
        assertEq(_misconduct(providerId, 10_000, EVIDENCE), 1000 ether);
        assertEq(_misconduct(providerId, 10_000, keccak256("more")), 0);
        assertEq(_p0(providerId).slashes(), 2);
        assertEq(staking.compensationOf(treasury), 1000 ether);
    }

    /// S9: an offender with a stake never loses nothing, however small the share.
    function test_EveryPartRoundsUpAgainstTheSlashed() public {
        uint24 other = _register(makeAddr("other"));
        _stake(other, stranger, 3);
        _delegate(other, alice, 5);
        _undelegate(other, alice, 2);
        assertEq(_misconduct(other, 1, EVIDENCE), 3, "a unit of each");
        (uint256 own, uint256 delegated, uint256 unbonding) = staking.stakeOf(other);
        assertEq(own, 2);
        assertEq(delegated, 2);
        assertEq(unbonding, 1);
    }

    function test_MisconductCountsInMaintenanceAndWhenTheOrderIsClosed() public {
        vm.prank(owner);
        registry.setMaintenance(providerId, true);
        _writeOrder(LEASE, tenant, OrderState.Closed, providerId);
        SlashOrder memory order = _order(SlashCause.Misconduct, 100);
        (order.orderId, order.harm) = (LEASE, 1 ether);
        staking.slash(order);
        assertEq(staking.compensationOf(tenant), 1 ether);
    }

    // ---- downtime with a lease

    function test_DowntimeTakesOfOwnStakeAlone() public {
        _delegate(providerId, alice, 500 ether);
        _unstake(providerId, 50 ether);
        SlashOrder memory order = _order(SlashCause.DowntimeWithLease, 1000);
        (order.orderId, order.harm) = (LEASE, 20 ether);
        vm.expectEmit(address(staking));
        emit IStakingManager.Slashed(providerId, SlashCause.DowntimeWithLease, LEASE, 95 ether, 0, 0, 20 ether, 75 ether, EVIDENCE);
        vm.expectCall(address(registry), abi.encodeCall(IProviderRegistry.recordSlash, (providerId, false)));
        assertEq(staking.slash(order), 95 ether);
        vm.snapshotGasLastCall("StakingManager", "slash downtime with lease");
        (uint256 own, uint256 delegated, uint256 unbonding) = staking.stakeOf(providerId);
        assertEq(own, 855 ether);
        assertEq(delegated, 500 ether);
        assertEq(unbonding, 50 ether);
        assertEq(_p0(providerId).slashes(), 1);
        (bool forfeited,) = rewarder.forfeitOf(owner);
        assertFalse(forfeited);
        assertEq(uint8(_status(providerId)), uint8(ProviderStatus.Registered), "855 no longer cover the machine's 864");
        // S17: topped up, it goes on.
        _stake(providerId, owner, 9 ether);
        vm.prank(owner);
        registry.activateProvider(providerId);
    }

    function test_RevertIf_TheLeaseIsNotTheProvidersOrNotRunning() public {
        SlashOrder memory order = _order(SlashCause.DowntimeWithLease, 10);
        _assertInvalid(order, "orderId");
        order.orderId = LEASE;
        uint24 other = _register(makeAddr("other"));
        _writeOrder(LEASE, tenant, OrderState.Matched, other);
        _assertInvalid(order, "orderId");
        _writeOrder(LEASE, tenant, OrderState.Closed, providerId);
        _assertInvalid(order, "orderId");
        _writeOrder(LEASE, tenant, OrderState.Open, providerId);
        _assertInvalid(order, "orderId");
        order.orderId = LEASE + 1;
        _assertInvalid(order, "orderId");
    }

    function test_DowntimeCoolsDown() public {
        SlashOrder memory order = _order(SlashCause.DowntimeWithLease, 10);
        order.orderId = LEASE;
        staking.slash(order);
        uint40 earliest = uint40(block.timestamp) + COOLDOWN;
        vm.warp(earliest - 1);
        order.evidenceHash = keccak256("more");
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.SlashCoolingDown.selector, providerId, earliest));
        staking.slash(order);
        SlashOrder memory idle = _order(SlashCause.DowntimeIdle, 0);
        idle.evidenceHash = keccak256("idle");
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.SlashCoolingDown.selector, providerId, earliest));
        staking.slash(idle);
        _misconduct(providerId, 10, keccak256("misconduct waits for nothing"));
        vm.warp(earliest);
        staking.slash(order);
    }

    // ---- downtime without a lease

    function test_IdleDowntimeTakesNoCollateral() public {
        bytes32 word = registry.providerWord(providerId);
        vm.expectEmit(address(staking));
        emit IStakingManager.Slashed(providerId, SlashCause.DowntimeIdle, 0, 0, 0, 0, 0, 0, EVIDENCE);
        assertEq(staking.slash(_order(SlashCause.DowntimeIdle, 0)), 0);
        vm.snapshotGasLastCall("StakingManager", "slash downtime idle");
        (uint256 own,,) = staking.stakeOf(providerId);
        assertEq(own, 1000 ether);
        assertEq(registry.providerWord(providerId), word, "no slash is counted");
    }

    function test_RevertIf_DowntimeIsInMaintenance() public {
        vm.prank(owner);
        registry.setMaintenance(providerId, true);
        SlashOrder memory order = _order(SlashCause.DowntimeWithLease, 10);
        order.orderId = LEASE;
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.NoSlashInMaintenance.selector, providerId));
        staking.slash(order);
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.NoSlashInMaintenance.selector, providerId));
        staking.slash(_order(SlashCause.DowntimeIdle, 0));
    }

    // ---- bounds

    /// S9: one evidence, one slash; of another provider it is another one.
    function test_RevertIf_TheEvidenceWasUsed() public {
        _misconduct(providerId, 10, EVIDENCE);
        _assertInvalid(_order(SlashCause.Misconduct, 10), "evidenceHash");
        SlashOrder memory order = _order(SlashCause.Misconduct, 10);
        order.evidenceHash = 0;
        _assertInvalid(order, "evidenceHash");
        uint24 other = _register(makeAddr("other"));
        assertEq(_misconduct(other, 10, EVIDENCE), 0);
    }

    function test_RevertIf_TheShareIsOutOfBounds() public {
        StakeTerms memory terms = _stakeTerms();
        terms.maxMisconductBps = 3000;
        staking.setStakeTerms(terms);
        _assertInvalid(_order(SlashCause.Misconduct, 3001), "amountBps");
        _assertInvalid(_order(SlashCause.Misconduct, 0), "amountBps");
        SlashOrder memory order = _order(SlashCause.DowntimeWithLease, 1001);
        order.orderId = LEASE;
        _assertInvalid(order, "amountBps");
        order.amountBps = 0;
        _assertInvalid(order, "amountBps");
        _assertInvalid(_order(SlashCause.DowntimeIdle, 1), "amountBps");
    }

    function test_RevertIf_HarmHasNoTenant() public {
        SlashOrder memory order = _order(SlashCause.Misconduct, 10);
        order.harm = 1;
        _assertInvalid(order, "harm");
        order.orderId = LEASE + 1;
        _assertInvalid(order, "orderId");
        order = _order(SlashCause.DowntimeIdle, 0);
        order.orderId = LEASE;
        _assertInvalid(order, "orderId");
        order.orderId = 0;
        order.providerId = 9;
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.ProviderNotFound.selector, 9));
        staking.slash(order);
    }

    // ---- compensation

    function test_CompensationIsPulled() public {
        SlashOrder memory order = _order(SlashCause.Misconduct, 5000);
        (order.orderId, order.harm) = (LEASE, 100 ether);
        staking.slash(order);
        vm.expectEmit(address(staking));
        emit IStakingManager.CompensationPaid(tenant, 100 ether);
        vm.prank(tenant);
        assertEq(staking.withdrawCompensation(), 100 ether);
        vm.snapshotGasLastCall("StakingManager", "withdrawCompensation");
        assertEq(stakeToken.balanceOf(tenant), 100 ether);
        vm.prank(tenant);
        vm.expectRevert(IStakingManager.InvalidAmount.selector);
        staking.withdrawCompensation();
        vm.prank(treasury);
        assertEq(staking.withdrawCompensation(), 400 ether);
        _assertSolvent();
    }

    /// S9: what is taken is the share rounded up, part by part, and all of it is credited.
    function testFuzz_TakesTheShareRoundedUp(uint96 own, uint96 delegated, uint96 leaving, uint16 bps, uint96 harm) public {
        uint24 other = _register(makeAddr("other"));
        bps = uint16(bound(bps, 1, 10_000));
        if (own != 0) _stake(other, stranger, own);
        if (delegated != 0) _delegate(other, alice, delegated);
        leaving = uint96(bound(leaving, 0, delegated));
        if (leaving != 0) _undelegate(other, alice, leaving);
        SlashOrder memory order = _order(SlashCause.Misconduct, bps);
        (order.providerId, order.orderId, order.harm) = (other, LEASE, harm);
        uint256 slashed = staking.slash(order);
        assertEq(slashed, _share(own, bps) + _share(uint256(delegated) - leaving, bps) + _share(leaving, bps));
        assertEq(staking.compensationOf(tenant), harm < slashed ? harm : slashed);
        assertEq(staking.compensationOf(tenant) + staking.compensationOf(treasury), slashed);
        _assertSolvent();
    }

    // ---- inside

    function _order(SlashCause cause, uint16 amountBps) private view returns (SlashOrder memory) {
        return SlashOrder({ providerId: providerId, cause: cause, amountBps: amountBps, orderId: 0, harm: 0, evidenceHash: EVIDENCE });
    }

    function _assertInvalid(SlashOrder memory order, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.SlashInvalid.selector, field));
        staking.slash(order);
    }

    function _share(uint256 amount, uint256 bps) private pure returns (uint256) {
        return (amount * bps + 9999) / 10_000;
    }
}
