// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { RegistryFixture } from "./RegistryFixture.sol";

/// @notice What a batch costs in the registry, execution only. The machines are made in `setUp`, another transaction,
/// so that every word is cold and its stored value counts as the original one.
contract ProviderRegistryGasTest is RegistryFixture {
    uint32 private constant ROUND = 3;
    uint32 private constant BENCH_FROM = 14;

    bytes private _records;

    /// Records of 0 to 8 devices, the share of a device among them, each on a machine of its own.
    function setUp() public override {
        super.setUp();
        uint24 providerId = _provider(owner, 4_000_000_000);
        for (uint256 i; i < 256; ++i) {
            RecordFields memory record;
            record.orderId = uint32(i + 1);
            record.machineId = _machine(providerId, 8);
            (record.cpuMilli, record.memoryMib, record.storageGib) = (8000, 32_768, 100);
            (record.tokenId, record.providerId) = (tokenId, providerId);
            uint256 devices = i % 10;
            if (devices == 9) (record.milliGpu, record.deviceMask) = (460, 1);
            else (record.milliGpu, record.deviceMask) = (uint16(devices * 1000), uint8((1 << devices) - 1));
            record.priceMicroPerHour = _price(record);
            _records = bytes.concat(_records, bytes32(RecordWord.unwrap(RecordWordLib.encode(record))));
        }
        _openRound(ROUND);
    }

    function test_Gas_Reserve16() public {
        _reserve(16, "reserve 16 records, one machine each");
    }

    function test_Gas_Reserve256() public {
        uint256 gas = _reserve(256, "reserve 256 records, one machine each");
        // Two thirds of the 15,000 that a match may cost in all; the cold words alone are 7,100.
        assertLt(gas / 256, 10_000);
    }

    function _reserve(uint256 count, string memory name) private returns (uint256 gas) {
        bytes memory records = _records;
        assembly ("memory-safe") {
            mstore(records, mul(count, 32))
        }
        vm.prank(settlement);
        (uint256[] memory skipped, uint256[] memory benched) = registry.reserve(records, ROUND, BENCH_FROM);
        gas = vm.snapshotGasLastCall("ProviderRegistry", name);
        assertEq(skipped[0], 0);
        assertEq(benched[0], 0);
    }
}
