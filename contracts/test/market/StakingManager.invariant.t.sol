// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { IStakingManager, SlashCause, SlashOrder } from "../../src/market/IStakingManager.sol";
import { OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { StakeFixture } from "./StakeFixture.sol";
import { TestToken } from "./TestToken.sol";

/// @notice Five accounts, two of them owners of a provider, one with a machine and one without, do what they may in any order, and a slasher
/// slashes. Every call checks what it did to everybody.
contract StakeHandler is Test {
    uint256 private constant ACCOUNTS = 5;
    uint256 private constant PROVIDERS = 2;
    uint32 private constant LEASE = 7;

    StakingManager private immutable _STAKING;
    ProviderRegistry private immutable _REGISTRY;
    TestToken private immutable _TOKEN;
    address private immutable _TREASURY;

    address[ACCOUNTS] private _accounts;
    /// All unbondings ever asked for, by provider, account and number.
    mapping(uint24 providerId => mapping(address account => uint256[])) private _asked;
    mapping(uint24 providerId => mapping(address account => uint256)) private _open;
    uint256 private _evidences;

    constructor(StakingManager staking, ProviderRegistry registry, TestToken token, address treasury, address[ACCOUNTS] memory accounts) {
        (_STAKING, _REGISTRY, _TOKEN, _TREASURY, _accounts) = (staking, registry, token, treasury, accounts);
    }

    // ---- actors

    function stake(uint256 provider, uint256 who, uint256 amount) external {
        (uint24 providerId, address account) = (_provider(provider), _account(who));
        amount = _amount(amount);
        _fund(account, amount);
        uint256[ACCOUNTS] memory before = _redeemable();
        vm.prank(account);
        _STAKING.stake(providerId, amount);
        uint256[ACCOUNTS] memory afterwards = _redeemable();
        for (uint256 i; i < ACCOUNTS; ++i) {
            bool gets = _accounts[i] == _REGISTRY.providerOwner(providerId);
            assertEq(afterwards[i], before[i] + (gets ? amount : 0), "a stake is the owner's, to the unit");
        }
    }

    function requestUnstake(uint256 provider, uint256 amount) external {
        uint24 providerId = _provider(provider);
        address account = _REGISTRY.providerOwner(providerId);
        (uint256 own,,) = _STAKING.stakeOf(providerId);
        uint256 kept = _REGISTRY.machinesStakeWhole(providerId) == 0 ? 0 : _REGISTRY.requiredStakeWhole(providerId) * 1 ether;
        bool suspended = _status(providerId) == ProviderStatus.Suspended;
        if (suspended || own <= kept) {
            if (own == 0) return;
            vm.prank(account);
            vm.expectRevert();
            _STAKING.requestUnstake(providerId, 1);
            return;
        }
        amount = bound(amount, 1, own - kept);
        if (_refusedForMany(providerId, account, abi.encodeCall(_STAKING.requestUnstake, (providerId, amount)))) return;
        uint256[ACCOUNTS] memory before = _redeemable();
        vm.prank(account);
        _asked[providerId][account].push(amount);
        uint32 unbondingId = _STAKING.requestUnstake(providerId, amount);
        assertEq(unbondingId, _asked[providerId][account].length);
        ++_open[providerId][account];
        _assertOthersKeep(before, account, 0);
    }

    function delegate(uint256 provider, uint256 who, uint256 amount) external {
        (uint24 providerId, address account) = (_provider(provider), _account(who));
        amount = _amount(amount);
        _fund(account, amount);
        uint256[ACCOUNTS] memory before = _redeemable();
        vm.prank(account);
        assertGe(_STAKING.delegate(providerId, amount), amount, "at least a share a unit");
        _assertOthersKeep(before, account, amount);
    }

    function requestUndelegate(uint256 provider, uint256 who, uint256 shares) external {
        (uint24 providerId, address account) = (_provider(provider), _account(who));
        (uint256 held, uint256 worth) = _STAKING.delegationOf(providerId, account);
        if (worth == 0) return;
        // Fewer may be worth nothing.
        shares = bound(shares, (held + worth - 1) / worth, held);
        if (_refusedForMany(providerId, account, abi.encodeCall(_STAKING.requestUndelegate, (providerId, shares)))) return;
        uint256[ACCOUNTS] memory before = _redeemable();
        vm.prank(account);
        uint32 unbondingId = _STAKING.requestUndelegate(providerId, shares);
        (, uint256 left) = _STAKING.delegationOf(providerId, account);
        _asked[providerId][account].push(worth - left);
        assertEq(unbondingId, _asked[providerId][account].length);
        ++_open[providerId][account];
        _assertOthersKeep(before, account, 0);
    }

    function withdrawUnbonded(uint256 provider, uint256 who, uint256 number) external {
        (uint24 providerId, address account) = (_provider(provider), _account(who));
        uint256 count = _asked[providerId][account].length;
        if (count == 0) return;
        uint32 unbondingId = uint32(bound(number, count > 8 ? count - 7 : 1, count));
        (uint256 worth, uint40 releaseAt,) = _STAKING.unbondingOf(providerId, account, unbondingId);
        if (releaseAt == 0) return;
        if (block.timestamp < releaseAt) vm.warp(releaseAt);
        uint256[ACCOUNTS] memory before = _redeemable();
        uint256 had = _TOKEN.balanceOf(account);
        vm.prank(account);
        assertEq(_STAKING.withdrawUnbonded(providerId, unbondingId), worth, "what the view said");
        assertLe(worth, _asked[providerId][account][unbondingId - 1], "never more than was asked for");
        assertEq(_TOKEN.balanceOf(account), had + worth);
        --_open[providerId][account];
        _assertOthersKeep(before, account, 0);
    }

    function withdrawCompensation(uint256 who) external {
        address account = who % 3 == 0 ? _TREASURY : _account(who);
        uint256 credited = _STAKING.compensationOf(account);
        if (credited == 0) return;
        uint256[ACCOUNTS] memory before = _redeemable();
        vm.prank(account);
        assertEq(_STAKING.withdrawCompensation(), credited);
        _assertOthersKeep(before, account, 0);
    }

    // ---- roles and time

    function slash(uint256 provider, uint256 cause, uint256 bps, uint256 harm, bool named) external {
        SlashOrder memory order;
        order.providerId = _provider(provider);
        order.evidenceHash = bytes32(++_evidences);
        order.cause = SlashCause(cause % 3);
        if (order.cause == SlashCause.DowntimeWithLease) (order.orderId, named) = (LEASE + order.providerId, true);
        else if (order.cause == SlashCause.Misconduct && named) order.orderId = LEASE + order.providerId;
        else named = false;
        if (named) order.harm = _amount(harm);
        if (order.cause != SlashCause.DowntimeIdle) {
            // Now and then all of it.
            uint256 maximum = order.cause == SlashCause.Misconduct ? 10_000 : 1000;
            order.amountBps = uint16(bps % 5 == 0 ? maximum : bound(bps, 1, maximum));
        }
        if (order.cause != SlashCause.Misconduct) {
            if (_status(order.providerId) == ProviderStatus.Maintenance) return;
            vm.warp(block.timestamp + 1 days);
        }
        _slash(order);
    }

    function _slash(SlashOrder memory order) private {
        uint256[3] memory before = _stakes(order.providerId);
        uint256 credited = _credited();
        uint256 slashed = _STAKING.slash(order);
        uint256[3] memory afterwards = _stakes(order.providerId);
        assertEq(before[0] - afterwards[0], (before[0] * order.amountBps + 9999) / 10_000, "own, rounded up");
        bool all = order.cause == SlashCause.Misconduct;
        _assertTaken(before[1], afterwards[1], all ? order.amountBps : 0);
        _assertTaken(before[2], afterwards[2], all ? order.amountBps : 0);
        assertEq(slashed, before[0] + before[1] + before[2] - afterwards[0] - afterwards[1] - afterwards[2]);
        assertEq(_credited(), credited + slashed);
        if (all) assertEq(uint8(_status(order.providerId)), uint8(ProviderStatus.Suspended));
    }

    function _stakes(uint24 providerId) private view returns (uint256[3] memory parts) {
        (parts[0], parts[1], parts[2]) = _STAKING.stakeOf(providerId);
    }

    function _credited() private view returns (uint256) {
        return _STAKING.compensationOf(_accounts[ACCOUNTS - 1]) + _STAKING.compensationOf(_TREASURY);
    }

    /// Governance lets a provider back in, or out.
    function setStatus(uint256 provider, uint256 status) external {
        uint24 providerId = _provider(provider);
        ProviderStatus wanted = ProviderStatus(bound(status, 1, 5));
        bool covered = _STAKING.ownStakeWhole(providerId) >= _REGISTRY.requiredStakeWhole(providerId);
        if ((wanted == ProviderStatus.Active || wanted == ProviderStatus.Maintenance) && !covered) wanted = ProviderStatus.Registered;
        if (wanted == _status(providerId)) return;
        _REGISTRY.setProviderStatus(providerId, wanted);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 20 days));
    }

    // ---- for the invariants

    function allRedeemable() external view returns (uint256 sum) {
        uint256[ACCOUNTS] memory redeemable = _redeemable();
        for (uint256 i; i < ACCOUNTS; ++i) {
            sum += redeemable[i];
        }
        sum += _STAKING.compensationOf(_TREASURY);
    }

    /// What every account's shares of a pool are worth together.
    function worths(uint24 providerId) external view returns (uint256 delegated, uint256 unbonding) {
        for (uint256 i; i < ACCOUNTS; ++i) {
            (, uint256 worth) = _STAKING.delegationOf(providerId, _accounts[i]);
            delegated += worth;
            unbonding += _unbonding(providerId, _accounts[i]);
        }
    }

    // ---- inside

    /// What each account could take out, now or later.
    function _redeemable() private view returns (uint256[ACCOUNTS] memory amounts) {
        for (uint256 i; i < ACCOUNTS; ++i) {
            address account = _accounts[i];
            amounts[i] = _STAKING.compensationOf(account);
            for (uint24 providerId = 1; providerId <= PROVIDERS; ++providerId) {
                (, uint256 worth) = _STAKING.delegationOf(providerId, account);
                (uint256 own,,) = _STAKING.stakeOf(providerId);
                amounts[i] += worth + _unbonding(providerId, account) + (account == _REGISTRY.providerOwner(providerId) ? own : 0);
            }
        }
    }

    /// At most 8 of the newest are open.
    function _unbonding(uint24 providerId, address account) private view returns (uint256 sum) {
        uint256[] storage asked = _asked[providerId][account];
        for (uint256 i; i < asked.length; ++i) {
            (uint256 worth,,) = _STAKING.unbondingOf(providerId, account, uint32(i + 1));
            assertLe(worth, asked[i], "never more than was asked for");
            sum += worth;
        }
    }

    /// S21: nobody's call but a slash takes from another; and nobody gains but by what it pays in, save for what rounding kept from it: less
    /// than a unit of every holding, which the rounding of its own call may give back.
    function _assertOthersKeep(uint256[ACCOUNTS] memory before, address caller, uint256 paidIn) private view {
        uint256[ACCOUNTS] memory afterwards = _redeemable();
        uint256 holdings;
        for (uint24 providerId = 1; providerId <= PROVIDERS; ++providerId) {
            holdings += 1 + _open[providerId][caller];
        }
        for (uint256 i; i < ACCOUNTS; ++i) {
            if (_accounts[i] == caller) assertLe(afterwards[i], before[i] + paidIn + holdings, "nothing is won");
            else assertGe(afterwards[i], before[i], "nothing is taken from others");
        }
    }

    /// The share rounded up.
    function _assertTaken(uint256 before, uint256 afterwards, uint256 bps) private pure {
        assertEq(afterwards, before - (before * bps + 9999) / 10_000);
    }

    function _refusedForMany(uint24 providerId, address account, bytes memory call) private returns (bool) {
        if (_open[providerId][account] < 8) return false;
        vm.expectRevert(abi.encodeWithSelector(IStakingManager.TooManyUnbondings.selector, providerId, account));
        vm.prank(account);
        (bool ok,) = address(_STAKING).call(call);
        assertTrue(ok, "expectRevert turns it round");
        return true;
    }

    function _fund(address account, uint256 amount) private {
        _TOKEN.mint(account, amount);
        vm.prank(account);
        _TOKEN.approve(address(_STAKING), amount);
    }

    function _status(uint24 providerId) private view returns (ProviderStatus) {
        return ProviderStatus(ProviderWord.wrap(uint256(IProviderRegistry(_REGISTRY).providerWord(providerId))).status());
    }

    function _provider(uint256 seed) private pure returns (uint24) {
        return uint24(1 + seed % PROVIDERS);
    }

    function _account(uint256 seed) private view returns (address) {
        return _accounts[seed % ACCOUNTS];
    }

    /// From single units to many tokens.
    function _amount(uint256 seed) private pure returns (uint256) {
        return 1 + (seed >> 8) % 10 ** (1 + seed % 24);
    }
}

contract StakingManagerInvariantTest is StakeFixture {
    StakeHandler private handler;

    function setUp() public override {
        super.setUp();
        _activate(providerId, 2000);
        _machine(providerId);
        uint24 second = _register(bob);
        _activate(second, 500);
        _writeOrder(7 + 1, tenant, OrderState.Matched, 1);
        _writeOrder(7 + 2, tenant, OrderState.Matched, 2);
        address[5] memory accounts = [owner, alice, bob, stranger, tenant];
        handler = new StakeHandler(staking, registry, stakeToken, treasury, accounts);
        authority.grantRole(0, address(handler), 0);
        targetContract(address(handler));
    }

    /// The last call rounds up two unbondings that its caller had left, which rounding had kept a unit from each.
    function test_S21_aCallMayGiveBackWhatRoundingKept() public {
        handler.delegate(
            9414163674541697847980208632083539969,
            332704176414510605,
            101096807107898765384738372445305618565732752989187416646979353274713250
        );
        handler.requestUnstake(
            818437584624527519529616641256191602616846475, 1374380759229368598296896104490313458739213505508894156294580197317337669414
        );
        handler.slash(
            516789936481367343766444234933327645259671568935223708242578965,
            47142291317277558996923707912051754567430954250,
            115792089237316195423570985008687907853269984665640564039457584007913129639932,
            115792089237316195423570985008687907853269984665640564039457584007913129639932,
            true
        );
        handler.slash(28581015156288759, 123704358186435030, 918524538670258481023148015750751741, 3, true);
        handler.setStatus(123, 7098037627);
        handler.stake(
            5285766222274394720407856505223217372468971002353524835185345805737319,
            1227970279461882952246270084839390593,
            556373828395869372
        );
        handler.requestUnstake(30033319753222988945230779371455552670220269, 566303258389546100649342852815657194702);
        handler.requestUndelegate(56533482713312570931915868788432511777874316117161864302202144888130830860289, 2592000, 75000000);
        handler.requestUnstake(
            115792089237316195423570985008687907853269984665640564039457584007913129639935, 9548642752081746340282752472275316986195282895
        );
        handler.delegate(3, 2975183183202012362828163104193718587086933559671321645427153257704818392, 3851857601490788);
        handler.withdrawUnbonded(257, 6000000000, 1002);
        handler.requestUndelegate(8115, 14332, 103770922370469749054125303994928106367492565177432965554171032329797209575301);
        handler.requestUndelegate(
            7817340662519524034577745,
            115792089237316195423570985008687907853269984665640564039457584007913129639932,
            717040875974409457899098
        );
        invariant_S9_S13_S17_S21_stakeIsBackedAndNobodysButItsOwners();
    }

    /// One campaign for all of them; S9 and S21 are checked by every call of the handler.
    function invariant_S9_S13_S17_S21_stakeIsBackedAndNobodysButItsOwners() public view {
        _assertPoolsAndCompensationAreTheBalance();
        _assertAnActiveProviderIsBackedByOwnStake();
    }

    /// S13: pools and compensation are the balance, and what all can take out is no more, and but for roundings all of it.
    function _assertPoolsAndCompensationAreTheBalance() private view {
        uint256 pools = staking.compensationOf(tenant) + staking.compensationOf(treasury);
        for (uint24 id = 1; id <= 2; ++id) {
            (uint256 own, uint256 delegated, uint256 unbonding) = staking.stakeOf(id);
            pools += own + delegated + unbonding;
            (uint256 delegatedWorth, uint256 unbondingWorth) = handler.worths(id);
            assertLe(delegatedWorth, delegated);
            assertLe(delegated, delegatedWorth + 9, "each of five loses less than a unit, and less than a share where they were divided");
            assertLe(unbondingWorth, unbonding);
        }
        assertEq(pools, staking.liabilities());
        assertEq(pools, stakeToken.balanceOf(address(staking)));
        assertLe(handler.allRedeemable(), pools);
    }

    /// S17: a provider that is matched has the own stake it must have, and its word says what there is.
    function _assertAnActiveProviderIsBackedByOwnStake() private view {
        for (uint24 id = 1; id <= 2; ++id) {
            (uint256 own, uint256 delegated,) = staking.stakeOf(id);
            uint256 whole = own / 1 ether + delegated / 1 ether;
            assertEq(_p0(id).stakeWhole(), whole < type(uint32).max ? whole : type(uint32).max);
            ProviderStatus status = _status(id);
            if (status != ProviderStatus.Active && status != ProviderStatus.Maintenance) continue;
            assertGe(own / 1 ether, registry.requiredStakeWhole(id));
        }
    }
}
