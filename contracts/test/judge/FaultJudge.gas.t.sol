// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAllocationManager } from "../../src/eigenlayer/IAllocationManager.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import { Fault, SignedBatch } from "../../src/judge/Evidence.sol";
import { JudgeTerms } from "../../src/judge/FaultJudge.sol";
import { IMatchmakerSlasher } from "../../src/judge/IMatchmakerSlasher.sol";
import { ISlashVault } from "../../src/judge/ISlashVault.sol";
import { MatchmakerSlasher, SlasherTerms } from "../../src/judge/MatchmakerSlasher.sol";
import { MatchBatch } from "../../src/market/MarketTypes.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { MachineWordLib } from "../../src/words/MachineWord.sol";
import { RandomPacking } from "../rules/RandomPacking.sol";
import { Bn254JudgeFixture } from "./FaultJudge.bn254.t.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice `prove` of a better candidate, seven words, at the last of 512 records, in a state of 2.2e6 words and 3.5e7 accounts: behind the
/// root six branches with all their children for every word, seven for every account, then the leaf. Whole transactions: base, calldata
/// and execution, or what the calldata costs at the least (EIP-7623), whichever is more.
abstract contract JudgeGas is JudgeFixture {
    uint256 private constant RECORDS = 512;
    uint256 private constant STORAGE_DEPTH = 6;
    uint256 private constant ACCOUNT_DEPTH = 7;
    uint256 internal constant MANY_SIGNERS_LIMIT = 3_000_000;

    uint16 internal milliGpu = 2000;

    /// One in `onWinner` of the earlier records is on the machine of the record that is judged.
    function _prove(string memory name, uint256 onWinner, uint256 limit) internal {
        MatchmakerSlasher slasher = new MatchmakerSlasher(
            SlasherTerms({
                allocationManager: IAllocationManager(address(1)),
                keyRegistrar: keyRegistrar,
                judge: judge,
                vault: ISlashVault(address(1)),
                operatorSet: operatorSet,
                curve: judge.batchSigners().curve(),
                strategy: IStrategy(address(1)),
                equivocationWad: 0.05e18,
                wrongBatchWad: 0.5e18
            })
        );
        bytes memory evidence = _evidence(onWinner);
        slasher.commit(keccak256(abi.encode(address(this), Fault.BetterCandidate, keccak256(evidence), bytes32(0))));
        vm.snapshotGasLastCall("MatchmakerSlasher", "commit");
        vm.roll(block.number + 1);
        slasher.prove(Fault.BetterCandidate, evidence, 0);
        uint256 execution = vm.lastCallGas().gasTotalUsed;
        uint256 total = _transaction(abi.encodeCall(IMatchmakerSlasher.prove, (Fault.BetterCandidate, evidence, 0)), execution);
        vm.snapshotValue("MatchmakerSlasher", name, total);
        assertLt(total, limit);
    }

    function _evidence(uint256 onWinner) private returns (bytes memory) {
        storageDepth = STORAGE_DEPTH;
        accountDepth = ACCOUNT_DEPTH;
        uint32 worse = _addMachine(_addProvider(1), 4);
        _addOffer(worse, 1, 2_000_000, 100_000, USD);
        orderCount = uint32(RECORDS);
        _setSpec(orderCount, _spec(milliGpu));
        _seal();
        (,, RecordWord record) = _placed(orderCount, worse, _machine(worse));
        bytes memory records;
        // Those on the winner take a little of all that it has, the others are of machines that are not judged.
        for (uint256 i = 1; i < RECORDS; i++) {
            uint256 machineId = i % onWinner == 0 ? worse : 1_000_000 + i;
            records = abi.encodePacked(records, RecordWord.unwrap(_earlier(uint32(0x1000000 + i), uint32(machineId), uint24(i))));
        }
        // Their ids are above this one's only so that they have as many bytes that are not zero as a busy market's: order is settlement's
        // to check, and the judge goes by the index.
        records = abi.encodePacked(records, RecordWord.unwrap(record));
        return abi.encode(_betterCandidate(records, RECORDS - 1, 1, 0, NONE));
    }

    function _earlier(uint32 orderId, uint32 machineId, uint24 providerId) private pure returns (RecordWord) {
        RecordFields memory fields;
        fields.orderId = orderId;
        fields.machineId = machineId;
        fields.priceMicroPerHour = uint40(2_500_000 + orderId);
        fields.deviceMask = 0x04;
        fields.milliGpu = 1;
        fields.cpuMilli = 100;
        fields.memoryMib = 300;
        fields.storageGib = 3;
        fields.offerIndex = 1;
        fields.tokenId = USD;
        fields.providerId = 0x10000 + providerId;
        return RecordWordLib.encode(fields);
    }

    function _transaction(bytes memory call, uint256 execution) private pure returns (uint256) {
        uint256 zeros = 0;
        for (uint256 i = 0; i < call.length; i++) {
            if (call[i] == 0) zeros++;
        }
        uint256 others = call.length - zeros;
        uint256 usual = 21_000 + 4 * zeros + 16 * others + execution;
        uint256 least = 21_000 + 10 * zeros + 40 * others;
        return usual > least ? usual : least;
    }
}

contract FaultJudgeEcdsaGasTest is JudgeGas {
    uint256 private constant FEW_SIGNERS_LIMIT = 2_100_000;

    function setUp() public override {
        super.setUp();
        _addMachine(_addProvider(50_000), 4);
        _addOffer(1, 0, 1_000_000, 100_000, USD);
    }

    function test_S24_prove_gas_20Signers() public {
        _addOperators(16);
        _prove("prove, 512 records, 20 ECDSA signers, whole transaction", 8, FEW_SIGNERS_LIMIT);
    }

    /// By version 2, with as many steps and models as terms can have, and eight devices that could all take the share.
    function test_S24_prove_gas_20Signers_packing() public {
        _addOperators(16);
        _setMachine(1, _machine(1).withFree(262_144, 64_000, 2_048, MachineWordLib.spread(0xff, 990)));
        _pack(RandomPacking.largest(), 1000);
        milliGpu = 500;
        _prove("prove by version 2, 512 records, 20 ECDSA signers, whole transaction", 8, FEW_SIGNERS_LIMIT);
    }

    function test_S24_prove_gas_200Signers() public {
        _addOperators(196);
        _prove("prove, 512 records, 200 ECDSA signers, whole transaction", 8, MANY_SIGNERS_LIMIT);
    }

    function test_S24_prove_gas_200Signers_everyRecordOnTheWinner() public {
        _addOperators(196);
        _prove("prove, 512 records on one machine, 200 ECDSA signers, whole transaction", 1, MANY_SIGNERS_LIMIT);
    }
}

contract FaultJudgeBn254GasTest is Bn254JudgeFixture, JudgeGas {
    function setUp() public override(Bn254JudgeFixture, JudgeFixture) {
        Bn254JudgeFixture.setUp();
    }

    function _terms() internal view override(Bn254JudgeFixture, JudgeFixture) returns (JudgeTerms memory) {
        return Bn254JudgeFixture._terms();
    }

    function _table() internal view override(Bn254JudgeFixture, JudgeFixture) returns (bytes memory) {
        return Bn254JudgeFixture._table();
    }

    function _sign(MatchBatch memory batch, uint256 who)
        internal
        view
        override(Bn254JudgeFixture, JudgeFixture)
        returns (SignedBatch memory)
    {
        return Bn254JudgeFixture._sign(batch, who);
    }

    function test_S24_prove_gas_200Signers() public {
        _addOperators(196);
        _register();
        _prove("prove, 512 records, 200 BN254 signers, whole transaction", 8, MANY_SIGNERS_LIMIT);
    }
}
