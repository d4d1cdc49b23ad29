// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { OrderOwnerWord } from "../words/OrderOwnerWord.sol";
import { OrderWord } from "../words/OrderWord.sol";
import { IComputeLease } from "./IComputeLease.sol";
import { IEscrow } from "./IEscrow.sol";
import { IOrderRequest } from "./IOrderRequest.sol";
import { IProviderRegistry } from "./IProviderRegistry.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";
import { OrderState } from "./MarketTypes.sol";

/// @title Leases: who may end them and what they have earned.
/// @dev The lease is the order's word; this contract keeps only when a lease was closed. Money goes to escrow balances, never to an address.
/// Assumes that timestamps fit 32 bits and that the provider's owner is the account to be paid.
contract ComputeLease is IComputeLease {
    uint256 private constant SECONDS_PER_HOUR = 3600;

    IEscrow public immutable escrow;
    IOrderRequest public immutable orderRequest;
    IProviderRegistry public immutable providerRegistry;
    ITokenRegistry public immutable tokenRegistry;

    /// When a lease was closed, in seconds. It also tells a closed lease from an order that was closed without one.
    mapping(uint32 orderId => uint32) private _closedAt;

    constructor(IEscrow escrow_, IOrderRequest orderRequest_, IProviderRegistry providerRegistry_, ITokenRegistry tokenRegistry_) {
        escrow = escrow_;
        orderRequest = orderRequest_;
        providerRegistry = providerRegistry_;
        tokenRegistry = tokenRegistry_;
    }

    /// @inheritdoc IComputeLease
    function closeLease(uint32 orderId) external {
        Lease memory lease = _activeLease(orderId);
        address provider = providerRegistry.providerOwner(lease.providerId);
        bool over = block.timestamp >= lease.endTime;
        if (!over && msg.sender != lease.tenant && msg.sender != provider) revert OnlyTenantOrProvider(orderId, msg.sender);
        uint32 endTime = over ? lease.endTime : uint32(block.timestamp);
        _closedAt[orderId] = endTime;
        bytes32 word = orderRequest.close(orderId);
        escrow.pay(orderId, provider, lease.tokenId, _accruedAt(lease, endTime));
        escrow.release(orderId, lease.tenant, lease.tokenId);
        providerRegistry.release(word);
        emit LeaseClosed(orderId, lease.providerId, lease.tenant, endTime);
    }

    /// @inheritdoc IComputeLease
    function claim(uint32 orderId) external returns (uint256 amount) {
        Lease memory lease = _activeLease(orderId);
        address provider = providerRegistry.providerOwner(lease.providerId);
        return escrow.pay(orderId, provider, lease.tokenId, _accruedAt(lease, _now(lease)));
    }

    /// @inheritdoc IComputeLease
    /// @dev Of a closed lease: what it earned until it was closed.
    function accrued(uint32 orderId) external view returns (uint256) {
        Lease memory lease = getLease(orderId);
        return _accruedAt(lease, _now(lease));
    }

    /// @inheritdoc IComputeLease
    /// @dev `endTime` of a running lease is the end of the paid time, of a closed one the moment accrual stopped.
    function getLease(uint32 orderId) public view returns (Lease memory lease) {
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        OrderOwnerWord owner = OrderOwnerWord.wrap(uint256(orderRequest.ownerWord(orderId)));
        uint32 closedAt = _closedAt[orderId];
        lease.state = uint8(word.state());
        if (closedAt == 0 && lease.state != uint8(OrderState.Matched)) revert LeaseNotActive(orderId);
        lease.orderId = orderId;
        lease.machineId = uint32(word.machineId());
        lease.providerId = uint24(word.providerId());
        lease.tenant = owner.tenant();
        lease.tokenId = uint16(word.tokenId());
        lease.priceMicroPerHour = uint40(word.priceMicroPerHour());
        lease.startTime = uint32(word.matchedAt());
        lease.endTime = closedAt;
        if (closedAt == 0) {
            uint256 paidUntil = lease.startTime + owner.durationMinutes() * 60;
            lease.endTime = uint32(Math.min(paidUntil, type(uint32).max));
        }
    }

    function _activeLease(uint32 orderId) private view returns (Lease memory lease) {
        lease = getLease(orderId);
        if (lease.state != uint8(OrderState.Matched)) revert LeaseNotActive(orderId);
    }

    /// The moment up to which a lease has accrued by now.
    function _now(Lease memory lease) private view returns (uint256) {
        return Math.min(block.timestamp, lease.endTime);
    }

    /// Token units earned from the start until `endTime`; rounded down, cumulative since the start so that no claim loses a fraction.
    function _accruedAt(Lease memory lease, uint256 endTime) private view returns (uint96) {
        (, uint8 decimals,,) = tokenRegistry.tokenOf(lease.tokenId);
        uint256 scaled = uint256(lease.priceMicroPerHour) * 10 ** (decimals - 6) * (endTime - lease.startTime);
        return SafeCast.toUint96(scaled / SECONDS_PER_HOUR);
    }
}
