// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { CertificateRegistry } from "../../src/market/CertificateRegistry.sol";
import { ICertificateRegistry } from "../../src/market/ICertificateRegistry.sol";

abstract contract CertificateFixture is Test {
    uint40 internal constant NOW = 1_800_000_000;
    uint40 internal constant LATER = NOW + 365 days;

    CertificateRegistry internal registry;
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");

    function setUp() public virtual {
        vm.warp(NOW);
        AccessManager authority = new AccessManager(address(this));
        registry = CertificateRegistry(
            address(
                new ERC1967Proxy(address(new CertificateRegistry()), abi.encodeCall(CertificateRegistry.initialize, (address(authority))))
            )
        );
    }

    function _publish(address account, uint256 fingerprint, uint40 notAfter) internal {
        vm.prank(account);
        registry.publish(bytes32(fingerprint), notAfter);
    }
}

contract CertificateRegistryTest is CertificateFixture {
    uint40[12] private ends;
    bool[12] private gone;

    function test_PublishedIsValidForItsAccountToItsLastSecond() public {
        vm.expectEmit(address(registry));
        emit ICertificateRegistry.CertificatePublished(alice, bytes32(uint256(1)), LATER);
        _publish(alice, 1, LATER);
        assertTrue(registry.isValid(alice, bytes32(uint256(1))));
        assertFalse(registry.isValid(bob, bytes32(uint256(1))));
        assertFalse(registry.isValid(alice, bytes32(uint256(2))));
        vm.warp(LATER);
        assertTrue(registry.isValid(alice, bytes32(uint256(1))));
        vm.warp(LATER + 1);
        assertFalse(registry.isValid(alice, bytes32(uint256(1))));
        assertEq(_live(alice), 0);
    }

    function test_TwoAccountsMayNameTheSameKey() public {
        _publish(alice, 1, LATER);
        _publish(bob, 1, NOW + 5);
        vm.prank(bob);
        registry.revoke(bytes32(uint256(1)));
        assertTrue(registry.isValid(alice, bytes32(uint256(1))));
        assertFalse(registry.isValid(bob, bytes32(uint256(1))));
    }

    function test_RevokedIsForEver() public {
        _publish(alice, 1, LATER);
        _publish(alice, 2, LATER);
        vm.expectEmit(address(registry));
        emit ICertificateRegistry.CertificateRevoked(alice, bytes32(uint256(1)));
        vm.startPrank(alice);
        registry.revoke(bytes32(uint256(1)));
        assertFalse(registry.isValid(alice, bytes32(uint256(1))));
        assertEq(_live(alice), 1);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.CertificateNotFound.selector, alice, bytes32(uint256(1))));
        registry.revoke(bytes32(uint256(1)));
        bytes memory published =
            abi.encodeWithSelector(ICertificateRegistry.CertificateAlreadyPublished.selector, alice, bytes32(uint256(1)));
        vm.expectRevert(published);
        registry.publish(bytes32(uint256(1)), LATER);
        // Not after its time either.
        vm.warp(LATER + 1);
        vm.expectRevert(published);
        registry.publish(bytes32(uint256(1)), LATER + 1 days);
    }

    function test_ExpiredKeyMayBeRenewedOrRevoked() public {
        _publish(alice, 1, NOW + 10);
        _publish(alice, 2, NOW + 10);
        vm.warp(NOW + 11);
        _publish(alice, 1, LATER);
        assertTrue(registry.isValid(alice, bytes32(uint256(1))));
        assertEq(_live(alice), 1);
        // Its place went to the first one already.
        vm.startPrank(alice);
        registry.revoke(bytes32(uint256(2)));
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.CertificateAlreadyPublished.selector, alice, bytes32(uint256(2))));
        registry.publish(bytes32(uint256(2)), LATER);
    }

    function test_ExpiredAndRevokedOnesMakeRoom() public {
        for (uint256 i = 1; i <= 8; ++i) {
            _publish(alice, i, i <= 3 ? NOW + 10 : LATER);
        }
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.TooManyCertificates.selector, alice, 8));
        registry.publish(bytes32(uint256(9)), LATER);
        vm.prank(alice);
        registry.revoke(bytes32(uint256(5)));
        _publish(alice, 9, LATER);
        vm.warp(NOW + 11);
        for (uint256 i = 10; i <= 12; ++i) {
            _publish(alice, i, LATER);
        }
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.TooManyCertificates.selector, alice, 8));
        registry.publish(bytes32(uint256(13)), LATER);
        assertEq(_live(alice), 8);
        _publish(bob, 13, LATER);
    }

    function test_RevertIf_FieldsAreWrong() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.CertificateFieldInvalid.selector, "fingerprint"));
        registry.publish(0, LATER);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.CertificateFieldInvalid.selector, "notAfter"));
        registry.publish(bytes32(uint256(1)), NOW);
        registry.publish(bytes32(uint256(1)), LATER);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.CertificateAlreadyPublished.selector, alice, bytes32(uint256(1))));
        registry.publish(bytes32(uint256(1)), LATER + 1);
        vm.expectRevert(abi.encodeWithSelector(ICertificateRegistry.CertificateNotFound.selector, alice, bytes32(uint256(2))));
        registry.revoke(bytes32(uint256(2)));
    }

    /// Against a plain list of what was published, revoked and when it ends.
    function testFuzz_AgreesWithAPlainList(uint256 seed) public {
        for (uint256 i; i < 40; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint256 key = draw % 12;
            if ((draw >> 8) % 4 == 0) vm.warp(vm.getBlockTimestamp() + (draw >> 16) % 20);
            uint40 time = uint40(vm.getBlockTimestamp());
            vm.startPrank(alice);
            if ((draw >> 24) % 5 == 0) {
                if (ends[key] == 0 || gone[key]) vm.expectRevert();
                else gone[key] = true;
                registry.revoke(bytes32(key + 1));
            } else {
                bool refused = gone[key] || ends[key] >= time || _count(time) == 8;
                uint40 notAfter = time + 1 + uint40((draw >> 32) % 60);
                if (refused) vm.expectRevert();
                else ends[key] = notAfter;
                registry.publish(bytes32(key + 1), notAfter);
            }
            vm.stopPrank();
            for (uint256 k; k < 12; ++k) {
                assertEq(registry.isValid(alice, bytes32(k + 1)), !gone[k] && ends[k] >= time);
            }
            (bytes32[] memory fingerprints, uint40[] memory notAfters) = registry.certificatesOf(alice);
            assertEq(fingerprints.length, _count(time));
            for (uint256 k; k < fingerprints.length; ++k) {
                assertEq(notAfters[k], ends[uint256(fingerprints[k]) - 1]);
                for (uint256 other; other < k; ++other) {
                    assertTrue(fingerprints[k] != fingerprints[other], "each once");
                }
            }
        }
    }

    // ---- the proxy

    function test_StateLiesInItsNamespace() public {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.CertificateRegistry");
        _publish(alice, 7, LATER);
        bytes32 entry = keccak256(abi.encode(uint256(7), keccak256(abi.encode(alice, slot))));
        assertEq(uint256(vm.load(address(registry), entry)), LATER);
        assertEq(uint256(vm.load(address(registry), keccak256(abi.encode(alice, uint256(slot) + 1)))), 1);
    }

    function test_RevertIf_InitializedAgainOrUnproxied() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        registry.initialize(bob);
        CertificateRegistry implementation = new CertificateRegistry();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(bob);
    }

    function test_UpgradeKeepsCertificatesAndIsARoles() public {
        _publish(alice, 1, LATER);
        address implementation = address(new CertificateRegistry());
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob));
        registry.upgradeToAndCall(implementation, "");
        registry.upgradeToAndCall(implementation, "");
        assertTrue(registry.isValid(alice, bytes32(uint256(1))));
    }

    // ----

    function _live(address account) private view returns (uint256) {
        (bytes32[] memory fingerprints,) = registry.certificatesOf(account);
        return fingerprints.length;
    }

    function _count(uint40 time) private view returns (uint256 live) {
        for (uint256 k; k < 12; ++k) {
            if (!gone[k] && ends[k] >= time) ++live;
        }
    }
}

/// @notice What each call costs by itself; what it works on was made in `setUp`, another transaction.
contract CertificateRegistryGasTest is CertificateFixture {
    function setUp() public override {
        super.setUp();
        for (uint256 i = 1; i <= 8; ++i) {
            _publish(alice, i, NOW + 10);
        }
        for (uint256 i = 1; i <= 7; ++i) {
            _publish(bob, i, LATER);
        }
        vm.warp(NOW + 11);
    }

    function test_Gas_PublishOverEightExpired() public {
        _publish(alice, 9, LATER);
        vm.snapshotGasLastCall("CertificateRegistry", "publish, dropping eight expired");
    }

    function test_Gas_PublishTheEighth() public {
        _publish(bob, 9, LATER);
        vm.snapshotGasLastCall("CertificateRegistry", "publish, the eighth live one");
    }

    function test_Gas_RevokeTheLastOfEight() public {
        vm.prank(alice);
        registry.revoke(bytes32(uint256(8)));
        vm.snapshotGasLastCall("CertificateRegistry", "revoke, the last of eight");
    }
}
