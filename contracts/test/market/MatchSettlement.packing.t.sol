// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { MatchBatch, OrderSpec, Policy } from "../../src/market/MarketTypes.sol";
import { PackingRules } from "../../src/rules/PackingRules.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice A market under version 2 of the rules: settlement knows its policy by hash, and leaves the choice of devices to the batch.
contract PackingMarketTest is MarketBase {
    uint32 private constant WAIT = 2;

    uint32 private machine;

    function setUp() public override {
        super.setUp();
        machine = _machine(_provider(providerOwner));
        _enterRound(1, 1);
        uint32 fromRound = matchPolicy.fromRoundNow() + 2;
        matchPolicy.schedule(fromRound, uint16(ROUND_LENGTH), _policy(), _terms());
        _enterRound(fromRound, 1);
    }

    /// Half a device is worth nearly a whole one, so that breaking a second device costs less than using up the first.
    function _terms() private pure returns (PackingTerms memory terms) {
        (terms.fromMilli, terms.value) = (new uint16[](2), new uint16[](2));
        (terms.fromMilli[0], terms.fromMilli[1]) = (500, 1000);
        (terms.value[0], terms.value[1]) = (10, 11);
        terms.deviceWeight = 1;
    }

    function _policy() private pure returns (Policy memory policy) {
        policy = _defaultPolicy();
        policy.rulesVersion = 2;
        policy.selfMatchRounds = WAIT;
        policy.weightPriceBps -= 1000;
        policy.weightPackingBps = 1000;
        policy.packingHash = keccak256(abi.encode(_terms()));
    }

    function _half() private pure returns (OrderSpec memory spec) {
        spec = _spec();
        spec.milliGpu = 500;
    }

    /// Half of device 0 is taken.
    function _breakTheFirstDevice() private {
        uint32 orderId = _order(_half());
        uint32 round = _openNext();
        bytes memory records = _encode(_record(orderId, machine, 1));
        MatchBatch memory batch = _batch(round, records);
        assertEq(settlement.settle(batch, _policy(), records, _sign(batch, ALL_SIGN)), 1);
    }

    function test_aBatchSettlesOnTheDevicesOfVersionTwo() public {
        _breakTheFirstDevice();
        uint32 orderId = _order(_half());
        uint32 round = _openNext();
        (, uint256 mask) = PackingRules.chooseDevices(_terms(), MachineWord.wrap(_machineWord(machine)), 500);
        assertEq(mask, 2);
        bytes memory records = _encode(_record(orderId, machine, uint8(mask)));
        MatchBatch memory batch = _batch(round, records);
        assertEq(settlement.settle(batch, _policy(), records, _sign(batch, ALL_SIGN)), 1);
        assertEq(OrderWord.wrap(uint256(orderRequest.orderWord(orderId))).deviceMask(), 2);
    }

    /// Every word of the policy is the round's, those that version 1 does not have too.
    function test_thePolicyOfVersionTwoIsTakenWhole() public {
        uint32 orderId = _order(_half());
        uint32 round = _openNext();
        bytes memory records = _encode(_record(orderId, machine, 1));
        MatchBatch memory batch = _batch(round, records);
        bytes memory certificate = _sign(batch, ALL_SIGN);
        for (uint256 field = 0; field < 3; field++) {
            Policy memory other = _policy();
            if (field == 0) other.weightPackingBps += 1;
            else if (field == 1) other.packingHash ^= bytes32(uint256(1));
            else other.rulesVersion = 1;
            bytes memory mismatch =
                abi.encodeWithSelector(IMatchSettlement.PolicyMismatch.selector, PolicyHash.ofMemory(other), batch.policyHash);
            vm.expectRevert(mismatch);
            settlement.settle(batch, other, records, certificate);
        }
        assertEq(settlement.settle(batch, _policy(), records, certificate), 1);
    }

    /// The contract that settles has no packing terms, so a tenant's own match goes by version 1 under every policy.
    function test_aSelfMatchGoesByVersionOne() public {
        _breakTheFirstDevice();
        uint32 orderId = _order(_half());
        uint32 round = _openNext() + WAIT;
        _enterRound(round, 1);
        vm.prank(tenant);
        settlement.selfMatch(orderId, machine, 0, _half(), _policy());
        assertEq(OrderWord.wrap(uint256(orderRequest.orderWord(orderId))).deviceMask(), 1);
    }
}
