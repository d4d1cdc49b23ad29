// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IKeyRegistrar } from "../../src/eigenlayer/IKeyRegistrar.sol";
import { OperatorSet, CurveType, DeregisterParams } from "../../src/eigenlayer/EigenTypes.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

contract DevnetKeyRegistrarTest is EigenDevnetFixture {
    function testFuzz_onlyTheKeyItselfSignsItsRegistration(uint256 keySeed, uint256 otherSeed) public {
        uint256 key = boundPrivateKey(keySeed);
        uint256 other = boundPrivateKey(otherSeed);
        vm.assume(key != other);
        Operator memory operator = Operator(makeAddr("operator"), key, vm.addr(key));
        bytes32 digest = keyRegistrar.getECDSAKeyRegistrationMessageHash(operator.account, operatorSet, operator.signer);
        bytes memory forged = sign(other, digest);
        vm.prank(operator.account);
        vm.expectRevert(IKeyRegistrar.InvalidSignature.selector);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encodePacked(operator.signer), forged);
        registerKey(operator);
        assertEq(keyRegistrar.getECDSAAddress(operatorSet, operator.account), operator.signer);
    }

    function test_digestIsEip712WithChainId() public view {
        Operator memory operator = Operator(address(1), 0, address(2));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("EigenLayer"),
                keccak256("1"),
                block.chainid,
                address(keyRegistrar)
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                0x991b0a3376ce87f8ecc5d70962279ac09cdce934e8b5b9683e73c8ff087c7f81,
                operator.account,
                operatorSet.avs,
                operatorSet.id,
                operator.signer
            )
        );
        assertEq(
            keyRegistrar.getECDSAKeyRegistrationMessageHash(operator.account, operatorSet, operator.signer),
            keccak256(abi.encodePacked(hex"1901", domain, structHash))
        );
    }

    function test_registeredKeyIsFound() public {
        Operator memory operator = makeOperator("operator");
        bytes32 keyHash = keccak256(abi.encodePacked(operator.signer));
        assertEq(keyRegistrar.getECDSAAddress(operatorSet, operator.account), address(0));
        registerKey(operator);
        assertTrue(keyRegistrar.isRegistered(operatorSet, operator.account));
        assertEq(keyRegistrar.getECDSAAddress(operatorSet, operator.account), operator.signer);
        assertEq(keyRegistrar.getECDSAKey(operatorSet, operator.account), abi.encodePacked(operator.signer));
        assertEq(keyRegistrar.getKeyHash(operatorSet, operator.account), keyHash);
        assertTrue(keyRegistrar.isKeyGloballyRegistered(keyHash));
        (address owner, bool status) = keyRegistrar.getOperatorFromSigningKey(operatorSet, abi.encodePacked(operator.signer));
        assertEq(owner, operator.account);
        assertTrue(status);
        (owner, status) = keyRegistrar.getOperatorFromSigningKey(OperatorSet(avs, 8), abi.encodePacked(operator.signer));
        assertEq(owner, operator.account);
        assertFalse(status);
    }

    function test_setIsConfiguredOnceByItsAvs() public {
        vm.expectRevert(IKeyRegistrar.InvalidPermissions.selector);
        keyRegistrar.configureOperatorSet(OperatorSet(avs, 8), CurveType.ECDSA);
        vm.startPrank(avs);
        vm.expectRevert(IKeyRegistrar.ConfigurationAlreadySet.selector);
        keyRegistrar.configureOperatorSet(operatorSet, CurveType.ECDSA);
        vm.expectRevert(IKeyRegistrar.InvalidCurveType.selector);
        keyRegistrar.configureOperatorSet(OperatorSet(avs, 8), CurveType.NONE);
        vm.expectRevert(IKeyRegistrar.InvalidCurveType.selector);
        keyRegistrar.getECDSAAddress(OperatorSet(avs, 8), address(this));
    }

    function test_keyNeedsAConfiguredSet() public {
        operatorSet.id = 8;
        expectRefusal(makeOperator("operator"), IKeyRegistrar.OperatorSetNotConfigured.selector);
    }

    function test_operatorHasOneKeyPerSet() public {
        Operator memory operator = makeOperator("operator");
        registerKey(operator);
        (operator.signer, operator.signingKey) = makeAddrAndKey("second key");
        expectRefusal(operator, IKeyRegistrar.OperatorAlreadyRegistered.selector);
    }

    function test_keyIsUniqueOverAllOperatorsAndSets() public {
        Operator memory operator = makeOperator("operator");
        registerKey(operator);
        operator.account = makeAddr("thief");
        expectRefusal(operator, IKeyRegistrar.KeyAlreadyRegistered.selector);
    }

    function test_deregisteredKeyStaysSpent() public {
        Operator memory operator = makeOperator("operator");
        registerKey(operator);
        vm.prank(operator.account);
        keyRegistrar.deregisterKey(operator.account, operatorSet);
        assertFalse(keyRegistrar.isRegistered(operatorSet, operator.account));
        assertEq(keyRegistrar.getKeyHash(operatorSet, operator.account), bytes32(0));
        assertEq(keyRegistrar.getECDSAKey(operatorSet, operator.account), "");
        expectRefusal(operator, IKeyRegistrar.KeyAlreadyRegistered.selector);
    }

    function test_keyMustBeTwentyBytesAndNotZero() public {
        Operator memory operator = makeOperator("operator");
        bytes memory signature = keySignature(operator);
        vm.startPrank(operator.account);
        vm.expectRevert(IKeyRegistrar.InvalidKeyFormat.selector);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encode(operator.signer), signature);
        vm.expectRevert(IKeyRegistrar.ZeroPubkey.selector);
        keyRegistrar.registerKey(operator.account, operatorSet, new bytes(20), signature);
    }

    function test_signatureMustBeByTheKeyForThisOperator() public {
        Operator memory operator = makeOperator("operator");
        Operator memory other = makeOperator("other");
        bytes memory forOther = keySignature(Operator(other.account, operator.signingKey, operator.signer));
        bytes memory byOther = keySignature(Operator(operator.account, other.signingKey, operator.signer));
        vm.startPrank(operator.account);
        vm.expectRevert(IKeyRegistrar.InvalidSignature.selector);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encodePacked(operator.signer), forOther);
        vm.expectRevert(IKeyRegistrar.InvalidSignature.selector);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encodePacked(operator.signer), byOther);
    }

    function test_onlyTheOperatorActsForItself() public {
        Operator memory operator = makeOperator("operator");
        bytes memory signature = keySignature(operator);
        vm.expectRevert(IKeyRegistrar.InvalidPermissions.selector);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encodePacked(operator.signer), signature);
        vm.expectRevert(IKeyRegistrar.InvalidPermissions.selector);
        keyRegistrar.deregisterKey(operator.account, operatorSet);
    }

    function test_keyIsReleasedOnlyWhenNothingIsSlashable() public {
        Operator memory operator = joinSet("operator", 5e18);
        vm.startPrank(operator.account);
        bytes memory refusal = abi.encodeWithSelector(IKeyRegistrar.OperatorStillSlashable.selector, operatorSet, operator.account);
        vm.expectRevert(refusal);
        keyRegistrar.deregisterKey(operator.account, operatorSet);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(operator.account, avs, ids(operatorSet.id)));
        vm.roll(block.number + DEALLOCATION_DELAY);
        vm.expectRevert(refusal);
        keyRegistrar.deregisterKey(operator.account, operatorSet);
        vm.roll(block.number + 1);
        keyRegistrar.deregisterKey(operator.account, operatorSet);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistrar.KeyNotFound.selector, operatorSet, operator.account));
        keyRegistrar.deregisterKey(operator.account, operatorSet);
    }

    function expectRefusal(Operator memory operator, bytes4 problem) private {
        bytes memory signature = keySignature(operator);
        vm.prank(operator.account);
        vm.expectRevert(problem);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encodePacked(operator.signer), signature);
    }
}
