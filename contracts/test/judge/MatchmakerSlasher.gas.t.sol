// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Fault, SnapshotProof } from "../../src/judge/Evidence.sol";
import { ISlashVault } from "../../src/judge/ISlashVault.sol";
import { SlashingFixture } from "./SlashingFixture.sol";

contract MatchmakerSlasherGasTest is SlashingFixture {
    uint256 private constant TRANSACTION_CAP = 16_777_216;

    function test_S24_slash_gas() public {
        for (uint256 i = 4; i < 32; i++) {
            operators.push(joinSet(string.concat("operator", vm.toString(i)), STAKE));
        }
        uint256 everybody = (1 << 32) - 1;
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, everybody));
        bytes memory keys = _keys(everybody);
        assertEq(matchmakerSlasher.slash(offenceId, keys, everybody), 32);
        assertLt(vm.lastCallGas().gasTotalUsed, TRANSACTION_CAP);
        vm.snapshotGasLastCall("MatchmakerSlasher", "slash, 32 signers, each collected");

        (SnapshotProof memory snapshot, bytes[] memory ownerWord) = (_snapshot(), _ownerWord());
        vault.proveVictim(offenceId, snapshot, ownerWord);
        vm.snapshotGasLastCall("SlashVault", "proveVictim, three nodes");
        vault.payChallenger(offenceId);
        vm.snapshotGasLastCall("SlashVault", "payChallenger");
        vault.payVictim(offenceId);
        vm.snapshotGasLastCall("SlashVault", "payVictim");
        vm.warp(block.timestamp + CLAIM_PERIOD + 1);
        vault.payTreasury(offenceId);
        vm.snapshotGasLastCall("SlashVault", "payTreasury");
    }

    function test_S24_collect_gas() public {
        bytes32 offenceId = _prove(Fault.WrongRecord, _wrongBatch(6, 1, 0xf));
        vm.mockCallRevert(address(vault), abi.encodeWithSelector(ISlashVault.collect.selector), "");
        matchmakerSlasher.slash(offenceId, _keys(0xf), 1);
        vm.clearMockedCalls();
        vault.collect(1);
        vm.snapshotGasLastCall("SlashVault", "collect");
        vm.startPrank(owner);
        vault.setCompensationRate(5, 1e18);
        vm.snapshotGasLastCall("SlashVault", "setCompensationRate");
        vault.setTreasury(challenger);
        vm.snapshotGasLastCall("SlashVault", "setTreasury");
        vm.stopPrank();
    }
}
