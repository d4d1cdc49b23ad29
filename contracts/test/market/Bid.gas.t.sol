// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BidTerms } from "../../src/market/IBid.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice What bids cost when an order already has all it may have. Figures go to snapshots/Bid.json.
contract BidGasTest is MarketBase {
    string private constant FILE = "Bid";
    uint256 private constant MOST = 32;
    uint40 private constant PRICE = 900_000;

    uint32 private orderId;
    address private last;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < MOST; ++i) {
            address owner = _owner(i);
            // The machine's only offer in the order's token is the last that is looked at.
            uint32 machineId = _machine(_provider(owner));
            vm.startPrank(owner);
            providerRegistry.withdrawOffer(machineId, 0);
            providerRegistry.setOffer(machineId, 3, _offer());
            vm.stopPrank();
            _fund(owner, 10_000_000);
        }
        last = _owner(MOST - 1);
        _enterRound(2, 1);
        orderId = _order(_spec());
        for (uint256 i; i < MOST - 1; ++i) {
            vm.prank(_owner(i));
            bid.placeBid(orderId, uint32(i + 1), PRICE);
        }
    }

    function _owner(uint256 index) private returns (address) {
        return makeAddr(string.concat("owner ", vm.toString(index)));
    }

    function _placeLast() private {
        vm.prank(last);
        bid.placeBid(orderId, uint32(MOST), PRICE);
    }

    function _settleLast() private {
        uint32 round = _openNext();
        RecordFields memory fields = _record(orderId, uint32(MOST), 1);
        (fields.fromBid, fields.bidIndex, fields.priceMicroPerHour) = (true, uint8(MOST - 1), PRICE);
        assertEq(_settle(round, _encode(fields)), 1);
    }

    /// forge-config: default.isolate = true
    function test_gasOfThe32ndBid() public {
        _placeLast();
        vm.snapshotGasLastCall(FILE, "placeBid as the 32nd of its order");
        _placeLast();
        vm.snapshotGasLastCall(FILE, "placeBid in place");
        vm.prank(last);
        bid.withdrawBid(orderId, uint24(MOST));
        vm.snapshotGasLastCall(FILE, "withdrawBid");
        _enterRound(matchPolicy.fromRoundNow(), 1);
        bid.releaseBond(orderId, uint24(MOST));
        vm.snapshotGasLastCall(FILE, "releaseBond of a withdrawn bid");
    }

    /// forge-config: default.isolate = true
    function test_gasOfSettlingAnOrderWith32Bids() public {
        _placeLast();
        _settleLast();
        vm.snapshotGasLastCall(FILE, "settle of the 32nd bid");
        vm.prank(last);
        computeLease.markReady(orderId);
        bid.releaseBond(orderId, uint24(MOST));
        vm.snapshotGasLastCall(FILE, "releaseBond of a winner that is ready");
    }

    /// forge-config: default.isolate = true
    function test_gasOfForfeit() public {
        _placeLast();
        _settleLast();
        vm.prank(address(computeLease));
        bid.forfeitBond(orderId, uint24(MOST), tenant);
        vm.snapshotGasLastCall(FILE, "forfeitBond");
    }

    /// The dearest placement: a bid of the generation before still holds its bond.
    /// forge-config: default.isolate = true
    function test_gasOfABidAfterTheOrderWentBack() public {
        _placeLast();
        _settleLast();
        _rollTo(block.number + 600);
        computeLease.endLease(orderId);
        vm.prank(_owner(0));
        bid.placeBid(orderId, 1, PRICE);
        vm.snapshotGasLastCall(FILE, "placeBid after the order went back");
    }

    /// forge-config: default.isolate = true
    function test_gasOfTerms() public {
        bid.setBidTerms(BidTerms({ maxBidsPerOrder: 200, maxBidsPerProvider: 10_000, bondMicro: 1 }));
        vm.snapshotGasLastCall(FILE, "setBidTerms");
    }
}
