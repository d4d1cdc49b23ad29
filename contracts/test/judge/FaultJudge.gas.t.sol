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
import { RecordWord } from "../../src/words/RecordWord.sol";
import { Bn254JudgeFixture } from "./FaultJudge.bn254.t.sol";
import { JudgeFixture } from "./JudgeFixture.sol";

/// @notice `prove` of a better candidate, seven words, at the last of 512 records, in a state of 1.6e5 words and 1e5 accounts: five branches
/// with all their children and a leaf for every proof. Whole transactions: base, calldata and execution.
abstract contract JudgeGas is JudgeFixture {
    uint256 private constant RECORDS = 512;
    uint256 private constant PROVE_LIMIT = 3_000_000;

    function _prove(string memory name) internal {
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
        bytes memory evidence = _evidence();
        slasher.commit(keccak256(abi.encode(address(this), Fault.BetterCandidate, keccak256(evidence), bytes32(0))));
        vm.snapshotGasLastCall("MatchmakerSlasher", "commit");
        vm.roll(block.number + 1);
        slasher.prove(Fault.BetterCandidate, evidence, 0);
        uint256 execution = vm.lastCallGas().gasTotalUsed;
        bytes memory call = abi.encodeCall(IMatchmakerSlasher.prove, (Fault.BetterCandidate, evidence, 0));
        uint256 total = execution + _intrinsic(call);
        vm.snapshotValue("MatchmakerSlasher", name, total);
        assertLt(total, PROVE_LIMIT);
    }

    function _evidence() private returns (bytes memory) {
        storageDepth = 5;
        accountDepth = 5;
        uint32 worse = _addMachine(_addProvider(1), 4);
        _addOffer(worse, 1, 2_000_000, 100_000, USD);
        orderCount = uint32(RECORDS);
        _setSpec(orderCount, _spec(2000));
        _seal();
        (,, RecordWord record) = _placed(orderCount, worse, _machine(worse));
        bytes memory records;
        // One in eight takes a little of the winner, the others of machines that are not judged.
        for (uint256 i = 1; i < RECORDS; i++) {
            uint256 machineId = i % 8 == 0 ? worse : 100 + i;
            records = abi.encodePacked(records, (i << 224) | (machineId << 192) | (uint256(1) << 104));
        }
        records = abi.encodePacked(records, RecordWord.unwrap(record));
        return abi.encode(_betterCandidate(records, RECORDS - 1, 1, 0, NONE));
    }

    function _intrinsic(bytes memory call) private pure returns (uint256 gas_) {
        gas_ = 21_000;
        for (uint256 i = 0; i < call.length; i++) {
            gas_ += call[i] == 0 ? 4 : 16;
        }
    }
}

contract FaultJudgeEcdsaGasTest is JudgeGas {
    function setUp() public override {
        super.setUp();
        _addMachine(_addProvider(50_000), 4);
        _addOffer(1, 0, 1_000_000, 100_000, USD);
    }

    function test_S24_prove_gas_20Signers() public {
        _addOperators(16);
        _prove("prove, 512 records, 20 ECDSA signers, whole transaction");
    }

    function test_S24_prove_gas_200Signers() public {
        _addOperators(196);
        _prove("prove, 512 records, 200 ECDSA signers, whole transaction");
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
        _prove("prove, 512 records, 200 BN254 signers, whole transaction");
    }
}
