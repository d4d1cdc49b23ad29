// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";

/// @notice Signs the tenant's calls by the type strings as a wallet shows them, with forge's own EIP-712 encoder.
abstract contract SignedCallsFixture is Test {
    string internal constant SPEC_TYPE =
        "OrderSpec(uint16 milliGpu,uint24 cpuMilli,uint24 memoryMib,uint24 storageGib,uint16[] models,uint16[] regions,uint16[] regionsExcluded,uint24[] providersWanted,uint24[] providersExcluded,uint8 tiers,uint64 attributes,bool regionRequired,uint16 minUptimeBps,uint16 minReputationBps,uint8 maxSlashes,uint16 tokenId,uint40 maxPriceMicroPerHour,uint24 durationMinutes)";
    string internal constant UPDATE_TYPE =
        "LeaseUpdate(uint16 milliGpu,uint24 cpuMilli,uint24 memoryMib,uint24 storageGib,uint40 maxPriceMicroPerHour,bytes32 manifestHash)";

    string internal constant CREATE_ORDER = "CreateOrder(OrderSpec spec,uint32 expiresAt,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant REPLACE_ORDER =
        "ReplaceOrder(uint32 orderId,OrderSpec spec,uint32 expiresAt,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant CANCEL_ORDER = "CancelOrder(uint32 orderId,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant ANNOUNCE_MANIFEST =
        "AnnounceManifest(uint32 orderId,bytes32 manifestHash,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant REQUEST_UPDATE =
        "RequestUpdate(uint32 orderId,LeaseUpdate update,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant CANCEL_UPDATE = "CancelUpdate(uint32 orderId,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant RENEW_LEASE =
        "RenewLease(uint32 orderId,uint24 durationMinutes,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant TOP_UP = "TopUp(uint32 orderId,uint24 addedMinutes,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant CLOSE_LEASE = "CloseLease(uint32 orderId,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant DEPOSIT = "Deposit(uint16 tokenId,uint256 amount,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant WITHDRAW = "Withdraw(uint16 tokenId,uint256 amount,address tenant,uint256 nonce,uint256 deadline)";
    string internal constant CHOOSE_SPONSOR = "ChooseSponsor(address sponsor,address tenant,uint256 nonce,uint256 deadline)";

    /// @notice The digest a wallet signs for `encodedFields` of `typeName`; `abi.encode` of the type's fields as a struct.
    function _digest(address verifyingContract, uint256 chainId, string memory typeName, bytes memory encodedFields)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Matchmaker"),
                keccak256("1"),
                chainId,
                verifyingContract
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, vm.eip712HashStruct(typeName, encodedFields)));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// What `abi.encode` gives for one struct of these fields, when one of them is dynamic.
    function _tuple(bytes memory encodedFields) internal pure returns (bytes memory) {
        return bytes.concat(bytes32(uint256(0x20)), encodedFields);
    }

    /// An order with a different, not trivial value in every field.
    function _fullSpec() internal pure returns (OrderSpec memory spec) {
        spec.milliGpu = 2000;
        spec.cpuMilli = 4001;
        spec.memoryMib = 16_384;
        spec.storageGib = 100;
        spec.models = _list16(7, 9);
        spec.regions = _list16(3, 4);
        spec.regionsExcluded = _list16(11, 12);
        spec.providersWanted = _list24(21, 22);
        spec.providersExcluded = _list24(31, 32);
        spec.tiers = 127;
        spec.attributes = 5;
        spec.regionRequired = true;
        spec.minUptimeBps = 9000;
        spec.minReputationBps = 4000;
        spec.maxSlashes = 3;
        spec.tokenId = 1;
        spec.maxPriceMicroPerHour = 5_000_000;
        spec.durationMinutes = 600;
    }

    function _fullUpdate() internal pure returns (LeaseUpdate memory) {
        return LeaseUpdate({
            milliGpu: 1000, cpuMilli: 2000, memoryMib: 3000, storageGib: 40, maxPriceMicroPerHour: 6_000_000, manifestHash: keccak256("m")
        });
    }

    function _list16(uint16 a, uint16 b) internal pure returns (uint16[] memory list) {
        list = new uint16[](2);
        (list[0], list[1]) = (a, b);
    }

    function _list24(uint24 a, uint24 b) internal pure returns (uint24[] memory list) {
        list = new uint24[](2);
        (list[0], list[1]) = (a, b);
    }
}
