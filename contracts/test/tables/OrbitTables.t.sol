// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";

import {
    BN254OperatorSetInfo,
    CurveType,
    ECDSAOperatorInfo,
    G1Point,
    OperatorSet,
    OperatorSetConfig
} from "../../src/eigenlayer/EigenTypes.sol";
import { ICrossChainRegistry } from "../../src/eigenlayer/ICrossChainRegistry.sol";
import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { TableEcdsaQuorum } from "../../src/quorum/TableEcdsaQuorum.sol";
import { IInbox } from "../../src/stake/IInbox.sol";
import { OrbitTableSender } from "../../src/stake/OrbitTableSender.sol";
import { AddressAliasing } from "../../src/tables/AddressAliasing.sol";
import { IOrbitTableReceiver } from "../../src/tables/IOrbitTableReceiver.sol";
import { OrbitTableReceiver } from "../../src/tables/OrbitTableReceiver.sol";

/// Redeems every ticket at once, from the alias of whoever created it.
contract InstantInbox is IInbox, Test {
    uint256 public constant FEE_PER_BYTE = 3;
    uint256 public tickets;
    address public refundedTo;
    uint256 public received;

    function createRetryableTicket(
        address to,
        uint256 l2CallValue,
        uint256 maxSubmissionCost,
        address excessFeeRefundAddress,
        address callValueRefundAddress,
        uint256 gasLimit,
        uint256 maxFeePerGas,
        bytes calldata data
    ) external payable returns (uint256 ticketId) {
        require(l2CallValue == 0 && excessFeeRefundAddress == callValueRefundAddress, "ticket");
        require(maxSubmissionCost >= data.length * FEE_PER_BYTE * block.basefee, "submission cost");
        require(msg.value >= maxSubmissionCost + gasLimit * maxFeePerGas, "value");
        refundedTo = excessFeeRefundAddress;
        received += msg.value;
        vm.prank(address(uint160(msg.sender) + uint160(0x1111000000000000000000000000000000001111)));
        (bool done,) = to.call{ gas: gasLimit }(data);
        require(done, "redeem");
        return ++tickets;
    }

    function calculateRetryableSubmissionFee(uint256 dataLength, uint256 baseFee) external pure returns (uint256) {
        return dataLength * FEE_PER_BYTE * baseFee;
    }
}

contract AliasingHarness {
    function toAlias(address sender) external pure returns (address) {
        return AddressAliasing.toAlias(sender);
    }
}

contract OrbitTablesTest is Test {
    uint32 internal constant STALENESS = 1 days;
    uint32 internal constant NOW = 1_800_000_000;
    address internal constant SENDER = address(0x5E);
    OperatorSet internal set = OperatorSet(address(0xA5), 3);
    OrbitTableReceiver internal receiver;
    address internal aliased;

    function setUp() public {
        vm.warp(NOW);
        receiver = new OrbitTableReceiver(SENDER, set, CurveType.ECDSA);
        aliased = receiver.tableSender();
    }

    function infos() internal pure returns (ECDSAOperatorInfo[] memory list) {
        list = new ECDSAOperatorInfo[](2);
        uint256[] memory weights = new uint256[](1);
        weights[0] = 7;
        list[0] = ECDSAOperatorInfo(address(0x11), weights);
        list[1] = ECDSAOperatorInfo(address(0x22), weights);
    }

    function table() internal view returns (bytes memory) {
        return abi.encode(set, CurveType.ECDSA, OperatorSetConfig(set.avs, STALENESS), abi.encode(infos()));
    }

    function give(uint32 timestamp, bytes memory bytes_) internal {
        vm.prank(aliased);
        receiver.receiveTable(timestamp, 55, bytes_);
    }

    function expectRefused(uint32 timestamp, bytes memory bytes_, bytes memory reason) internal {
        vm.prank(aliased);
        vm.expectRevert(reason);
        receiver.receiveTable(timestamp, 55, bytes_);
    }

    function test_alias_isTheOffsetAndWrapsAround() public {
        AliasingHarness harness = new AliasingHarness();
        assertEq(harness.toAlias(address(0)), 0x1111000000000000000000000000000000001111);
        assertEq(harness.toAlias(address(1)), 0x1111000000000000000000000000000000001112);
        // 0xffff… + 0x1111000000000000000000000000000000001111, modulo 2^160.
        assertEq(harness.toAlias(address(type(uint160).max)), 0x1111000000000000000000000000000000001110);
        assertEq(harness.toAlias(address(uint160(0x00eeeeffffffffffffffffffffffffffffffffeeef))), address(0));
        assertEq(aliased, 0x111100000000000000000000000000000000116f);
    }

    function test_table_isStoredAndTold() public {
        vm.expectEmit(address(receiver));
        emit IOrbitTableReceiver.TableReceived(NOW, 55);
        give(NOW, table());
        assertEq(receiver.latestReferenceTimestamp(set), NOW);
        assertEq(receiver.maxOperatorTableStaleness(set), STALENESS);
        assertEq(receiver.getReferenceBlockNumberByTimestamp(NOW), 55);
        assertTrue(receiver.isRootValidByTimestamp(NOW));
        assertEq(abi.encode(receiver.getOperatorInfos(set, NOW)), abi.encode(infos()));
    }

    function test_otherSetsAndTimes_haveNoTable() public {
        give(NOW, table());
        OperatorSet memory other = OperatorSet(set.avs, set.id + 1);
        assertEq(receiver.latestReferenceTimestamp(other), 0);
        assertEq(receiver.maxOperatorTableStaleness(other), 0);
        assertEq(receiver.getOperatorInfos(other, NOW).length, 0);
        assertEq(receiver.getOperatorInfos(set, NOW - 1).length, 0);
        assertFalse(receiver.isRootValidByTimestamp(NOW - 1));
        assertEq(receiver.getOperatorSetInfo(set, NOW).numOperators, 0);
    }

    function test_foreignSender_isRefused(address caller) public {
        vm.assume(caller != aliased);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IOrbitTableReceiver.OnlyTableSender.selector, caller));
        receiver.receiveTable(NOW, 55, table());
    }

    function test_senderItself_isNotItsAlias() public {
        vm.prank(SENDER);
        vm.expectRevert(abi.encodeWithSelector(IOrbitTableReceiver.OnlyTableSender.selector, SENDER));
        receiver.receiveTable(NOW, 55, table());
    }

    function test_replayedOrOlderTable_isRefused(uint32 age) public {
        age = uint32(bound(age, 0, STALENESS));
        give(NOW, table());
        expectRefused(NOW - age, table(), abi.encodeWithSelector(IOrbitTableReceiver.TableNotNewer.selector, NOW - age, NOW));
        vm.warp(NOW + 1);
        give(NOW + 1, table());
        assertEq(receiver.latestReferenceTimestamp(set), NOW + 1);
    }

    function test_futureTable_isRefused() public {
        expectRefused(NOW + 1, table(), abi.encodeWithSelector(IOrbitTableReceiver.TableFromFuture.selector, NOW + 1));
    }

    function test_staleTable_isRefusedFromTheSecondAfterItsLast() public {
        uint32 old = NOW - STALENESS - 1;
        expectRefused(old, table(), abi.encodeWithSelector(IOrbitTableReceiver.TableStale.selector, old));
        give(NOW - STALENESS, table());
    }

    function test_tableOfAnotherSetCurveOrWithoutStaleness_isRefused() public {
        bytes memory info = abi.encode(infos());
        OperatorSetConfig memory config = OperatorSetConfig(set.avs, STALENESS);
        expectRefused(
            NOW,
            abi.encode(OperatorSet(set.avs, 4), CurveType.ECDSA, config, info),
            abi.encodeWithSelector(IOrbitTableReceiver.OtherOperatorSet.selector, set.avs, 4)
        );
        expectRefused(
            NOW,
            abi.encode(set, CurveType.BN254, config, info),
            abi.encodeWithSelector(IOrbitTableReceiver.OtherCurve.selector, uint8(CurveType.BN254))
        );
        expectRefused(
            NOW,
            abi.encode(set, CurveType.ECDSA, OperatorSetConfig(set.avs, 0), info),
            abi.encodeWithSelector(IOrbitTableReceiver.StalenessUnlimited.selector)
        );
    }

    function test_malformedBytes_areRefusedAndStoreNothing(uint16 length) public {
        bytes memory whole = table();
        length = uint16(bound(length, 0, whole.length - 1));
        bytes memory cut = new bytes(length);
        for (uint256 i; i < length; ++i) {
            cut[i] = whole[i];
        }
        vm.prank(aliased);
        vm.expectRevert();
        receiver.receiveTable(NOW, 55, cut);
        bytes memory badInfo = abi.encode(set, CurveType.ECDSA, OperatorSetConfig(set.avs, STALENESS), hex"20");
        vm.prank(aliased);
        vm.expectRevert();
        receiver.receiveTable(NOW, 55, badInfo);
        assertEq(receiver.latestReferenceTimestamp(set), 0);
    }

    function test_weightsThatAreNotOneOf96Bits_areRefused() public {
        ECDSAOperatorInfo[] memory list = infos();
        list[1].weights = new uint256[](2);
        OperatorSetConfig memory config = OperatorSetConfig(set.avs, STALENESS);
        bytes memory reason = abi.encodeWithSelector(IOrbitTableReceiver.WeightInvalid.selector, 1);
        expectRefused(NOW, abi.encode(set, CurveType.ECDSA, config, abi.encode(list)), reason);
        list[1].weights = new uint256[](1);
        list[1].weights[0] = uint256(type(uint96).max) + 1;
        expectRefused(NOW, abi.encode(set, CurveType.ECDSA, config, abi.encode(list)), reason);
        list[1].weights[0] = type(uint96).max;
        give(NOW, abi.encode(set, CurveType.ECDSA, config, abi.encode(list)));
        assertEq(abi.encode(receiver.getOperatorInfos(set, NOW)), abi.encode(list));
    }

    function test_bn254Commitment_isStored() public {
        OrbitTableReceiver bn254 = new OrbitTableReceiver(SENDER, set, CurveType.BN254);
        uint256[] memory weights = new uint256[](1);
        weights[0] = 9;
        BN254OperatorSetInfo memory info = BN254OperatorSetInfo(keccak256("root"), 4, G1Point(1, 2), weights);
        vm.prank(aliased);
        bn254.receiveTable(NOW, 55, abi.encode(set, CurveType.BN254, OperatorSetConfig(set.avs, STALENESS), abi.encode(info)));
        assertEq(abi.encode(bn254.getOperatorSetInfo(set, NOW)), abi.encode(info));
        assertEq(bn254.getOperatorInfos(set, NOW).length, 0);
    }

    function test_quorumVerifier_takesTheTableFromHere() public {
        TableEcdsaQuorum quorum = new TableEcdsaQuorum(receiver, receiver, set);
        vm.expectRevert(IQuorumVerifier.NoTable.selector);
        quorum.takeTable("");
        give(NOW, table());
        (uint32 timestamp, bytes32 tableHash, uint96 total) = quorum.takeTable("");
        assertEq(timestamp, NOW);
        assertEq(total, 14);
        assertEq(tableHash, keccak256(abi.encodePacked(address(0x11), uint96(7), address(0x22), uint96(7))));
    }

    function test_sender_carriesTheTableOfThisBlockAndLeavesNothing(uint96 extra) public {
        InstantInbox inbox = new InstantInbox();
        ICrossChainRegistry registry = ICrossChainRegistry(address(0xCC));
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        OrbitTableReceiver target = new OrbitTableReceiver(predicted, set, CurveType.ECDSA);
        OrbitTableSender sender = new OrbitTableSender(inbox, registry, address(target), set);
        vm.mockCall(address(registry), abi.encodeCall(registry.calculateOperatorTableBytes, (set)), abi.encode(table()));
        vm.fee(5 gwei);
        vm.roll(77);
        uint256 needed = sender.valueFor(2_000_000, 1 gwei, 5 gwei);
        deal(address(this), needed + extra);

        vm.expectRevert(abi.encodeWithSelector(OrbitTableSender.ValueTooLow.selector, needed));
        sender.sendTable{ value: needed - 1 }(2_000_000, 1 gwei, address(0xBEEF));
        vm.expectRevert(OrbitTableSender.RefundMissing.selector);
        sender.sendTable{ value: needed }(2_000_000, 1 gwei, address(0));
        vm.expectEmit(address(sender));
        emit OrbitTableSender.TableSent(NOW, 77, 1);
        assertEq(sender.sendTable{ value: needed + extra }(2_000_000, 1 gwei, address(0xBEEF)), 1);

        assertEq(inbox.received(), needed + extra);
        assertEq(address(sender).balance, 0);
        assertEq(inbox.refundedTo(), address(0xBEEF));
        assertEq(target.latestReferenceTimestamp(set), NOW);
        assertEq(target.getReferenceBlockNumberByTimestamp(NOW), 77);
    }

    /// @dev The worst that a quorum verifier takes.
    function test_gas_receiveTableOf256() public {
        ECDSAOperatorInfo[] memory list = new ECDSAOperatorInfo[](256);
        for (uint256 i; i < list.length; ++i) {
            uint256[] memory weights = new uint256[](1);
            weights[0] = type(uint96).max;
            list[i] = ECDSAOperatorInfo(address(uint160(type(uint160).max - i)), weights);
        }
        give(NOW, abi.encode(set, CurveType.ECDSA, OperatorSetConfig(set.avs, STALENESS), abi.encode(list)));
        vm.snapshotGasLastCall("OrbitTableReceiver", "receiveTable (256 operators)");
    }
}
