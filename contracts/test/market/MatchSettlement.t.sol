// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { IMatchPolicy } from "../../src/market/IMatchPolicy.sol";
import { IMatchSettlement } from "../../src/market/IMatchSettlement.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { MatchBatch, OfferTerms, OrderSpec, OrderState, Policy, SkipReason } from "../../src/market/MarketTypes.sol";
import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { RecordFields } from "../../src/words/RecordWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice Takes any certificate of four operators, but first makes one call of its own.
contract ReenteringQuorum {
    address private _callee;
    bytes private _data;

    function reenter(address callee, bytes calldata data) external {
        (_callee, _data) = (callee, data);
    }

    function signedWeight(uint32, bytes32, bytes calldata) external returns (uint256) {
        bytes memory data = _data;
        delete _data;
        if (data.length != 0) {
            (bool ok,) = _callee.call(data);
            assert(ok);
        }
        return 10_000;
    }
}

contract MatchSettlementTest is MarketBase {
    uint32 private constant NO_ROUND = type(uint32).max;
    uint256 private constant CERTIFICATE_BYTES = 32 + 64 * OPERATORS;

    uint24 private provider;
    uint32 private machine;

    function setUp() public virtual override {
        super.setUp();
        provider = _provider(providerOwner);
        machine = _machine(provider);
    }

    function _settleAs(MatchBatch memory batch, bytes memory records, uint256 signers) private returns (uint256) {
        return settlement.settle(batch, _defaultPolicy(), records, _sign(batch, signers));
    }

    /// Settling `batch`, signed by all, must revert with `reason`.
    function _refuse(MatchBatch memory batch, bytes memory records, bytes memory reason) private {
        bytes memory signatures = _sign(batch, ALL_SIGN);
        vm.expectRevert(reason);
        settlement.settle(batch, _defaultPolicy(), records, signatures);
    }

    /// Settling the records of one round must skip the last of them for `reason`, and bench its machine or not.
    function _skipsLast(uint32 round, bytes memory records, address emitter, SkipReason reason, bool benches) private {
        uint256 last = records.length / 32 - 1;
        uint256 record;
        assembly ("memory-safe") {
            record := mload(add(records, mload(records)))
        }
        MachineWord before = MachineWord.wrap(_machineWord(uint32(record >> 192)));
        bytes32 order = orderRequest.orderWord(uint32(record >> 224));
        vm.expectEmit(emitter);
        emit IOrderRequest.RecordSkipped(uint32(record >> 224), uint32(record >> 192), reason);
        vm.recordLogs();
        assertEq(_settle(round, records), last, "all but the last match");
        (uint256[] memory skipped, uint256[] memory benched) = _bitmaps();
        assertEq(skipped[0], 1 << last);
        assertEq(benched[0], benches ? 1 << last : 0);
        assertEq(orderRequest.orderWord(uint32(record >> 224)), order, "the order keeps its word");
        if (last == 0) {
            uint256 expected = benches ? MachineWord.unwrap(before.withActiveFromRound(uint256(round) + 11)) : MachineWord.unwrap(before);
            assertEq(_machineWord(uint32(record >> 192)), expected, "the machine keeps its capacity");
        }
    }

    function _bitmaps() private returns (uint256[] memory skipped, uint256[] memory benched) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IMatchSettlement.BatchSettled.selector) continue;
            (, skipped, benched) = abi.decode(logs[i].data, (bytes, uint256[], uint256[]));
        }
    }

    function _one() private returns (uint32 round, bytes memory records, MatchBatch memory batch) {
        uint32 order = _order(_spec());
        round = _openNext();
        records = _encode(_record(order, machine, 1));
        batch = _batch(round, records);
    }

    // ---- a round that settles

    function test_settleTurnsTheOrderIntoALease() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        uint256 before = _machineWord(machine);
        bytes32 ordersFacts = orderRequest.factsWord();
        bytes32 registryFacts = providerRegistry.factsWord();
        bytes32 digest = settlement.messageHash(batch);
        uint256[] memory none = new uint256[](1);
        bytes32 word = keccak256(abi.encodePacked(settlement.settlementWord(), digest, keccak256(records), none, none));

        vm.recordLogs();
        assertEq(_settleAs(batch, records, ALL_SIGN), 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one log a batch");
        assertEq(logs[0].emitter, address(settlement));
        assertEq(logs[0].topics[1], bytes32(uint256(round)));
        assertEq(logs[0].topics[2], digest);
        assertEq(logs[0].data, abi.encode(records, none, none));

        uint256 record = uint256(bytes32(records));
        uint256 lease = (block.timestamp << 224) | (record & (((1 << 224) - 1) ^ 0xff)) | (uint256(4) << 53);
        assertEq(orderRequest.orderWord(1), bytes32(lease));
        uint256 need = (uint256(16_384) << 120) | (uint256(4000) << 100) | (uint256(100) << 80) | 1000;
        assertEq(_machineWord(machine), before - need);
        assertEq(settlement.lastSettledRound(), round);
        assertEq(uint256(settlement.settlementWord()), (uint256(word) >> 32 << 32) | round);
        assertEq(orderRequest.factsWord(), ordersFacts, "settlement folds in its own word only");
        assertEq(providerRegistry.factsWord(), registryFacts);
    }

    function test_messageHashIsTheTypedDataOfTheBatch() public {
        (,, MatchBatch memory batch) = _one();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Matchmaker"),
                keccak256("1"),
                block.chainid,
                address(settlement)
            )
        );
        bytes32 typeHash = keccak256(
            "MatchBatch(uint64 round,uint64 snapshotBlock,bytes32 snapshotHash,bytes32 policyHash,bytes32 operatorSetKey,uint32 tableTimestamp,bytes32 tableHash,bytes32 recordsHash,uint32 matchCount)"
        );
        bytes32 structHash = keccak256(
            bytes.concat(
                abi.encode(typeHash, batch.round, batch.snapshotBlock, batch.snapshotHash, batch.policyHash, batch.operatorSetKey),
                abi.encode(batch.tableTimestamp, batch.tableHash, batch.recordsHash, batch.matchCount)
            )
        );
        assertEq(settlement.messageHash(batch), keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function test_anybodySettles() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes memory signatures = _sign(batch, ALL_SIGN);
        vm.prank(makeAddr("stranger"));
        assertEq(settlement.settle(batch, _defaultPolicy(), records, signatures), 1);
    }

    function test_ordersOfOneRoundShareAMachine() public {
        bytes memory records;
        OrderSpec memory spec = _spec();
        spec.milliGpu = 300;
        uint32[4] memory ids;
        for (uint256 i; i < 4; ++i) {
            ids[i] = _order(spec);
        }
        uint32 round = _openNext();
        for (uint256 i; i < 4; ++i) {
            // Three shares fill the first device to 900, the fourth goes to the second.
            records = bytes.concat(records, _encode(_record(ids[i], machine, i < 3 ? 1 : 2)));
        }
        assertEq(_settle(round, records), 4);
        assertEq(_machineWord(machine) & 0xfffff, 100 | (uint256(700) << 10));
    }

    function test_tickDoesNothing() public {
        vm.recordLogs();
        settlement.tick();
        assertEq(vm.getRecordedLogs().length, 0);
    }

    // ---- form of the records

    function test_recordsMustBeWholeWords() public {
        (uint32 round, bytes memory records,) = _one();
        records = bytes.concat(records, hex"00");
        _refuse(_batch(round, records), records, abi.encodeWithSelector(IMatchSettlement.RecordsMalformed.selector, "length"));
    }

    function test_matchCountMustBeTheNumberOfRecords() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes memory reason = abi.encodeWithSelector(IMatchSettlement.RecordsMalformed.selector, "matchCount");
        batch.matchCount = 2;
        _refuse(batch, records, reason);
        batch.matchCount = 0;
        batch.recordsHash = keccak256("");
        _refuse(batch, "", reason);
    }

    function test_moreThanMaxMatchesIsRefused() public {
        (uint32 round,,) = _one();
        bytes memory records;
        for (uint32 i; i < 513; ++i) {
            records = bytes.concat(records, bytes32(uint256(i + 1) << 224));
        }
        _refuse(_batch(round, records), records, abi.encodeWithSelector(IMatchSettlement.RecordsMalformed.selector, "matchCount"));
    }

    function test_orderIdsMustAscendStrictly() public {
        uint32 first = _order(_spec());
        uint32 second = _order(_spec());
        uint32 round = _openNext();
        bytes memory a = _encode(_record(first, machine, 1));
        bytes memory b = _encode(_record(second, machine, 2));
        bytes memory reason = abi.encodeWithSelector(IMatchSettlement.RecordsMalformed.selector, "orderId");
        bytes memory records = bytes.concat(b, a);
        _refuse(_batch(round, records), records, reason);
        records = bytes.concat(a, a);
        _refuse(_batch(round, records), records, reason);
        records = abi.encodePacked(uint256(bytes32(a)) & type(uint224).max);
        _refuse(_batch(round, records), records, reason);
    }

    function testFuzz_spareFlagsMustBeZero(uint256 bit) public {
        (uint32 round, bytes memory records,) = _one();
        bit = bound(bit, 51, 55);
        records = abi.encodePacked(uint256(bytes32(records)) | (1 << bit));
        _refuse(_batch(round, records), records, abi.encodeWithSelector(IMatchSettlement.RecordsMalformed.selector, "flags"));
    }

    function test_offerIndexAndBidIndexExcludeEachOther() public {
        (uint32 round, bytes memory records,) = _one();
        bytes memory reason = abi.encodeWithSelector(IMatchSettlement.RecordsMalformed.selector, "bidIndex");
        bytes memory bad = abi.encodePacked(uint256(bytes32(records)) | 1);
        _refuse(_batch(round, bad), bad, reason);
        bad = abi.encodePacked(uint256(bytes32(records)) | (5 << 48));
        _refuse(_batch(round, bad), bad, reason);
    }

    function test_recordsMustHashToWhatWasSigned() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        batch.recordsHash = keccak256("other");
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RecordsHashMismatch.selector));
    }

    // ---- round, snapshot, policy, operator set

    function test_aBatchSettlesOnce() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        _settleAs(batch, records, ALL_SIGN);
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, round, round));
    }

    function test_aRoundSettlesOnceWhateverTheBatch() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        uint32 second = _order(_spec());
        _settleAs(batch, records, ALL_SIGN);
        records = _encode(_record(second, machine, 2));
        _refuse(_batch(round, records), records, abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, round, round));
    }

    function test_roundZeroDoesNotExist() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        batch.round = 0;
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, 0, 0));
    }

    function test_aRoundBeyond32BitsIsRefused() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        batch.round = (1 << 32) + round;
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RoundNotOpen.selector, batch.round, block.number));
    }

    function test_theWindowIsOpenFromTheBlockAfterTheSnapshotToTheNextSnapshot() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        uint256 state = vm.snapshotState();
        _enterRound(round, ROUND_LENGTH);
        assertEq(_settleAs(batch, records, ALL_SIGN), 1, "B(r+1) is the last block");
        vm.revertToState(state);
        _enterRound(round, ROUND_LENGTH + 1);
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RoundNotOpen.selector, round, block.number));
        vm.revertToState(state);
        vm.roll(batch.snapshotBlock);
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RoundNotOpen.selector, round, block.number));
        vm.revertToState(state);
        batch.round = round + 1;
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.RoundNotOpen.selector, round + 1, block.number));
    }

    function test_theSnapshotBlockMustBeTheRounds() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        uint64 expected = batch.snapshotBlock;
        batch.snapshotBlock = expected - 1;
        batch.snapshotHash = blockhash(expected - 1);
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.SnapshotBlockMismatch.selector, expected - 1, expected));
    }

    function test_theSnapshotHashMustBeCanonical() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes32 canonical = batch.snapshotHash;
        batch.snapshotHash = keccak256("fork");
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.SnapshotHashMismatch.selector, batch.snapshotHash, canonical));
    }

    function test_aHashTheChainHasForgottenNeverPasses() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        vm.setBlockhash(batch.snapshotBlock, 0);
        batch.snapshotHash = 0;
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.SnapshotHashMismatch.selector, bytes32(0), bytes32(0)));
    }

    function test_thePolicyMustBeTheRounds() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes32 expected = batch.policyHash;
        Policy memory other = _defaultPolicy();
        other.quorumBps = 5001;
        bytes memory signatures = _sign(batch, ALL_SIGN);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.PolicyMismatch.selector, PolicyHash.ofMemory(other), expected));
        settlement.settle(batch, other, records, signatures);
        batch.policyHash = PolicyHash.ofMemory(other);
        signatures = _sign(batch, ALL_SIGN);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.PolicyMismatch.selector, batch.policyHash, expected));
        settlement.settle(batch, other, records, signatures);
    }

    function test_eachRoundIsSettledUnderThePolicyOfItsPeriod() public {
        Policy memory next = _defaultPolicy();
        next.quorumBps = 9999;
        _enterRound(2, 1);
        uint32 fromRound = matchPolicy.fromRoundNow() + 2;
        matchPolicy.schedule(fromRound, uint16(ROUND_LENGTH) * 2, next, noPacking());
        uint32 first = _order(_spec());
        uint32 second = _order(_spec());
        uint32 last = fromRound - 1;
        _enterRound(last, 1);
        bytes memory records = _encode(_record(first, machine, 1));
        MatchBatch memory batch = _batch(last, records);
        bytes memory signatures = _sign(batch, 0x7);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.PolicyMismatch.selector, PolicyHash.ofMemory(next), batch.policyHash));
        settlement.settle(batch, next, records, signatures);
        assertEq(settlement.settle(batch, _defaultPolicy(), records, signatures), 1);

        _enterRound(fromRound, 2 * ROUND_LENGTH);
        records = _encode(_record(second, machine, 2));
        batch = _batch(fromRound, records);
        signatures = _sign(batch, 0x7);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.QuorumNotReached.selector, 8000, 10_000));
        settlement.settle(batch, next, records, signatures);
        signatures = _sign(batch, ALL_SIGN);
        assertEq(settlement.settle(batch, next, records, signatures), 1);
    }

    function test_aRoundOfAForgottenPeriodIsClosed() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        for (uint256 i; i < 2; ++i) {
            uint32 fromRound = matchPolicy.fromRoundNow() + 2;
            matchPolicy.schedule(fromRound, uint16(ROUND_LENGTH), _defaultPolicy(), noPacking());
            _enterRound(fromRound, 1);
        }
        _refuse(batch, records, abi.encodeWithSelector(IMatchPolicy.RoundClosed.selector, round));
    }

    function test_theOperatorSetMustBeOurs() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        assertEq(batch.operatorSetKey, bytes32(abi.encodePacked(operatorSet.avs, uint96(operatorSet.id))));
        batch.operatorSetKey = bytes32(uint256(1));
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.OperatorSetMismatch.selector));
    }

    // ---- tables

    function test_recordTableStoresHashTotalAndFirstRound() public {
        uint32 firstTimestamp = uint32(block.timestamp);
        bytes memory entries;
        for (uint256 i; i < OPERATORS; ++i) {
            entries = abi.encodePacked(entries, vm.addr(operatorKeys[i]), uint96(_weights()[i]));
        }
        (uint32 timestamp, bytes32 tableHash, uint96 total) = settlement.tableOf(1);
        assertEq(timestamp, firstTimestamp);
        assertEq(tableHash, keccak256(entries));
        assertEq(total, 10_000);
        assertEq(
            uint256(vm.load(address(settlement), bytes32(Slots.TABLE_NEWEST))),
            (uint256(1) << 224) | (uint256(firstTimestamp) << 192) | 10_000
        );
        (timestamp, tableHash,) = settlement.tableOf(0);
        assertEq(timestamp, 0);
        assertEq(tableHash, 0);
    }

    function test_recordTableRefusesWhatIsNotNewer() public {
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.TableNotNewer.selector, block.timestamp));
        settlement.recordTable("");
    }

    function test_recordTableRefusesWeightsOver96Bits() public {
        uint256[] memory weights = _weights();
        weights[0] = 1 << 96;
        _setTable(weights, uint32(block.timestamp) + 1, MAX_TABLE_STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.WeightTooLarge.selector, 1 << 96));
        settlement.recordTable("");
        weights[0] = type(uint96).max;
        _setTable(weights, uint32(block.timestamp) + 2, MAX_TABLE_STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.WeightTooLarge.selector, uint256(type(uint96).max) + 7000));
        settlement.recordTable("");
    }

    function test_recordTableRefusesATableWithoutStalenessLimit() public {
        _setTable(_weights(), uint32(block.timestamp) + 1, 0);
        vm.expectRevert(IQuorumVerifier.StalenessUnlimited.selector);
        settlement.recordTable("");
    }

    function test_anEmptyTableIsRecordedAndLetsNothingSettle() public {
        uint32 order = _order(_spec());
        _setTable(new uint256[](0), uint32(block.timestamp) + 1, MAX_TABLE_STALENESS);
        settlement.recordTable("");
        uint32 round = _openNext();
        bytes memory records = _encode(_record(order, machine, 1));
        _refuse(_batch(round, records), records, abi.encodeWithSelector(IMatchSettlement.TotalStakeTooLow.selector, 0, 100));
    }

    function test_aTableRecordedInTheSpanCountsFromTheNextRound() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        uint256[] memory weights = _weights();
        weights[3] = 1;
        uint32 oldTimestamp = batch.tableTimestamp;
        uint32 newTimestamp = uint32(block.timestamp);
        _setTable(weights, newTimestamp, MAX_TABLE_STALENESS);
        settlement.recordTable("");
        (uint32 timestamp,,) = settlement.tableOf(round);
        assertEq(timestamp, oldTimestamp);
        (timestamp,,) = settlement.tableOf(round + 1);
        assertEq(timestamp, newTimestamp);

        // A second one in the same span replaces the newest and leaves the open round its own.
        _rollTo(block.number + 1);
        weights[3] = 2;
        _setTable(weights, newTimestamp + 1, MAX_TABLE_STALENESS);
        settlement.recordTable("");
        (timestamp,,) = settlement.tableOf(round);
        assertEq(timestamp, oldTimestamp);
        (timestamp,,) = settlement.tableOf(round + 1);
        assertEq(timestamp, newTimestamp + 1);

        MatchBatch memory early = _batch(round + 1, records);
        batch.tableTimestamp = early.tableTimestamp;
        batch.tableHash = early.tableHash;
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.TableMismatch.selector, early.tableTimestamp, early.tableHash));
        batch = _batch(round, records);
        assertEq(batch.tableTimestamp, oldTimestamp);
        assertEq(_settleAs(batch, records, ALL_SIGN), 1, "the open round keeps its table");

        uint32 next = _order(_spec());
        _enterRound(round + 2, 1);
        records = _encode(_record(next, machine, 2));
        batch = _batch(round + 2, records);
        assertEq(batch.tableTimestamp, newTimestamp + 1);
        assertEq(_settleAs(batch, records, ALL_SIGN), 1);
    }

    function test_aTableRecordedInTheSnapshotBlockCountsForItsRound() public {
        _enterRound(3, 0);
        _setTable(_weights(), uint32(block.timestamp), MAX_TABLE_STALENESS);
        settlement.recordTable("");
        (uint32 timestamp,,) = settlement.tableOf(3);
        assertEq(timestamp, block.timestamp);
        (timestamp,,) = settlement.tableOf(2);
        assertLt(timestamp, block.timestamp);
    }

    function test_theTableMustBeTheRounds() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        batch.tableHash = keccak256("other");
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.TableMismatch.selector, batch.tableTimestamp, batch.tableHash));
        batch = _batch(uint32(batch.round), records);
        batch.tableTimestamp += 1;
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.TableMismatch.selector, batch.tableTimestamp, batch.tableHash));
    }

    function test_theTableMayBeAsOldAsThePolicySays() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        vm.warp(batch.tableTimestamp + 7 days + 1);
        _refuse(batch, records, abi.encodeWithSelector(IMatchSettlement.TableTooOld.selector, batch.tableTimestamp));
        vm.warp(batch.tableTimestamp + 7 days);
        assertEq(_settleAs(batch, records, ALL_SIGN), 1);
    }

    function test_theTablesOwnLimitHoldsToo() public {
        uint32 order = _order(_spec());
        _setTable(_weights(), uint32(block.timestamp) + 1, 1 hours);
        settlement.recordTable("");
        uint32 round = _openNext();
        bytes memory records = _encode(_record(order, machine, 1));
        MatchBatch memory batch = _batch(round, records);
        vm.warp(batch.tableTimestamp + 1 hours + 1);
        _refuse(batch, records, abi.encodeWithSelector(IQuorumVerifier.TableExpired.selector, batch.tableTimestamp));
        vm.warp(batch.tableTimestamp + 1 hours);
        assertEq(_settleAs(batch, records, ALL_SIGN), 1);
    }

    function test_aDisabledRootStopsItsTable() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        tableUpdater.disableRoot(batch.tableTimestamp);
        _refuse(batch, records, abi.encodeWithSelector(IQuorumVerifier.TableWithdrawn.selector, batch.tableTimestamp));
    }

    /// A verifier that counts more than the table's entries weigh is not to be trusted with either figure.
    function test_aVerifierThatContradictsItsTableIsRefused() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes memory certificate = _sign(batch, ALL_SIGN);
        vm.mockCall(address(quorum), abi.encodeWithSelector(IQuorumVerifier.signedWeight.selector), abi.encode(10_001));
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.TableMismatch.selector, batch.tableTimestamp, batch.tableHash));
        settlement.settle(batch, _defaultPolicy(), records, certificate);
        vm.mockCall(address(quorum), abi.encodeWithSelector(IQuorumVerifier.signedWeight.selector), abi.encode(10_000));
        assertEq(settlement.settle(batch, _defaultPolicy(), records, certificate), 1);
    }

    /// A verifier that calls on while it verifies cannot have a round settled twice.
    function test_aRoundSettlesOnceWhateverItsVerifierDoes() public {
        (uint32 round, bytes memory records, MatchBatch memory batch) = _one();
        bytes memory certificate = _sign(batch, ALL_SIGN);
        vm.etch(address(quorum), address(new ReenteringQuorum()).code);
        ReenteringQuorum(address(quorum))
            .reenter(address(settlement), abi.encodeCall(IMatchSettlement.settle, (batch, _defaultPolicy(), records, certificate)));
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.RoundAlreadySettled.selector, round, round));
        settlement.settle(batch, _defaultPolicy(), records, certificate);
        ReenteringQuorum(address(quorum)).reenter(address(settlement), abi.encodeCall(IMatchSettlement.tick, ()));
        assertEq(settlement.settle(batch, _defaultPolicy(), records, certificate), 1);
    }

    function test_theTotalMustReachThePolicysMinimum() public {
        uint32 order = _order(_spec());
        uint256[] memory weights = new uint256[](1);
        weights[0] = 99;
        _setTable(weights, uint32(block.timestamp) + 1, MAX_TABLE_STALENESS);
        settlement.recordTable("");
        uint32 round = _openNext();
        bytes memory records = _encode(_record(order, machine, 1));
        MatchBatch memory batch = _batch(round, records);
        bytes memory signatures = _sign(batch, 1);
        vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.TotalStakeTooLow.selector, 99, 100));
        settlement.settle(batch, _defaultPolicy(), records, signatures);
    }

    function test_theMinimumItselfIsEnough() public {
        uint32 order = _order(_spec());
        uint256[] memory weights = new uint256[](1);
        weights[0] = 100;
        _setTable(weights, uint32(block.timestamp) + 1, MAX_TABLE_STALENESS);
        settlement.recordTable("");
        uint32 round = _openNext();
        bytes memory records = _encode(_record(order, machine, 1));
        MatchBatch memory batch = _batch(round, records);
        assertEq(_settleAs(batch, records, 1), 1);
    }

    // ---- the quorum

    function test_twoThirdsIsNotEnoughAndOneOperatorMayFail() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        uint256 state = vm.snapshotState();
        for (uint256 signers = 1; signers <= ALL_SIGN; ++signers) {
            uint256 signed;
            for (uint256 i; i < OPERATORS; ++i) {
                if ((signers >> i) & 1 != 0) signed += _weights()[i];
            }
            bytes memory signatures = _sign(batch, signers);
            if (signed * 10_000 <= 10_000 * 6667) {
                vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.QuorumNotReached.selector, signed, 10_000));
            }
            settlement.settle(batch, _defaultPolicy(), records, signatures);
            vm.revertToState(state);
        }
    }

    /// Settles exactly when signed x 10000 > total x bps, for any weights.
    function testFuzz_theThresholdIsExact(uint96[4] memory raw, uint256 signers, uint256 nudge) public {
        uint32 order = _order(_spec());
        signers = bound(signers, 1, ALL_SIGN - 1);
        uint256[] memory weights = new uint256[](OPERATORS);
        uint256 signed;
        uint256 other;
        for (uint256 i; i < OPERATORS; ++i) {
            weights[i] = bound(raw[i], 100, type(uint96).max / 16);
            if ((signers >> i) & 1 != 0) signed += weights[i];
        }
        // The others get about what puts the signers on the threshold, one unit more or less.
        uint256 absent = OPERATORS;
        for (uint256 i; i < OPERATORS; ++i) {
            if ((signers >> i) & 1 != 0) continue;
            weights[i] = 0;
            absent = i;
        }
        other = signed * 3333 / 6667;
        weights[absent] = other + bound(nudge, 0, 2);
        _setTable(weights, uint32(block.timestamp) + 1, MAX_TABLE_STALENESS);
        settlement.recordTable("");
        uint32 round = _openNext();
        bytes memory records = _encode(_record(order, machine, 1));
        MatchBatch memory batch = _batch(round, records);
        bytes memory signatures = _sign(batch, signers);
        uint256 total = signed + weights[absent];
        bool reached = signed * 10_000 > total * 6667;
        if (!reached) vm.expectRevert(abi.encodeWithSelector(IMatchSettlement.QuorumNotReached.selector, signed, total));
        settlement.settle(batch, _defaultPolicy(), records, signatures);
        assertEq(settlement.lastSettledRound(), reached ? round : 0);
    }

    function test_aSignatureThatCountsTwiceReverts() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes memory one = _sign(batch, 1);
        bytes memory signature = _slice(one, 32, 64);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.CertificateMalformed.selector, "length"));
        settlement.settle(batch, _defaultPolicy(), records, bytes.concat(one, signature));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.CertificateMalformed.selector, "signature"));
        settlement.settle(batch, _defaultPolicy(), records, bytes.concat(bytes32(uint256(3)), signature, signature));
    }

    function test_aKeyOutsideTheTableReverts() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        bytes32 digest = quorum.certificateDigest(batch.tableTimestamp, settlement.messageHash(batch));
        (bytes32 r, bytes32 vs) = vm.signCompact(uint256(keccak256("stranger")), digest);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.CertificateMalformed.selector, "signature"));
        settlement.settle(batch, _defaultPolicy(), records, abi.encodePacked(uint256(1), r, vs));
    }

    function test_noSignaturesRevert() public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.CertificateMalformed.selector, "length"));
        settlement.settle(batch, _defaultPolicy(), records, "");
    }

    /// One changed byte anywhere in what is submitted and nothing settles.
    function testFuzz_tamperingReverts(uint256 position, uint8 flip) public {
        (, bytes memory records, MatchBatch memory batch) = _one();
        flip = uint8(bound(flip, 1, 255));
        bytes memory signatures = _sign(batch, ALL_SIGN);
        bytes memory submitted = bytes.concat(abi.encode(batch), records, signatures);
        position = bound(position, 0, submitted.length - 1);
        submitted[position] ^= bytes1(flip);
        (bool ok,) = address(settlement).call(_settleCall(submitted));
        assertFalse(ok, "a tampered batch must revert");
        assertEq(settlement.lastSettledRound(), 0);
        // The same bytes without the change settle, so it was the change that failed.
        submitted[position] ^= bytes1(flip);
        (ok,) = address(settlement).call(_settleCall(submitted));
        assertTrue(ok);
        assertEq(settlement.lastSettledRound(), batch.round);
    }

    /// Calldata of `settle` around an encoded batch, one record and a certificate of four.
    function _settleCall(bytes memory submitted) private view returns (bytes memory call) {
        call = bytes.concat(
            settlement.settle.selector,
            _slice(submitted, 0, 9 * 32),
            abi.encode(_defaultPolicy()),
            // Where records and certificate begin, counted from the end of the selector.
            abi.encode(uint256(31 * 32), uint256(33 * 32))
        );
        call = bytes.concat(call, abi.encode(uint256(32)), _slice(submitted, 9 * 32, 32));
        call = bytes.concat(call, abi.encode(CERTIFICATE_BYTES), _slice(submitted, 10 * 32, CERTIFICATE_BYTES));
    }

    function _slice(bytes memory data, uint256 from, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i; i < length; ++i) {
            part[i] = data[from + i];
        }
    }

    // ---- records that no longer hold: machines

    function test_skipsAMachineThatNeverExisted() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        fields.machineId = 99;
        _skipsLast(round, _encode(fields), address(providerRegistry), SkipReason.MachineUnknown, false);
    }

    function test_skipsAndBenchesAMachineThatIsInactive() public {
        uint32 order = _order(_spec());
        vm.prank(providerOwner);
        providerRegistry.deactivateMachine(machine);
        uint32 round = _openNext();
        _skipsLast(round, _encode(_record(order, machine, 1)), address(providerRegistry), SkipReason.MachineInactive, true);
    }

    function test_skipsAnotherProvidersId() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        fields.providerId += 1;
        _skipsLast(round, _encode(fields), address(providerRegistry), SkipReason.ProviderMismatch, false);
    }

    function test_skipsADeviceMaskThatDoesNotFitTheMilliGpu() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        _skipsLast(round, _encode(_record(order, machine, 3)), address(providerRegistry), SkipReason.DeviceMask, false);
    }

    function test_skipsAndBenchesAMachineWithoutTheCapacity() public {
        uint32 first = _order(_spec());
        uint32 second = _order(_spec());
        uint32 third = _order(_spec());
        uint32 round = _openNext();
        uint32 fourth = _order(_spec());
        bytes memory records = bytes.concat(_encode(_record(first, machine, 1)), _encode(_record(second, machine, 1)));
        uint32 other = machine;
        vm.recordLogs();
        // The second takes the same device; the third meets the bench, the machine sits out from its failure on.
        records = bytes.concat(records, _encode(_record(third, other, 2)));
        assertEq(_settle(round, records), 1);
        (uint256[] memory skipped, uint256[] memory benched) = _bitmaps();
        assertEq(skipped[0], 6);
        assertEq(benched[0], 6);
        assertEq(MachineWord.wrap(_machineWord(machine)).activeFromRound(), round + 11);
        assertEq(_state(first), uint256(OrderState.Matched));
        assertEq(_state(third), uint256(OrderState.Open));

        // It plays again in the first round after the cool-down, and not in the last of it.
        _enterRound(round + 10, 1);
        _skipsLast(round + 10, _encode(_record(third, machine, 2)), address(providerRegistry), SkipReason.MachineInactive, true);
        assertEq(MachineWord.wrap(_machineWord(machine)).activeFromRound(), round + 21);
        _enterRound(round + 21, 1);
        assertEq(_settle(round + 21, _encode(_record(fourth, machine, 2))), 1);
    }

    function test_skipsAndBenchesAMissingOffer() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        fields.offerIndex = 2;
        _skipsLast(round, _encode(fields), address(providerRegistry), SkipReason.OfferMissing, true);
    }

    function testFuzz_skipsAnyOtherPrice(uint40 price) public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        vm.assume(price != fields.priceMicroPerHour);
        fields.priceMicroPerHour = price;
        _skipsLast(round, _encode(fields), address(providerRegistry), SkipReason.OfferPrice, false);
    }

    function test_anOfferChangedAfterTheSnapshotKeepsTheRoundsPrice() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        OfferTerms memory terms = _offer();
        terms.gpuMicroPerHour *= 2;
        vm.startPrank(providerOwner);
        providerRegistry.setOffer(machine, 0, terms);
        providerRegistry.deactivateMachine(machine);
        vm.stopPrank();
        assertEq(_settle(round, _encode(fields)), 1, "nothing a provider does after B(r) undoes a match");
    }

    // ---- records that no longer hold: orders

    function test_skipsAnOrderThatNeverExistedAndGivesBack() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        fields.orderId = 99;
        _skipsLast(round, _encode(fields), address(orderRequest), SkipReason.OrderNotOpen, false);
    }

    function test_skipsAnOrderThatIsMatched() public {
        (uint32 round, bytes memory records,) = _one();
        _settle(round, records);
        _enterRound(round + 1, 1);
        _skipsLast(round + 1, _encode(_record(1, machine, 2)), address(orderRequest), SkipReason.OrderNotOpen, false);
    }

    function testFuzz_skipsOtherResourcesThanTheOrders(uint256 bit) public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        // Any one bit of cpu, memory or storage that the machine could still serve.
        bit = bound(bit, 0, 2);
        RecordFields memory fields = _record(order, machine, 1);
        if (bit == 0) fields.cpuMilli ^= 1;
        else if (bit == 1) fields.memoryMib ^= 1;
        else fields.storageGib ^= 1;
        fields.priceMicroPerHour = _offerPrice(fields);
        _skipsLast(round, _encode(fields), address(orderRequest), SkipReason.OrderTerms, false);
    }

    function test_skipsAnotherTokenThanTheOrders() public {
        uint16 eur = tokenRegistry.approveToken(address(stakeToken), 0);
        OfferTerms memory terms = _offer();
        terms.tokenId = eur;
        vm.prank(providerOwner);
        providerRegistry.setOffer(machine, 1, terms);
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        RecordFields memory fields = _record(order, machine, 1);
        fields.offerIndex = 1;
        fields.tokenId = eur;
        _skipsLast(round, _encode(fields), address(orderRequest), SkipReason.OrderTerms, false);
    }

    function test_skipsAnOrderOfALaterSnapshot() public {
        uint32 order = _order(_spec());
        uint32 round = matchPolicy.fromRoundNow();
        _enterRound(round, 0);
        order = _order(_spec());
        _enterRound(round, 1);
        _skipsLast(round, _encode(_record(order, machine, 1)), address(orderRequest), SkipReason.OrderNotEligible, false);
    }

    function test_takesAnOrderThatIsEligibleFromTheSnapshotBlock() public {
        uint32 round = matchPolicy.fromRoundNow();
        _rollTo(uint256(matchPolicy.snapshotBlock(round)) - BID_WINDOW);
        uint32 order = _order(_spec());
        _enterRound(round, 1);
        assertEq(_settle(round, _encode(_record(order, machine, 1))), 1);
    }

    function test_skipsAnOrderThatEndedBeforeTheRoundAndTakesOneThatEndedInIt() public {
        uint32 first = _order(_spec());
        uint32 second = _order(_spec());
        uint32 round = _openNext();
        vm.prank(tenant);
        orderRequest.cancel(first);
        assertEq(_settle(round, _encode(_record(first, machine, 1))), 1, "a cancel counts from the next round");
        vm.prank(tenant);
        orderRequest.cancel(second);
        _enterRound(round + 1, 1);
        _skipsLast(round + 1, _encode(_record(second, machine, 2)), address(orderRequest), SkipReason.OrderNotEligible, false);
    }

    function test_skipsAPriceAboveTheTenantsMaximum() public {
        OrderSpec memory spec = _spec();
        spec.maxPriceMicroPerHour = 1_056_975;
        uint32 order = _order(spec);
        uint32 round = _openNext();
        _skipsLast(round, _encode(_record(order, machine, 1)), address(orderRequest), SkipReason.OrderMaxPrice, false);
    }

    function test_whatAnOrderRefusesGoesBackToItsMachine() public {
        uint32 first = _order(_spec());
        uint32 second = _order(_spec());
        uint32 third = _order(_spec());
        vm.prank(tenant);
        orderRequest.cancel(second);
        uint32 round = _openNext();
        uint256 before = _machineWord(machine);
        bytes memory records =
            bytes.concat(_encode(_record(first, machine, 1)), _encode(_record(second, machine, 2)), _encode(_record(third, machine, 4)));
        vm.recordLogs();
        assertEq(_settle(round, records), 2);
        (uint256[] memory skipped, uint256[] memory benched) = _bitmaps();
        assertEq(skipped[0], 2);
        assertEq(benched[0], 0);
        uint256 need = (uint256(16_384) << 120) | (uint256(4000) << 100) | (uint256(100) << 80);
        assertEq(_machineWord(machine), before - 2 * need - 1000 - (uint256(1000) << 20));
    }

    // ---- bids

    /// Writes a bid and the order's count as the bid contract does.
    function _bid(uint32 order, uint8 index, uint32 untilRound, uint40 price) private {
        BidWord bid = BidWordLib.encode(untilRound, machine, price, 0, provider);
        vm.store(address(orderRequest), bytes32(Slots.bid(order, index)), bytes32(BidWord.unwrap(bid)));
        uint256 word = uint256(orderRequest.orderWord(order)) & ~(uint256(0xff) << 144);
        vm.store(address(orderRequest), bytes32(Slots.order(order)), bytes32(word | (uint256(index + 1) << 144)));
    }

    function _bidRecord(uint32 order, uint8 index, uint40 price) private view returns (RecordFields memory fields) {
        fields = _record(order, machine, 1);
        fields.fromBid = true;
        fields.bidIndex = index;
        fields.priceMicroPerHour = price;
    }

    function test_takesThePriceOfABid() public {
        uint32 order = _order(_spec());
        _bid(order, 3, NO_ROUND, 900_000);
        uint32 round = _openNext();
        assertEq(_settle(round, _encode(_bidRecord(order, 3, 900_000))), 1);
        assertEq(computeLease.getLease(order).priceMicroPerHour, 900_000);
        uint256 lease = uint256(orderRequest.orderWord(order));
        assertEq(uint8(lease >> 48), (4 << 5) | 4, "state and the flag of the bid");
        assertEq(uint8(lease), 0, "the bid's index is not kept");
    }

    function test_skipsABidThatWasNeverPlaced() public {
        uint32 order = _order(_spec());
        _bid(order, 3, NO_ROUND, 900_000);
        uint32 round = _openNext();
        _skipsLast(round, _encode(_bidRecord(order, 4, 900_000)), address(orderRequest), SkipReason.BidMissing, false);
    }

    function test_skipsABidWithdrawnBeforeTheRound() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        _bid(order, 0, round, 900_000);
        _skipsLast(round, _encode(_bidRecord(order, 0, 900_000)), address(orderRequest), SkipReason.BidMissing, false);
    }

    function test_takesABidThatEndsAfterTheRound() public {
        uint32 order = _order(_spec());
        uint32 round = _openNext();
        _bid(order, 0, round + 1, 900_000);
        assertEq(_settle(round, _encode(_bidRecord(order, 0, 900_000))), 1);
    }

    function test_skipsTheBidOfAnotherMachine() public {
        uint32 second = _machine(provider);
        uint32 order = _order(_spec());
        _bid(order, 0, NO_ROUND, 900_000);
        uint32 round = _openNext();
        RecordFields memory fields = _bidRecord(order, 0, 900_000);
        fields.machineId = second;
        _skipsLast(round, _encode(fields), address(orderRequest), SkipReason.BidMissing, false);
    }

    function testFuzz_skipsAnyOtherPriceThanTheBids(uint40 price) public {
        price = uint40(bound(price, 0, 5_000_000));
        vm.assume(price != 900_000);
        uint32 order = _order(_spec());
        _bid(order, 0, NO_ROUND, 900_000);
        uint32 round = _openNext();
        _skipsLast(round, _encode(_bidRecord(order, 0, price)), address(orderRequest), SkipReason.BidPrice, false);
    }

    // ---- the fold

    function test_theFoldBindsRecordsSkippedAndBenched() public {
        uint32 first = _order(_spec());
        uint32 second = _order(_spec());
        uint32 round = _openNext();
        bytes memory records = bytes.concat(_encode(_record(first, machine, 1)), _encode(_record(second, machine, 1)));
        MatchBatch memory batch = _batch(round, records);
        uint256[] memory bits = new uint256[](1);
        bits[0] = 2;
        bytes32 word =
            keccak256(abi.encodePacked(settlement.settlementWord(), settlement.messageHash(batch), keccak256(records), bits, bits));
        _settleAs(batch, records, ALL_SIGN);
        assertEq(uint256(settlement.settlementWord()), (uint256(word) >> 32 << 32) | round);
    }
}
