// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { IStakingManager, SlashCause, SlashOrder } from "../../src/market/IStakingManager.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { Deal, Phase } from "./CampaignBase.sol";
import { MachineSteps } from "./MachineSteps.sol";
import { ProviderBook } from "./ProviderSteps.sol";

/// @notice Stake: own, delegated, unbonding, slashed, compensated.
abstract contract StakeSteps is MachineSteps {
    struct UnbondingBook {
        uint24 providerId;
        address account;
        uint32 unbondingId;
        uint40 releaseAt;
        uint256 amount;
    }

    uint256 private constant MOST_UNBONDINGS = 24;

    UnbondingBook[] internal unbondings;
    mapping(uint24 providerId => mapping(address account => uint256)) private _unbondingCount;
    mapping(address account => uint256) internal compensation;
    uint256 internal stakeDonated;
    uint40 internal unbondingSeconds = 14 days;
    address internal stakeTreasury;
    mapping(uint24 providerId => uint40) private _lastDowntimeSlashAt;
    uint256 private _evidence;
    /// The last era whose rewards an earner has lost, plus one.
    mapping(address earner => uint40) internal forfeitedNext;

    function setUp() public virtual override {
        super.setUp();
        stakeTreasury = treasury;
    }

    function _stakeStep() internal {
        uint256 kind = _draw(16);
        if (kind < 4) _stakeSome();
        else if (kind < 6) _unstakeSome();
        else if (kind < 8) _delegateSome();
        else if (kind < 10) _undelegateSome();
        else if (kind < 12) _withdrawUnbondedSome();
        else if (kind == 12) _setCommission();
        else if (kind == 13 && _one(2)) _slashSome();
        else if (kind == 14) _withdrawSomeCompensation();
        else _donateStake();
    }

    /// What the staking manager tells the registry after every change of a provider's stake.
    function _settleStanding(uint24 providerId) private {
        ProviderBook storage book = providerBooks[providerId];
        bool works = book.status == ProviderStatus.Active || book.status == ProviderStatus.Maintenance;
        if (works && !_isCovered(providerId)) book.status = ProviderStatus.Registered;
    }

    function _stakeSome() private {
        uint24 providerId = _anyProvider();
        _stakeFrom(providerId, _callerFor(providerId), _one(16) ? 0 : _draw(4000) * 1e18 + _draw(1e18));
    }

    function _stakeFrom(uint24 providerId, address from, uint256 amount) internal {
        stakeToken.mint(from, amount);
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(providerBooks[providerId].owner == address(0), IStakingManager.ProviderNotFound.selector);
        _refuse(amount == 0, IStakingManager.InvalidAmount.selector);
        (bool done,) = _call(from, address(stakingManager), abi.encodeCall(IStakingManager.stake, (providerId, amount)));
        if (!done) return;
        providerBooks[providerId].own += amount;
        _settleStanding(providerId);
    }

    function _expectStakeOwner(uint24 providerId, address caller) private {
        address owner = providerBooks[providerId].owner;
        _refuse(owner == address(0), IStakingManager.ProviderNotFound.selector);
        _refuse(owner != address(0) && owner != caller, IStakingManager.NotProviderOwner.selector);
    }

    function _unstakeSome() private {
        uint24 providerId = _anyProvider();
        address caller = _callerFor(providerId);
        ProviderBook storage book = providerBooks[providerId];
        uint256 amount = _one(4) ? book.own + _draw(2) : _draw(book.own + 1);
        _expectStakeOwner(providerId, caller);
        _refuse(book.status == ProviderStatus.Suspended, IProviderRegistry.StatusNotAllowed.selector);
        _refuse(amount == 0, IStakingManager.InvalidAmount.selector);
        _refuse(amount > book.own, IStakingManager.InsufficientBalance.selector);
        bool uncovered = amount <= book.own && (book.own - amount) / 1 ether < _requiredWhole(providerId);
        _refuse(uncovered && book.machinesWhole != 0, IStakingManager.InsufficientStake.selector);
        _refuse(_unbondingCount[providerId][caller] == 8, IStakingManager.TooManyUnbondings.selector);
        if (unbondings.length == MOST_UNBONDINGS && _mustSucceed()) return;
        (bool done, bytes memory result) =
            _call(caller, address(stakingManager), abi.encodeCall(IStakingManager.requestUnstake, (providerId, amount)));
        if (!done) return;
        book.own -= amount;
        _require(book.own / 1 ether >= book.machinesWhole, "S17 unstaking leaves what machines need", providerId, book.own);
        _bookUnbonding(providerId, caller, abi.decode(result, (uint32)), amount);
        _settleStanding(providerId);
    }

    function _bookUnbonding(uint24 providerId, address account, uint32 unbondingId, uint256 amount) private {
        ++_unbondingCount[providerId][account];
        unbondings.push(UnbondingBook(providerId, account, unbondingId, uint40(block.timestamp) + unbondingSeconds, amount));
    }

    function _delegateSome() private {
        uint24 providerId = _anyProvider();
        address from = _one(4) ? _anyone() : delegators[_draw(2)];
        uint256 amount = _one(16) ? _draw(2) : _draw(2000) * 1e18 + _draw(1e18);
        stakeToken.mint(from, amount);
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(providerBooks[providerId].owner == address(0), IStakingManager.ProviderNotFound.selector);
        _refuse(amount == 0, IStakingManager.InvalidAmount.selector);
        (, uint256 before,) = stakingManager.stakeOf(providerId);
        (bool done,) = _call(from, address(stakingManager), abi.encodeCall(IStakingManager.delegate, (providerId, amount)));
        if (!done) return;
        (, uint256 later,) = stakingManager.stakeOf(providerId);
        _require(later == before + amount, "delegation arrives whole", providerId, amount);
        _settleStanding(providerId);
    }

    function _undelegateSome() private {
        uint24 providerId = _anyProvider();
        address account = _one(8) ? _anyone() : delegators[_draw(2)];
        (uint256 held,) = stakingManager.delegationOf(providerId, account);
        uint256 shares = _one(8) ? held + 1 : _one(2) ? held : _draw(held + 1);
        (, uint256 pool,) = stakingManager.stakeOf(providerId);
        _refuse(shares > held, IStakingManager.InsufficientBalance.selector);
        // Worth less than one unit.
        (, uint256 worth) = stakingManager.delegationOf(providerId, account);
        bool nothing = shares == 0 || worth == 0;
        _refuse(nothing, IStakingManager.InvalidAmount.selector);
        _refuse(_unbondingCount[providerId][account] == 8, IStakingManager.TooManyUnbondings.selector);
        // A small part of shares that slashes left nearly worthless may round to nothing.
        if (!nothing && shares < held && worth < 1e9) return _discard();
        if (unbondings.length == MOST_UNBONDINGS && _mustSucceed()) return;
        (bool done, bytes memory result) =
            _call(account, address(stakingManager), abi.encodeCall(IStakingManager.requestUndelegate, (providerId, shares)));
        if (!done) return;
        (, uint256 left,) = stakingManager.stakeOf(providerId);
        _require(pool - left <= worth, "S21 nobody leaves with more than its shares are worth", providerId, pool - left);
        _bookUnbonding(providerId, account, abi.decode(result, (uint32)), pool - left);
        if (providerBooks[providerId].owner != address(0)) _settleStanding(providerId);
    }

    function _withdrawUnbondedSome() private {
        if (unbondings.length == 0) return;
        uint256 index = _draw(unbondings.length);
        UnbondingBook memory book = unbondings[index];
        (uint256 worth, uint40 releaseAt,) = stakingManager.unbondingOf(book.providerId, book.account, book.unbondingId);
        _require(releaseAt == book.releaseAt, "unbonding keeps its time", book.providerId, releaseAt);
        _require(worth <= book.amount, "unbonding never grows", book.providerId, worth);
        bool stranger_ = _one(12);
        _refuse(stranger_, IStakingManager.UnbondingNotFound.selector);
        // What slashes wiped out may be cleared at once.
        bool early = block.timestamp < book.releaseAt;
        if (early && worth == 0) return _discard();
        _refuse(early, IStakingManager.UnbondingNotOver.selector);
        (,, uint256 poolBefore) = stakingManager.stakeOf(book.providerId);
        uint256 before = stakeToken.balanceOf(book.account);
        bytes memory data = abi.encodeCall(IStakingManager.withdrawUnbonded, (book.providerId, book.unbondingId));
        (bool done,) = _call(stranger_ ? address(usd) : book.account, address(stakingManager), data);
        if (!done) return;
        (,, uint256 poolAfter) = stakingManager.stakeOf(book.providerId);
        _require(stakeToken.balanceOf(book.account) - before == worth, "S22 an unbonding pays what it is worth", book.providerId, worth);
        // What roundings left in the pool beyond what was asked for is the treasury's.
        compensation[stakeTreasury] += poolBefore - poolAfter - worth;
        --_unbondingCount[book.providerId][book.account];
        unbondings[index] = unbondings[unbondings.length - 1];
        unbondings.pop();
    }

    function _setCommission() private {
        uint24 providerId = _anyProvider();
        address caller = _callerFor(providerId);
        uint16 bps = uint16(_draw(6000));
        _expectStakeOwner(providerId, caller);
        _refuse(bps > 5000, IStakingManager.CommissionTooHigh.selector);
        _call(caller, address(stakingManager), abi.encodeCall(IStakingManager.setCommission, (providerId, bps)));
    }

    function _withdrawSomeCompensation() private {
        address account = _one(2) ? stakeTreasury : _anyone();
        uint256 amount = compensation[account];
        uint256 before = stakeToken.balanceOf(account);
        _refuse(amount == 0, IStakingManager.InvalidAmount.selector);
        (bool done,) = _call(account, address(stakingManager), abi.encodeCall(IStakingManager.withdrawCompensation, ()));
        if (!done) return;
        compensation[account] = 0;
        _require(stakeToken.balanceOf(account) - before == amount, "S22 compensation is paid whole", 0, amount);
    }

    function _donateStake() private {
        uint256 amount = _draw(1e18);
        stakeToken.mint(address(stakingManager), amount);
        stakeDonated += amount;
    }

    // ---- slashing

    function _slashSome() private {
        SlashOrder memory order;
        order.providerId = _anyProvider();
        order.cause = SlashCause(_draw(3));
        order.amountBps = uint16(order.cause == SlashCause.DowntimeIdle && !_one(4) ? 0 : _one(8) ? _draw(11_000) : 1 + _draw(1000));
        order.orderId = _one(2) ? 0 : _anyOrder();
        order.harm = order.orderId == 0 && !_one(8) ? 0 : _draw(3000 ether);
        order.evidenceHash = bytes32(_one(8) ? _draw(_evidence + 1) : ++_evidence);
        ProviderBook storage book = providerBooks[order.providerId];
        _refuse(book.owner == address(0), IStakingManager.ProviderNotFound.selector);
        _expectSlash(order, book);
        (uint256 own, uint256 delegated, uint256 unbonding) = stakingManager.stakeOf(order.providerId);
        _require(own == book.own, "S9 own stake is what the model says", order.providerId, own);
        (bool done, bytes memory result) = _call(address(this), address(stakingManager), abi.encodeCall(IStakingManager.slash, (order)));
        if (!done) return;
        _used[order.providerId][order.evidenceHash] = true;
        _bookSlash(order, book, [own, delegated, unbonding], abi.decode(result, (uint256)));
    }

    mapping(uint24 providerId => mapping(bytes32 evidenceHash => bool)) private _used;

    function _expectSlash(SlashOrder memory order, ProviderBook storage book) private {
        Deal storage deal = deals[order.orderId];
        bool idle = order.cause == SlashCause.DowntimeIdle;
        bool downtime = order.cause != SlashCause.Misconduct;
        uint256 most = idle ? 0 : downtime ? 1000 : 10_000;
        _refuse(order.evidenceHash == 0 || _used[order.providerId][order.evidenceHash], IStakingManager.SlashInvalid.selector);
        _refuse(order.amountBps > most || (order.amountBps == 0) != idle, IStakingManager.SlashInvalid.selector);
        _refuse(order.orderId == 0 && order.harm != 0, IStakingManager.SlashInvalid.selector);
        _refuse(order.orderId != 0 && (idle || deal.tenant == address(0)), IStakingManager.SlashInvalid.selector);
        bool ownLease = deal.phase == Phase.Leased && deal.providerId == order.providerId;
        _refuse(order.cause == SlashCause.DowntimeWithLease && !ownLease, IStakingManager.SlashInvalid.selector);
        _refuse(downtime && book.status == ProviderStatus.Maintenance, IStakingManager.NoSlashInMaintenance.selector);
        uint40 last = _lastDowntimeSlashAt[order.providerId];
        _refuse(downtime && last != 0 && block.timestamp < last + 1 days, IStakingManager.SlashCoolingDown.selector);
    }

    /// Own stake falls by its share rounded up; delegated and unbonding stake too for misconduct, or wholly where next to nothing is left.
    function _bookSlash(SlashOrder memory order, ProviderBook storage book, uint256[3] memory before, uint256 slashed) private {
        (uint256 own, uint256 delegated, uint256 unbonding) = stakingManager.stakeOf(order.providerId);
        bool misconduct = order.cause == SlashCause.Misconduct;
        if (!misconduct) _lastDowntimeSlashAt[order.providerId] = uint40(block.timestamp);
        _require(before[0] - own == _share(before[0], order.amountBps), "S9 own stake rounds against the slashed", order.providerId, own);
        uint256 bps = misconduct ? order.amountBps : 0;
        _checkPool(before[1], delegated, bps, order.providerId);
        _checkPool(before[2], unbonding, bps, order.providerId);
        uint256 taken = before[0] + before[1] + before[2] - own - delegated - unbonding;
        _require(taken == slashed, "S9 what is taken is what is told", order.providerId, taken);
        uint256 toTenant = order.harm < slashed ? order.harm : slashed;
        compensation[deals[order.orderId].tenant] += toTenant;
        compensation[stakeTreasury] += slashed - toTenant;
        book.own = own;
        if (order.cause == SlashCause.DowntimeIdle) return;
        if (misconduct) {
            book.status = ProviderStatus.Suspended;
            forfeitedNext[book.owner] = uint40(rewardOracle.currentEra()) + 1;
        } else {
            _settleStanding(order.providerId);
        }
    }

    function _share(uint256 amount, uint256 bps) private pure returns (uint256) {
        return (amount * bps + 9999) / 10_000;
    }

    function _checkPool(uint256 before, uint256 later, uint256 bps, uint256 where) private {
        bool exact = before - later == _share(before, bps);
        _require(exact || (bps != 0 && later == 0), "S9 a pool falls by its share, rounded up", where, before - later);
    }
}
