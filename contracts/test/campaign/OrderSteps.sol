// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { Deal, Phase } from "./CampaignBase.sol";
import { MoneySteps } from "./MoneySteps.sol";

/// @notice Tenants' orders up to the match: created, replaced, cancelled, expired, refunded.
abstract contract OrderSteps is MoneySteps {
    /// Live orders at a time: bounds what a full check costs.
    uint256 internal constant MOST_LIVE = 14;

    bytes32 private constant SPEC_TYPE = keccak256(
        "OrderSpec(uint16 milliGpu,uint24 cpuMilli,uint24 memoryMib,uint24 storageGib,uint16[] models,uint16[] regions,uint16[] regionsExcluded,uint24[] providersWanted,uint24[] providersExcluded,uint8 tiers,uint64 attributes,bool regionRequired,uint16 minUptimeBps,uint16 minReputationBps,uint8 maxSlashes,uint16 tokenId,uint40 maxPriceMicroPerHour,uint24 durationMinutes)"
    );
    bytes32 private constant CREATE_TYPE = keccak256(
        "CreateOrder(OrderSpec spec,uint32 expiresAt,address tenant,uint256 nonce,uint256 deadline)OrderSpec(uint16 milliGpu,uint24 cpuMilli,uint24 memoryMib,uint24 storageGib,uint16[] models,uint16[] regions,uint16[] regionsExcluded,uint24[] providersWanted,uint24[] providersExcluded,uint8 tiers,uint64 attributes,bool regionRequired,uint16 minUptimeBps,uint16 minReputationBps,uint8 maxSlashes,uint16 tokenId,uint40 maxPriceMicroPerHour,uint24 durationMinutes)"
    );
    bytes32 private constant CANCEL_TYPE = keccak256("CancelOrder(uint32 orderId,address tenant,uint256 nonce,uint256 deadline)");

    /// Fees and bid window in force, as the governor set them.
    uint16 internal userFeeBps;
    uint16 internal providerFeeBps;
    uint16 internal foundationFeeBps;
    uint16 internal nativeTokenId;
    uint32 internal bidWindow;

    function setUp() public virtual override {
        super.setUp();
        (userFeeBps, providerFeeBps, foundationFeeBps) = (200, 100, 2000);
        (feeTreasury, bidWindow) = (treasury, BID_WINDOW);
    }

    function _orderStep() internal {
        uint256 kind = _draw(16);
        if (kind < 6) _create(0);
        else if (kind == 6) _create(_anyOrder());
        else if (kind < 9) _cancel();
        else if (kind < 12) _expire();
        else _refund();
    }

    /// A new order, in the place of `replaced` if that is not 0.
    function _create(uint32 replaced) private {
        if (live.length >= MOST_LIVE && !_one(32)) return;
        uint256 index = replaced != 0 && deals[replaced].tenant == tenants[1] ? 1 : _draw(TENANTS);
        address account = tenants[index];
        OrderSpec memory spec = _randomSpec();
        uint32 expiresAt = uint32(block.timestamp + [uint256(0), 20, 1000, 1 days, 30 days, 30 days][_draw(6)]);
        uint256 cost = _costOf(spec.tokenId, spec.maxPriceMicroPerHour, uint256(spec.durationMinutes) * 60);
        uint256 amount = _lockFor(cost, _userFeeOf(spec.tokenId));
        if (_lockable(account, spec.tokenId, address(0)) < amount && !_one(8)) {
            _deposit(index, spec.tokenId, amount / _scale(spec.tokenId) + 1000);
        }

        if (replaced != 0) _expectEnding(replaced, account);
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(!tokenRegistry.isApproved(spec.tokenId), IOrderRequest.TokenNotAccepted.selector);
        _refuse(expiresAt <= block.timestamp || !_isValid(spec), IOrderRequest.OrderFieldInvalid.selector);
        _refuse(cost == 0, IEscrow.InvalidAmount.selector);
        _refuse(_lockable(account, spec.tokenId, address(0)) < amount, IEscrow.InsufficientBalance.selector);
        (bool done, bytes memory result) = _send(index, replaced, spec, expiresAt);
        if (!done) return;
        if (replaced != 0) deals[replaced].untilRound = matchPolicy.fromRoundNow();
        uint32 orderId = abi.decode(result, (uint32));
        _require(orderId == ++orders, "S2 order ids count up", orderId, orders);
        Deal storage deal = deals[orderId];
        (deal.tenant, deal.tokenId, deal.phase) = (account, spec.tokenId, Phase.Open);
        (deal.maxPrice, deal.durationMinutes, deal.expiresAt) = (spec.maxPriceMicroPerHour, spec.durationMinutes, expiresAt);
        (deal.eligibleFromBlock, deal.untilRound) = (uint32(block.number) + bidWindow, NO_ROUND);
        deal.userFeeBps = uint16(_userFeeOf(spec.tokenId));
        deal.providerFeeBps = spec.tokenId == nativeTokenId ? 0 : providerFeeBps;
        deal.foundationFeeBps = foundationFeeBps;
        specs[orderId] = spec;
        live.push(orderId);
        _bookLock(deal, amount);
    }

    function _send(uint256 index, uint32 replaced, OrderSpec memory spec, uint32 expiresAt) private returns (bool, bytes memory) {
        if (replaced != 0) {
            return _call(tenants[index], address(orderRequest), abi.encodeCall(IOrderRequest.replaceOrder, (replaced, spec, expiresAt)));
        }
        if (!_one(6)) {
            return _call(tenants[index], address(orderRequest), abi.encodeCall(IOrderRequest.createOrder, (spec, expiresAt)));
        }
        (bytes memory tail, bytes4 refusal) = _authorization(index, abi.encode(CREATE_TYPE, _hashSpec(spec), expiresAt));
        _refuse(refusal != 0, refusal);
        excused = tenants[index];
        ISignedCalls.Authorization memory authorization = abi.decode(bytes.concat(bytes32(uint256(32)), tail), (ISignedCalls.Authorization));
        return _call(stranger, address(signedCalls), abi.encodeCall(ISignedCalls.createOrder, (spec, expiresAt, authorization)));
    }

    function _cancel() private {
        uint32 orderId = _anyOrder();
        uint256 index = _draw(TENANTS);
        for (uint256 i; i < TENANTS && !_one(8); ++i) {
            if (tenants[i] == deals[orderId].tenant) index = i;
        }
        _expectEnding(orderId, tenants[index]);
        bytes memory data = abi.encodeCall(IOrderRequest.cancel, (orderId));
        (bool done,) = _asTenant(index, address(orderRequest), data, ISignedCalls.cancelOrder.selector, CANCEL_TYPE);
        if (done) deals[orderId].untilRound = matchPolicy.fromRoundNow();
    }

    function _expectEnding(uint32 orderId, address caller) private {
        Deal storage deal = deals[orderId];
        _refuse(deal.phase == Phase.None, IOrderRequest.OrderNotFound.selector);
        _refuse(deal.phase != Phase.None && deal.phase != Phase.Open, IOrderRequest.OrderNotOpened.selector);
        _refuse(deal.tenant != caller, IOrderRequest.NotTenant.selector);
        _refuse(deal.phase == Phase.Open && deal.untilRound != NO_ROUND, IOrderRequest.OrderAlreadyEnding.selector);
    }

    function _expire() private {
        uint32 orderId = _anyOrder();
        Deal storage deal = deals[orderId];
        bool open = deal.phase == Phase.Open;
        _refuse(deal.phase == Phase.None, IOrderRequest.OrderNotFound.selector);
        _refuse(deal.phase > Phase.Open, IOrderRequest.OrderNotOpened.selector);
        _refuse(open && deal.untilRound != NO_ROUND, IOrderRequest.OrderAlreadyEnding.selector);
        _refuse(open && block.timestamp < deal.expiresAt, IOrderRequest.OrderNotExpired.selector);
        (bool done,) = _call(_anyone(), address(orderRequest), abi.encodeCall(IOrderRequest.expire, (orderId)));
        if (done) deal.untilRound = matchPolicy.fromRoundNow();
    }

    /// Anyone; pays the tenant and its sponsor, paused or not, with or without a token that still is approved.
    function _refund() private {
        uint32 orderId = _anyOrder();
        Deal storage deal = deals[orderId];
        bool open = deal.phase == Phase.Open;
        _refuse(deal.phase == Phase.None, IOrderRequest.OrderNotFound.selector);
        _refuse(deal.phase > Phase.Open, IOrderRequest.OrderNotOpened.selector);
        _refuse(open && deal.untilRound == NO_ROUND, IOrderRequest.OrderNotEnding.selector);
        _refuse(open && deal.untilRound != NO_ROUND && matchPolicy.fromRoundNow() <= deal.untilRound, IOrderRequest.RefundTooEarly.selector);
        (bool done,) = _call(_anyone(), address(orderRequest), abi.encodeCall(IOrderRequest.refund, (orderId)));
        if (!done) return;
        _bookRelease(deal);
        _forgetOrder(orderId);
    }

    // ---- specs

    function _randomSpec() private returns (OrderSpec memory spec) {
        spec.milliGpu = [uint16(0), 250, 600, 1000, 1000, 3000, 8000][_draw(7)];
        spec.cpuMilli = uint24(1 + _draw(16_000));
        spec.memoryMib = uint24(_draw(65_536));
        spec.storageGib = uint24(_draw(500));
        spec.tokenId = _one(2) ? USD : _anyToken();
        spec.maxPriceMicroPerHour = uint40(_one(8) ? 1 + _draw(2_000_000) : 1_000_000 + _draw(30_000_000));
        spec.durationMinutes = uint24(_one(4) ? 1 + _draw(5) : 1 + _draw(600));
        spec.maxSlashes = _one(4) ? 0 : 255;
        if (_one(12)) spec.tiers = uint8(_draw(128));
        if (_one(16)) spec.regionRequired = true;
        if (_one(16)) spec.regions = _list(uint16(3 + _draw(2)));
        if (_one(64)) spec.models = _list(7);
        if (_one(64)) spec.milliGpu = 1500;
        if (_one(64)) spec.cpuMilli = 0;
        if (_one(64)) spec.minUptimeBps = uint16(_draw(12_000));
    }

    function _list(uint16 only) private pure returns (uint16[] memory list) {
        list = new uint16[](1);
        list[0] = only;
    }

    function _isValid(OrderSpec memory spec) private pure returns (bool) {
        bool gpu = spec.milliGpu < 1000 || spec.milliGpu % 1000 == 0;
        return gpu && spec.cpuMilli != 0 && spec.minUptimeBps <= 10_000 && (spec.models.length == 0 || spec.milliGpu != 0);
    }

    function _userFeeOf(uint16 tokenId) internal view returns (uint256) {
        return tokenId == nativeTokenId ? 0 : userFeeBps;
    }

    /// Token units that `elapsed` seconds at a price must be able to pay: rounded up.
    function _costOf(uint16 tokenId, uint256 priceMicroPerHour, uint256 elapsed) internal pure returns (uint256) {
        uint256 product = priceMicroPerHour * _scale(tokenId) * elapsed;
        return product / 3600 + (product % 3600 == 0 ? 0 : 1);
    }

    function _hashSpec(OrderSpec memory spec) private pure returns (bytes32) {
        bytes memory head = abi.encode(SPEC_TYPE, spec.milliGpu, spec.cpuMilli, spec.memoryMib, spec.storageGib);
        bytes memory lists = abi.encode(
            keccak256(abi.encodePacked(spec.models)),
            keccak256(abi.encodePacked(spec.regions)),
            keccak256(abi.encodePacked(spec.regionsExcluded)),
            keccak256(abi.encodePacked(spec.providersWanted)),
            keccak256(abi.encodePacked(spec.providersExcluded))
        );
        bytes memory standing = abi.encode(
            spec.tiers, spec.attributes, spec.regionRequired, spec.minUptimeBps, spec.minReputationBps, spec.maxSlashes, spec.tokenId
        );
        return keccak256(bytes.concat(head, lists, standing, abi.encode(spec.maxPriceMicroPerHour, spec.durationMinutes)));
    }
}
