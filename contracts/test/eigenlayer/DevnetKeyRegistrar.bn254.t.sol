// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IKeyRegistrar } from "../../src/eigenlayer/IKeyRegistrar.sol";
import { OperatorSet, CurveType, DeregisterParams, G1Point, G2Point } from "../../src/eigenlayer/EigenTypes.sol";
import { Bn254TestKeys } from "./Bn254TestKeys.sol";
import { Bn254SetFixture } from "./Bn254SetFixture.sol";

contract DevnetKeyRegistrarBn254Test is Bn254SetFixture {
    address private operator = makeAddr("operator");

    function test_registeredKeyIsFound() public {
        bytes memory key = bn254Key(3);
        bytes memory signature = bn254KeySignature(operator, 3);
        vm.prank(operator);
        vm.expectEmit(address(keyRegistrar));
        emit IKeyRegistrar.KeyRegistered(bn254Set, operator, CurveType.BN254, key);
        keyRegistrar.registerKey(operator, bn254Set, key, signature);
        (G1Point memory g1, G2Point memory g2) = keyRegistrar.getBN254Key(bn254Set, operator);
        assertEq(keyRegistrar.encodeBN254KeyData(g1, g2), key);
        assertEq(key.length, 192);
        assertEq(g1.X, Bn254TestKeys.g1(3).X);
        bytes memory keyData = abi.encode(g1.X, g1.Y);
        assertEq(keyRegistrar.getKeyHash(bn254Set, operator), keccak256(keyData));
        assertTrue(keyRegistrar.isKeyGloballyRegistered(keccak256(keyData)));
        (address owner, bool status) = keyRegistrar.getOperatorFromSigningKey(bn254Set, keyData);
        assertEq(owner, operator);
        assertTrue(status);
        (owner, status) = keyRegistrar.getOperatorFromSigningKey(operatorSet, keyData);
        assertEq(owner, operator);
        assertFalse(status);
        (owner, status) = keyRegistrar.getOperatorFromSigningKey(bn254Set, abi.encode(Bn254TestKeys.g1(2)));
        assertEq(owner, address(0));
        assertFalse(status);
    }

    function test_curvesAreNotMixed() public {
        vm.expectRevert(IKeyRegistrar.InvalidCurveType.selector);
        keyRegistrar.getBN254Key(operatorSet, operator);
        vm.expectRevert(IKeyRegistrar.InvalidCurveType.selector);
        keyRegistrar.getBN254Key(OperatorSet(avs, 99), operator);
        vm.expectRevert(IKeyRegistrar.InvalidCurveType.selector);
        keyRegistrar.getECDSAAddress(bn254Set, operator);
        vm.expectRevert(IKeyRegistrar.InvalidCurveType.selector);
        keyRegistrar.getECDSAKey(bn254Set, operator);
        (G1Point memory g1,) = keyRegistrar.getBN254Key(bn254Set, operator);
        assertEq(g1.X, 0);
    }

    function test_malformedKeysAreRefused() public {
        bytes memory signature = bn254KeySignature(operator, 3);
        expectRefusal(abi.encodePacked(makeAddr("ecdsa")), signature, IKeyRegistrar.InvalidKeyFormat.selector);
        expectRefusal(new bytes(192), signature, IKeyRegistrar.ZeroPubkey.selector);
        expectRefusal(bn254Key(3), bytes.concat(signature, hex"00"), IKeyRegistrar.InvalidSignature.selector);
    }

    function test_proofOfPossessionMustFit() public {
        // By another key, for another operator, over another key.
        expectRefusal(bn254Key(3), bn254KeySignature(operator, 2), IKeyRegistrar.InvalidSignature.selector);
        expectRefusal(bn254Key(3), bn254KeySignature(makeAddr("other"), 3), IKeyRegistrar.InvalidSignature.selector);
        bytes memory key = keyRegistrar.encodeBN254KeyData(Bn254TestKeys.g1(3), Bn254TestKeys.g2(2));
        bytes32 digest = keyRegistrar.getBN254KeyRegistrationMessageHash(operator, bn254Set, key);
        expectRefusal(key, abi.encode(signBn254(digest, 3)), IKeyRegistrar.InvalidSignature.selector);
        // Limbs swapped: not a point.
        G2Point memory g2 = Bn254TestKeys.g2(3);
        (g2.X[0], g2.X[1]) = (g2.X[1], g2.X[0]);
        key = keyRegistrar.encodeBN254KeyData(Bn254TestKeys.g1(3), g2);
        digest = keyRegistrar.getBN254KeyRegistrationMessageHash(operator, bn254Set, key);
        expectRefusal(key, abi.encode(signBn254(digest, 3)), IKeyRegistrar.InvalidSignature.selector);
    }

    function test_keyIsUniqueByItsG1Point() public {
        register(operator, 3);
        expectRefusal(bn254Key(2), bn254KeySignature(operator, 2), IKeyRegistrar.OperatorAlreadyRegistered.selector);
        address thief = makeAddr("thief");
        bytes memory key = bn254Key(3);
        bytes memory signature = bn254KeySignature(thief, 3);
        vm.prank(thief);
        vm.expectRevert(IKeyRegistrar.KeyAlreadyRegistered.selector);
        keyRegistrar.registerKey(thief, bn254Set, key, signature);
    }

    /// @dev Rotation: leave the set, wait, take the key away, and never use it again.
    function test_keyIsReleasedWhenNothingIsSlashableAndStaysSpent() public {
        address member = joinBn254Set("member", 1e18, 5);
        vm.startPrank(member);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(member, avs, ids(bn254Set.id)));
        vm.roll(block.number + DEALLOCATION_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistrar.OperatorStillSlashable.selector, bn254Set, member));
        keyRegistrar.deregisterKey(member, bn254Set);
        vm.roll(block.number + 1);
        vm.expectEmit(address(keyRegistrar));
        emit IKeyRegistrar.KeyDeregistered(bn254Set, member, CurveType.BN254);
        keyRegistrar.deregisterKey(member, bn254Set);
        vm.stopPrank();
        assertFalse(keyRegistrar.isRegistered(bn254Set, member));
        assertEq(keyRegistrar.getKeyHash(bn254Set, member), bytes32(0));
        (address owner, bool status) = keyRegistrar.getOperatorFromSigningKey(bn254Set, abi.encode(Bn254TestKeys.g1(5)));
        assertEq(owner, member);
        assertFalse(status);
        bytes memory key = bn254Key(5);
        bytes memory signature = bn254KeySignature(member, 5);
        vm.prank(member);
        vm.expectRevert(IKeyRegistrar.KeyAlreadyRegistered.selector);
        keyRegistrar.registerKey(member, bn254Set, key, signature);
        register(member, 6);
    }

    function test_digestIsEip712() public view {
        bytes memory key = bn254Key(3);
        bytes32 structHash = keccak256(
            abi.encode(
                0xda86e76deaed01641f80ff5f72c372a038fa5182697aeb967e8b1f9819d58d81, operator, bn254Set.avs, bn254Set.id, keccak256(key)
            )
        );
        assertEq(
            keyRegistrar.getBN254KeyRegistrationMessageHash(operator, bn254Set, key),
            keccak256(abi.encodePacked(hex"1901", keyRegistrar.domainSeparator(), structHash))
        );
    }

    function register(address account, uint256 secret) private {
        bytes memory key = bn254Key(secret);
        bytes memory signature = bn254KeySignature(account, secret);
        vm.prank(account);
        keyRegistrar.registerKey(account, bn254Set, key, signature);
    }

    function expectRefusal(bytes memory key, bytes memory signature, bytes4 problem) private {
        vm.prank(operator);
        vm.expectRevert(problem);
        keyRegistrar.registerKey(operator, bn254Set, key, signature);
    }
}
