// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

/// @notice What the gas schedule asks of one transaction.
/// @param coldAccounts Accounts besides the two of the transaction itself and precompiles, proxies' implementations included.
/// @param slots Storage slots read or written.
/// @param rewritten Those of them that hold another word afterwards; none was empty, or becomes so.
struct ScheduleItems {
    uint256 calldataGas;
    uint256 calldataFloor;
    uint256 coldAccounts;
    uint256 slots;
    uint256 rewritten;
    uint256 logs;
    uint256 hashes;
    uint256 signatures;
}

/// @title The least that any contract can pay for what a settlement does: the fee schedule alone, no computation.
/// @dev bench/README.md lists the items; bench/gasFloor.ts counts the same on a chain. Counted are first touches: what a contract pays to
/// touch a warm account or slot again, memory, copying and every opcode are overhead.
library ScheduleFloor {
    uint256 private constant TRANSACTION = 21_000;
    uint256 private constant ZERO_BYTE = 4;
    uint256 private constant BYTE = 16;
    /// EIP-7623.
    uint256 private constant ZERO_BYTE_FLOOR = 10;
    uint256 private constant BYTE_FLOOR = 40;
    uint256 private constant COLD_ACCOUNT = 2_600;
    uint256 private constant COLD_SLOT = 2_100;
    uint256 private constant REWRITE = 2_900;
    uint256 private constant LOG = 375;
    uint256 private constant LOG_BYTE = 8;
    uint256 private constant HASH = 30;
    uint256 private constant HASH_WORD = 6;
    uint256 private constant ECRECOVER = 3_000;
    uint160 private constant LAST_PRECOMPILE = 0xff;
    /// Not on any chain.
    address private constant CHEATCODES = address(uint160(uint256(keccak256("hevm cheat code"))));

    function addCalldata(ScheduleItems memory items, bytes memory data) internal pure {
        for (uint256 i; i < data.length; ++i) {
            items.calldataGas += data[i] == 0 ? ZERO_BYTE : BYTE;
            items.calldataFloor += data[i] == 0 ? ZERO_BYTE_FLOOR : BYTE_FLOOR;
        }
    }

    function addLogs(ScheduleItems memory items, Vm.Log[] memory logs) internal pure {
        for (uint256 i; i < logs.length; ++i) {
            items.logs += LOG * (1 + logs[i].topics.length) + LOG_BYTE * logs[i].data.length;
        }
    }

    /// @notice The hash of the records, which grows with them, and the recovered signatures; the other hashes are of a few words.
    function addChecks(ScheduleItems memory items, uint256 matchCount, uint256 signatures) internal pure {
        items.hashes = HASH + HASH_WORD * matchCount;
        items.signatures = signatures * ECRECOVER;
    }

    /// @notice The least that the transaction costs.
    function total(ScheduleItems memory items) internal pure returns (uint256) {
        uint256 usual = TRANSACTION + items.calldataGas + items.coldAccounts * COLD_ACCOUNT + items.slots * COLD_SLOT + items.rewritten
            * REWRITE + items.logs + items.hashes + items.signatures;
        uint256 least = TRANSACTION + items.calldataFloor;
        return usual > least ? usual : least;
    }

    /// @notice Accounts of a transaction from `sender` to `target`, which come with it.
    function addAccounts(ScheduleItems memory items, Vm.AccountAccess[] memory accesses, address sender, address target) internal pure {
        address[] memory seen = new address[](accesses.length);
        for (uint256 i; i < accesses.length; ++i) {
            address account = accesses[i].account;
            if (account == sender || account == target || account == CHEATCODES || uint160(account) <= LAST_PRECOMPILE) continue;
            uint256 place;
            while (place < items.coldAccounts && seen[place] != account) ++place;
            if (place == items.coldAccounts) seen[items.coldAccounts++] = account;
        }
    }

    /// @dev By a table with open addressing: a batch has thousands of accesses.
    function addSlots(ScheduleItems memory items, Vm.AccountAccess[] memory accesses) internal pure {
        uint256 size = 1;
        for (uint256 i; i < accesses.length; ++i) {
            size += 2 * accesses[i].storageAccesses.length;
        }
        bytes32[] memory keys = new bytes32[](size);
        bytes32[] memory before = new bytes32[](size);
        bytes32[] memory last = new bytes32[](size);
        for (uint256 i; i < accesses.length; ++i) {
            for (uint256 k; k < accesses[i].storageAccesses.length; ++k) {
                Vm.StorageAccess memory access = accesses[i].storageAccesses[k];
                bytes32 key = keccak256(abi.encode(access.account, access.slot));
                uint256 place = uint256(key) % size;
                while (keys[place] != 0 && keys[place] != key) {
                    place = (place + 1) % size;
                }
                if (keys[place] == 0) {
                    (keys[place], before[place]) = (key, access.previousValue);
                    ++items.slots;
                }
                last[place] = access.newValue;
            }
        }
        for (uint256 place; place < size; ++place) {
            if (before[place] != last[place]) ++items.rewritten;
        }
    }
}
