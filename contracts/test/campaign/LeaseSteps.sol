// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IComputeLease, LeaseEnd, LeaseTerms, LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { OrderSpec, Policy, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { Deal, Phase } from "./CampaignBase.sol";
import { BidSteps } from "./BidSteps.sol";

/// @notice What a lease holds of its machine.
struct Size {
    uint16 milliGpu;
    uint24 cpuMilli;
    uint24 memoryMib;
    uint24 storageGib;
    uint8 deviceMask;
}

/// @notice Leases from the match to the end, by tenant, provider and anybody.
abstract contract LeaseSteps is BidSteps {
    bytes32 private constant ANNOUNCE_TYPE =
        keccak256("AnnounceManifest(uint32 orderId,bytes32 manifestHash,address tenant,uint256 nonce,uint256 deadline)");
    bytes32 private constant CANCEL_UPDATE_TYPE = keccak256("CancelUpdate(uint32 orderId,address tenant,uint256 nonce,uint256 deadline)");
    bytes32 private constant RENEW_TYPE =
        keccak256("RenewLease(uint32 orderId,uint24 durationMinutes,address tenant,uint256 nonce,uint256 deadline)");
    bytes32 private constant TOP_UP_TYPE =
        keccak256("TopUp(uint32 orderId,uint24 addedMinutes,address tenant,uint256 nonce,uint256 deadline)");
    bytes32 private constant CLOSE_TYPE = keccak256("CloseLease(uint32 orderId,address tenant,uint256 nonce,uint256 deadline)");

    mapping(uint32 orderId => Size) internal sizes;
    mapping(uint32 orderId => LeaseUpdate) private _updates;
    /// Terms by the first second of matches they hold for, oldest first.
    uint32[] internal termsFrom;
    LeaseTerms[] internal termsOf;
    /// The newest round that was settled or taken.
    uint32 internal lastSettled;

    function setUp() public virtual override {
        super.setUp();
        termsFrom.push(0);
        termsOf.push(_leaseTerms());
    }

    function _leaseStep() internal {
        uint256 kind = _draw(32);
        if (kind < 7) _markReady();
        else if (kind < 11) _announce();
        else if (kind < 15) _confirm();
        else if (kind < 17) _requestUpdate();
        else if (kind == 17) _cancelUpdate();
        else if (kind < 20) _acceptUpdate();
        else if (kind < 22) _renew();
        else if (kind == 22) _topUp();
        else if (kind < 25) _releaseExcess();
        else if (kind < 28) _claim();
        else if (kind < 30) _closeLease();
        else _endLease();
    }

    // ---- the model

    /// G by `time`, in token units: never beyond what is paid through, nothing before ready.
    function _accruedAt(Deal storage deal, uint256 time) internal view returns (uint256) {
        if (deal.readyAt == 0) return 0;
        if (time > deal.paidThrough) time = deal.paidThrough;
        return deal.earnedBefore + uint256(deal.price) * _scale(deal.tokenId) * (time - deal.pricedFrom) / 3600;
    }

    function _deadline(Deal storage deal) internal view returns (LeaseEnd reason, uint256 deadline) {
        LeaseTerms memory terms = deal.terms;
        if (deal.readyAt == 0) return (LeaseEnd.NotReady, uint256(deal.matchedAt) + terms.readySeconds);
        if (deal.confirmedAt != 0) return (LeaseEnd.PaidThrough, deal.paidThrough);
        if (deal.announcedAt == 0) {
            (reason, deadline) = (LeaseEnd.NoManifest, uint256(deal.readyAt) + terms.manifestSeconds);
        } else {
            uint256 from = deal.announcedAt > deal.readyAt ? deal.announcedAt : deal.readyAt;
            (reason, deadline) = (LeaseEnd.NotConfirmed, from + terms.confirmSeconds);
        }
        if (deadline > deal.paidThrough) deadline = deal.paidThrough;
    }

    function _isOverdue(Deal storage deal) internal view returns (bool) {
        (, uint256 deadline) = _deadline(deal);
        return block.timestamp >= deadline;
    }

    /// What the lock must hold: what is earned and what can still be earned at the price of now, rounded up, and the fee.
    function _needed(Deal storage deal) internal view returns (uint256) {
        uint256 cost = deal.earnedBefore + _costOf(deal.tokenId, deal.price, deal.paidThrough - deal.pricedFrom);
        return _lockFor(cost, deal.userFeeBps);
    }

    function _bookFit(Deal storage deal) private returns (uint256 returned) {
        uint256 needed = _needed(deal);
        if (needed > deal.locked) {
            _bookLock(deal, needed - deal.locked);
        } else {
            returned = deal.locked - needed;
            deal.locked = uint96(needed);
            _bookReturn(deal, returned);
        }
    }

    /// A match: by settlement or by the tenant itself.
    function _bookLease(uint32 orderId, uint32 machineId, uint40 price, uint8 deviceMask, bool fromBid) internal {
        Deal storage deal = deals[orderId];
        (deal.phase, deal.machineId, deal.providerId) = (Phase.Leased, machineId, machineProvider[machineId]);
        (deal.price, deal.fromBid, deal.matchedAt) = (price, fromBid, uint32(block.timestamp));
        (deal.readyAt, deal.announcedAt, deal.confirmedAt, deal.earnedBefore) = (0, 0, 0, 0);
        (deal.manifestHash, deal.updateHash) = (0, 0);
        for (uint256 i = termsFrom.length; i > 0; --i) {
            if (termsFrom[i - 1] > block.timestamp) continue;
            deal.terms = termsOf[i - 1];
            break;
        }
        OrderSpec storage spec = specs[orderId];
        sizes[orderId] = Size(spec.milliGpu, spec.cpuMilli, spec.memoryMib, spec.storageGib, deviceMask);
        _require(price <= deal.maxPrice, "S15 no price above consent", orderId, price);
    }

    /// How far a lease is, for steps that look for one that they fit.
    enum Progress {
        Any,
        Matched,
        Ready,
        Announced,
        Confirmed,
        Updating
    }

    function _isAt(Deal storage deal, Progress progress) private view returns (bool) {
        if (deal.phase != Phase.Leased) return false;
        if (progress == Progress.Matched) return deal.readyAt == 0;
        if (progress == Progress.Ready) return deal.readyAt != 0 && deal.announcedAt == 0;
        if (progress == Progress.Announced) return deal.readyAt != 0 && deal.announcedAt != 0 && deal.confirmedAt == 0;
        if (progress == Progress.Confirmed) return deal.confirmedAt != 0;
        if (progress == Progress.Updating) return deal.updateHash != 0;
        return true;
    }

    /// Mostly a lease that is that far; sometimes, and when there is none, any order.
    function _someLease(Progress progress) private returns (uint32 orderId) {
        if (_one(12)) return _anyOrder();
        uint256 start = _draw(live.length + 1);
        for (uint256 i; i < live.length; ++i) {
            orderId = live[(start + i) % live.length];
            if (_isAt(deals[orderId], progress)) return orderId;
        }
        return _anyOrder();
    }

    function _expectLease(uint32 orderId) private returns (Deal storage deal) {
        deal = deals[orderId];
        _refuse(deal.phase != Phase.Leased, IComputeLease.LeaseNotActive.selector);
    }

    function _providerCaller(Deal storage deal) private returns (address) {
        return _callerFor(deal.providerId);
    }

    function _expectProvider(Deal storage deal, address caller) private {
        bool stranger_ = deal.phase == Phase.Leased && providerBooks[deal.providerId].owner != caller;
        _refuse(stranger_, IComputeLease.OnlyProvider.selector);
    }

    function _expectTenant(Deal storage deal, uint256 index) private {
        _refuse(deal.phase == Phase.Leased && deal.tenant != tenants[index], IComputeLease.OnlyTenant.selector);
    }

    function _expectInTime(Deal storage deal) private {
        _refuse(deal.phase == Phase.Leased && _isOverdue(deal), IComputeLease.DeadlinePassed.selector);
    }

    /// Mostly the tenant of the lease.
    function _tenantIndex(Deal storage deal) private returns (uint256 index) {
        if (_one(12)) return _draw(TENANTS);
        for (; index < TENANTS - 1; ++index) {
            if (tenants[index] == deal.tenant) break;
        }
    }

    function _asTenantOf(uint256 index, bytes memory data, bytes4 twin, bytes32 typeHash) private returns (bool done) {
        (done,) = _asTenant(index, address(computeLease), data, twin, typeHash);
    }

    // ---- steps

    function _markReady() private {
        uint32 orderId = _someLease(Progress.Matched);
        Deal storage deal = _expectLease(orderId);
        address caller = _providerCaller(deal);
        _expectProvider(deal, caller);
        _expectInTime(deal);
        _refuse(deal.readyAt != 0, IComputeLease.AlreadyReady.selector);
        (bool done,) = _call(caller, address(computeLease), abi.encodeCall(IComputeLease.markReady, (orderId)));
        if (!done) return;
        (deal.readyAt, deal.pricedFrom) = (uint32(block.timestamp), uint32(block.timestamp));
        deal.paidThrough = uint32(block.timestamp + uint256(deal.durationMinutes) * 60);
    }

    function _announce() private {
        uint32 orderId = _someLease(_one(3) ? Progress.Any : Progress.Ready);
        Deal storage deal = _expectLease(orderId);
        uint256 index = _tenantIndex(deal);
        bytes32 manifestHash = bytes32(_draw(4));
        _expectTenant(deal, index);
        _expectInTime(deal);
        bool late = deal.readyAt != 0 && block.timestamp >= uint256(deal.readyAt) + deal.terms.manifestSeconds;
        _refuse(late, IComputeLease.DeadlinePassed.selector);
        _refuse(manifestHash == 0, IComputeLease.LeaseFieldInvalid.selector);
        _refuse(deal.confirmedAt != 0, IComputeLease.AlreadyConfirmed.selector);
        bytes memory data = abi.encodeCall(IComputeLease.announceManifest, (orderId, manifestHash));
        if (!_asTenantOf(index, data, ISignedCalls.announceManifest.selector, ANNOUNCE_TYPE)) return;
        (deal.manifestHash, deal.announcedAt) = (manifestHash, uint32(block.timestamp));
    }

    function _confirm() private {
        uint32 orderId = _someLease(Progress.Announced);
        Deal storage deal = _expectLease(orderId);
        address caller = _providerCaller(deal);
        bytes32 manifestHash = _one(12) ? bytes32(_draw(4)) : deal.manifestHash;
        _expectProvider(deal, caller);
        _expectInTime(deal);
        _refuse(deal.readyAt == 0, IComputeLease.NotReady.selector);
        _refuse(deal.confirmedAt != 0, IComputeLease.AlreadyConfirmed.selector);
        _refuse(deal.manifestHash == 0 || manifestHash != deal.manifestHash, IComputeLease.ManifestMismatch.selector);
        bytes memory data = abi.encodeCall(IComputeLease.confirmDeployment, (orderId, manifestHash));
        (bool done,) = _call(caller, address(computeLease), data);
        if (done) deal.confirmedAt = uint32(block.timestamp);
    }

    function _requestUpdate() private {
        uint32 orderId = _someLease(Progress.Confirmed);
        Deal storage deal = _expectLease(orderId);
        uint256 index = _tenantIndex(deal);
        Size memory size = sizes[orderId];
        LeaseUpdate memory update = LeaseUpdate({
            milliGpu: size.milliGpu,
            cpuMilli: size.cpuMilli,
            memoryMib: size.memoryMib,
            storageGib: size.storageGib,
            maxPriceMicroPerHour: uint40(deal.price) + uint40(_draw(2_000_000)),
            manifestHash: bytes32(_draw(16))
        });
        if (!_one(3)) _resize(update);
        bool gpu = update.milliGpu <= 1000 || update.milliGpu % 1000 == 0;
        bool valid = gpu && update.milliGpu <= 8000 && update.cpuMilli != 0 && update.maxPriceMicroPerHour != 0 && update.manifestHash != 0;
        _expectTenant(deal, index);
        _expectInTime(deal);
        _refuse(deal.readyAt == 0, IComputeLease.NotReady.selector);
        _refuse(deal.confirmedAt == 0, IComputeLease.NotConfirmed.selector);
        _refuse(!valid, IComputeLease.LeaseFieldInvalid.selector);
        (bool done,) = _call(tenants[index], address(computeLease), abi.encodeCall(IComputeLease.requestUpdate, (orderId, update)));
        if (!done) return;
        (deal.updateHash, _updates[orderId]) = (keccak256(abi.encode(update)), update);
    }

    function _resize(LeaseUpdate memory update) private {
        uint256 kind = _draw(5);
        if (kind == 0) update.milliGpu = uint16([uint256(0), 250, 1000, 2000, 3000, 1500][_draw(6)]);
        else if (kind == 1) update.cpuMilli = uint24(_draw(20_000));
        else if (kind == 2) update.memoryMib = uint24(_draw(80_000));
        else if (kind == 3) update.storageGib = uint24(_draw(600));
        else (update.cpuMilli, update.memoryMib) = (update.cpuMilli / 2, update.memoryMib / 2);
    }

    function _cancelUpdate() private {
        uint32 orderId = _someLease(Progress.Updating);
        Deal storage deal = _expectLease(orderId);
        uint256 index = _tenantIndex(deal);
        _expectTenant(deal, index);
        _refuse(deal.updateHash == 0, IComputeLease.UpdateNotRequested.selector);
        bytes memory data = abi.encodeCall(IComputeLease.cancelUpdate, (orderId));
        if (_asTenantOf(index, data, ISignedCalls.cancelUpdate.selector, CANCEL_UPDATE_TYPE)) deal.updateHash = 0;
    }

    function _acceptUpdate() private {
        uint32 orderId = _someLease(Progress.Updating);
        Deal storage deal = _expectLease(orderId);
        address caller = _providerCaller(deal);
        LeaseUpdate memory update = _updates[orderId];
        uint40 price = uint40(_one(8) ? update.maxPriceMicroPerHour + _draw(2) : _draw(uint256(update.maxPriceMicroPerHour) + 1));
        Size memory size = Size(update.milliGpu, update.cpuMilli, update.memoryMib, update.storageGib, 0);
        size.deviceMask = _one(12) ? uint8(_draw(256)) : _maskFor(deal, orderId, update.milliGpu);
        _expectProvider(deal, caller);
        _expectInTime(deal);
        _refuse(deal.updateHash == 0, IComputeLease.UpdateNotRequested.selector);
        _refuse(price > update.maxPriceMicroPerHour, IComputeLease.PriceAboveConsent.selector);
        uint32 taken;
        if (deal.phase == Phase.Leased && deal.updateHash != 0) {
            taken = _expectMove(deal, sizes[orderId], size);
            _expectFit(deal, price);
        }
        Policy memory policy = _periodOf(matchPolicy.openRound()).policy;
        bytes memory data =
            abi.encodeCall(IComputeLease.acceptUpdate, (orderId, keccak256(abi.encode(update)), price, size.deviceMask, policy));
        excused = deal.tenant;
        (bool done,) = _call(caller, address(computeLease), data);
        if (!done) return;
        if (taken != 0) lastSettled = taken;
        deal.earnedBefore = uint96(_accruedAt(deal, block.timestamp));
        (deal.pricedFrom, deal.price) = (uint32(block.timestamp), price);
        (deal.manifestHash, deal.updateHash) = (update.manifestHash, 0);
        sizes[orderId] = size;
        _bookFit(deal);
    }

    /// Reasons for which another size is refused; the round that is taken for it, 0 for none.
    function _expectMove(Deal storage deal, Size memory from, Size memory to) private returns (uint32 taken) {
        if (keccak256(abi.encode(from)) == keccak256(abi.encode(to))) return 0;
        uint256 devices = _devices(to.milliGpu);
        bool maskHolds = _bits(to.deviceMask) == devices;
        _refuse(!maskHolds, IProviderRegistry.CapacityRefused.selector);
        bool smaller = to.milliGpu <= from.milliGpu && to.cpuMilli <= from.cpuMilli && to.memoryMib <= from.memoryMib
            && to.storageGib <= from.storageGib && to.deviceMask & ~from.deviceMask == 0;
        if (smaller) return 0;
        uint32 open = matchPolicy.openRound();
        bool closed = lastSettled != open && open - lastSettled < _periodOf(open).policy.selfMatchRounds;
        _refuse(closed, IMatchSettlement.GateClosed.selector);
        (MachineWord machine,) = _machineWords(deal.machineId);
        bool fits = machine.isActiveIn(open) && machine.freeCpuMilli() + from.cpuMilli >= to.cpuMilli
            && machine.freeMemoryMib() + from.memoryMib >= to.memoryMib && machine.freeStorageGib() + from.storageGib >= to.storageGib;
        for (uint256 i; i < 8 && fits; ++i) {
            if ((to.deviceMask >> i) & 1 == 0) continue;
            uint256 own = (from.deviceMask >> i) & 1 == 0 ? 0 : _unit(from.milliGpu);
            fits = machine.freeMilliGpu(i) + own >= _unit(to.milliGpu);
        }
        _refuse(!fits, IProviderRegistry.CapacityRefused.selector);
        return lastSettled == open ? 0 : open;
    }

    function _expectFit(Deal storage deal, uint40 price) private {
        if (_isOverdue(deal)) return;
        uint256 cost = _accruedAt(deal, block.timestamp) + _costOf(deal.tokenId, price, deal.paidThrough - block.timestamp);
        _expectMore(deal, _lockFor(cost, deal.userFeeBps));
    }

    function _expectMore(Deal storage deal, uint256 needed) private {
        bool short = needed > deal.locked && _lockable(deal.tenant, deal.tokenId, deal.sponsor) < needed - deal.locked;
        _refuse(short, IEscrow.InsufficientBalance.selector);
    }

    /// Devices for the new size: the lease's own first, then free ones.
    function _maskFor(Deal storage deal, uint32 orderId, uint256 milliGpu) private view returns (uint8 mask) {
        (MachineWord machine,) = _machineWords(deal.machineId);
        uint256 missing = _devices(milliGpu);
        uint256 own = sizes[orderId].deviceMask;
        for (uint256 pass; pass < 2; ++pass) {
            for (uint256 i; i < 8 && missing > 0; ++i) {
                bool isOwn = (own >> i) & 1 != 0;
                if ((pass == 0) != isOwn || (!isOwn && machine.freeMilliGpu(i) < _unit(milliGpu))) continue;
                mask |= uint8(1 << i);
                --missing;
            }
        }
    }

    function _devices(uint256 milliGpu) internal pure returns (uint256) {
        return milliGpu == 0 ? 0 : milliGpu < 1000 ? 1 : milliGpu / 1000;
    }

    function _unit(uint256 milliGpu) internal pure returns (uint256) {
        return milliGpu < 1000 ? milliGpu : 1000;
    }

    function _bits(uint256 mask) private pure returns (uint256 bits) {
        for (; mask != 0; mask >>= 1) {
            bits += mask & 1;
        }
    }

    // ---- paid time and money

    function _renew() private {
        uint24 minutes_ = uint24(_one(4) ? _draw(3) : _draw(900));
        _extend(minutes_, true);
    }

    function _topUp() private {
        _extend(uint24(_draw(120)), false);
    }

    function _extend(uint24 minutes_, bool renews) private {
        uint32 orderId = _someLease(_one(4) ? Progress.Any : Progress.Confirmed);
        Deal storage deal = _expectLease(orderId);
        uint256 index = _tenantIndex(deal);
        uint256 paidThrough = uint256(minutes_) * 60 + (renews ? block.timestamp : deal.paidThrough);
        uint256 least = uint256(deal.readyAt) + deal.terms.minimumChargeSeconds;
        if (least > deal.paidThrough) least = deal.paidThrough;
        _expectTenant(deal, index);
        _refuse(deal.readyAt == 0, IComputeLease.NotReady.selector);
        _expectInTime(deal);
        _refuse(minutes_ == 0 || (renews && paidThrough < least), IComputeLease.LeaseFieldInvalid.selector);
        if (deal.phase == Phase.Leased && deal.readyAt != 0 && paidThrough > deal.pricedFrom) {
            uint256 cost = deal.earnedBefore + _costOf(deal.tokenId, deal.price, paidThrough - deal.pricedFrom);
            _expectMore(deal, _lockFor(cost, deal.userFeeBps));
        }
        bytes memory data = renews
            ? abi.encodeCall(IComputeLease.renewLease, (orderId, minutes_))
            : abi.encodeCall(IComputeLease.topUp, (orderId, minutes_));
        bytes4 twin = renews ? ISignedCalls.renewLease.selector : ISignedCalls.topUp.selector;
        if (!_asTenantOf(index, data, twin, renews ? RENEW_TYPE : TOP_UP_TYPE)) return;
        deal.paidThrough = uint32(paidThrough);
        _bookFit(deal);
    }

    function _releaseExcess() private {
        uint32 orderId = _someLease(_one(2) ? Progress.Any : Progress.Confirmed);
        Deal storage deal = _expectLease(orderId);
        _refuse(deal.readyAt == 0, IComputeLease.NotReady.selector);
        (bool done, bytes memory result) = _call(_anyone(), address(computeLease), abi.encodeCall(IComputeLease.releaseExcess, (orderId)));
        if (!done) return;
        uint256 returned = _bookFit(deal);
        _require(abi.decode(result, (uint256)) == returned, "S14 excess is returned exactly", orderId, returned);
    }

    function _claim() private {
        uint32 orderId = _someLease(Progress.Confirmed);
        Deal storage deal = _expectLease(orderId);
        _refuse(deal.confirmedAt == 0, IComputeLease.NotConfirmed.selector);
        (bool done, bytes memory result) = _call(_anyone(), address(computeLease), abi.encodeCall(IComputeLease.claim, (orderId)));
        if (!done) return;
        uint256 accrued = _accruedAt(deal, block.timestamp);
        uint256 toProvider = _bookPay(deal, providerBooks[deal.providerId].owner, accrued);
        _require(abi.decode(result, (uint256)) == toProvider, "S14 a claim pays what accrued", orderId, toProvider);
    }

    // ---- end

    function _closeLease() private {
        if (!_one(3)) return _endLease();
        uint32 orderId = _someLease(Progress.Any);
        Deal storage deal = _expectLease(orderId);
        address owner = providerBooks[deal.providerId].owner;
        bytes memory data = abi.encodeCall(IComputeLease.closeLease, (orderId));
        if (_one(2)) {
            uint256 index = _tenantIndex(deal);
            bool byTenant = deal.tenant == tenants[index];
            // A tenant may be the provider's owner as well: everybody may propose.
            bool isParty = byTenant || owner == tenants[index];
            _refuse(deal.phase == Phase.Leased && !isParty, IComputeLease.OnlyTenantOrProvider.selector);
            if (_asTenantOf(index, data, ISignedCalls.closeLease.selector, CLOSE_TYPE)) _bookClose(orderId, deal, byTenant);
            return;
        }
        address caller = _providerCaller(deal);
        bool party = caller == owner || caller == deal.tenant;
        _refuse(deal.phase == Phase.Leased && !party, IComputeLease.OnlyTenantOrProvider.selector);
        (bool done,) = _call(caller, address(computeLease), data);
        if (done) _bookClose(orderId, deal, caller == deal.tenant);
    }

    function _bookClose(uint32 orderId, Deal storage deal, bool byTenant) private {
        (LeaseEnd reason,) = _deadline(deal);
        bool overdue = _isOverdue(deal);
        if (deal.readyAt == 0) {
            if (!byTenant) return _bookReopen(orderId, deal);
            if (overdue && deal.fromBid) _bookBond(orderId, deal.providerId, deal.tenant);
            return _bookEnd(orderId, deal, 0);
        }
        if (overdue) return _bookOverdue(orderId, deal, reason);
        uint256 due = deal.confirmedAt == 0 ? 0 : _accruedAt(deal, block.timestamp);
        if (byTenant) {
            uint256 least = _minimumChargeEnd(deal);
            due = _accruedAt(deal, block.timestamp > least ? block.timestamp : least);
        }
        _bookEnd(orderId, deal, due);
    }

    /// No minimum is due to a provider that the market has put out.
    function _minimumChargeEnd(Deal storage deal) private view returns (uint256) {
        bool out = providerBooks[deal.providerId].status >= ProviderStatus.Suspended;
        return uint256(deal.readyAt) + (out ? 0 : deal.terms.minimumChargeSeconds);
    }

    function _endLease() private {
        uint32 orderId = _someLease(Progress.Any);
        Deal storage deal = _expectLease(orderId);
        _refuse(deal.phase == Phase.Leased && !_isOverdue(deal), IComputeLease.LeaseNotOverdue.selector);
        (bool done,) = _call(_anyone(), address(computeLease), abi.encodeCall(IComputeLease.endLease, (orderId)));
        if (!done) return;
        (LeaseEnd reason,) = _deadline(deal);
        if (reason == LeaseEnd.NotReady) _bookReopen(orderId, deal);
        else _bookOverdue(orderId, deal, reason);
    }

    function _bookOverdue(uint32 orderId, Deal storage deal, LeaseEnd reason) private {
        uint256 due;
        if (reason == LeaseEnd.PaidThrough) due = _accruedAt(deal, deal.paidThrough);
        else if (reason == LeaseEnd.NoManifest) due = _accruedAt(deal, _minimumChargeEnd(deal));
        _bookEnd(orderId, deal, due);
    }

    function _bookEnd(uint32 orderId, Deal storage deal, uint256 due) private {
        _require(due + due * deal.userFeeBps / 10_000 <= deal.locked, "S14 what is due was locked", orderId, due);
        _bookPay(deal, providerBooks[deal.providerId].owner, due);
        _bookRelease(deal);
        _forgetOrder(orderId);
        _require(deal.paid + 1 >= due, "S14 what is due is paid", orderId, due);
    }

    function _bookReopen(uint32 orderId, Deal storage deal) private {
        if (deal.fromBid) _bookBond(orderId, deal.providerId, deal.tenant);
        (deal.phase, deal.untilRound) = (Phase.Open, NO_ROUND);
        deal.eligibleFromBlock = uint32(block.number) + bidWindow;
        delete bidders[orderId];
        (deal.readyAt, deal.announcedAt, deal.confirmedAt, deal.updateHash) = (0, 0, 0, 0);
    }
}
