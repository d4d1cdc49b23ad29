// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    OperatorSet,
    OperatorSetConfig,
    CurveType,
    RegisterParams,
    BN254Certificate,
    BN254OperatorInfo,
    BN254OperatorInfoWitness
} from "../../src/eigenlayer/EigenTypes.sol";
import { Bn254TableCalculator } from "../../src/stake/Bn254TableCalculator.sol";
import { Bn254TestKeys } from "./Bn254TestKeys.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";

/// @notice A BN254 operator set beside the ECDSA one, and how its operators join, sign and are proven absent.
abstract contract Bn254SetFixture is EigenDevnetFixture {
    OperatorSet internal bn254Set;
    Bn254TableCalculator internal bn254Calculator;

    function setUp() public virtual override {
        super.setUp();
        bn254Set = OperatorSet(avs, 8);
        bn254Calculator = new Bn254TableCalculator(keyRegistrar, allocationManager, 5);
        vm.startPrank(avs);
        allocationManager.createOperatorSets(avs, setParams(8, strategy));
        keyRegistrar.configureOperatorSet(bn254Set, CurveType.BN254);
        crossChainRegistry.createGenerationReservation(bn254Set, bn254Calculator, OperatorSetConfig(tableOwner, MAX_STALENESS));
        vm.stopPrank();
    }

    // ------------------------------------------------------------------ operators

    /// @param secret 1 to 10.
    function joinBn254Set(string memory name, uint256 stake, uint256 secret) internal returns (address account) {
        account = makeAddr(name);
        registerAsOperator(account, 0);
        if (stake != 0) deposit(account, stake);
        bytes memory key = bn254Key(secret);
        bytes memory signature = bn254KeySignature(account, secret);
        vm.startPrank(account);
        allocationManager.modifyAllocations(account, allocateParams(bn254Set, strategy, WAD));
        keyRegistrar.registerKey(account, bn254Set, key, signature);
        allocationManager.registerForOperatorSets(account, RegisterParams(avs, ids(8), abi.encode("http://operator.example:9001")));
        vm.stopPrank();
    }

    function bn254Key(uint256 secret) internal view returns (bytes memory) {
        return keyRegistrar.encodeBN254KeyData(Bn254TestKeys.g1(secret), Bn254TestKeys.g2(secret));
    }

    function bn254KeySignature(address account, uint256 secret) internal view returns (bytes memory) {
        bytes32 digest = keyRegistrar.getBN254KeyRegistrationMessageHash(account, bn254Set, bn254Key(secret));
        return abi.encode(signBn254(digest, secret));
    }

    // ------------------------------------------------------------------ tables and certificates

    function transportBn254Table() internal returns (uint32 referenceTimestamp) {
        referenceTimestamp = nextTimestamp();
        bytes memory table = crossChainRegistry.calculateOperatorTableBytes(bn254Set);
        confirmRoot(leafOf(table), referenceTimestamp);
        updater.updateOperatorTable(referenceTimestamp, leafOf(table), 0, "", table);
    }

    /// @param signers Sum of the secrets of those who signed.
    function bn254Certificate(uint32 timestamp, bytes32 message, uint256 signers, uint32[] memory absent)
        internal
        view
        returns (BN254Certificate memory cert)
    {
        bytes32 digest = bn254Verifier.calculateCertificateDigest(timestamp, message);
        BN254OperatorInfo[] memory infos = bn254Calculator.getOperatorInfos(bn254Set);
        cert = BN254Certificate(
            timestamp, message, signBn254(digest, signers), Bn254TestKeys.g2(signers), new BN254OperatorInfoWitness[](absent.length)
        );
        for (uint256 i; i < absent.length; ++i) {
            cert.nonSignerWitnesses[i] = BN254OperatorInfoWitness(absent[i], infoProof(infos, absent[i]), infos[absent[i]]);
        }
    }

    function infoLeaf(BN254OperatorInfo memory info) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x75), abi.encode(info)));
    }

    /// @notice Siblings from the bottom up, computed layer by layer from the definition.
    function infoProof(BN254OperatorInfo[] memory infos, uint256 index) internal pure returns (bytes memory proof) {
        uint256 width = 1;
        while (width < infos.length) width <<= 1;
        bytes32[] memory layer = new bytes32[](width);
        for (uint256 i; i < infos.length; ++i) {
            layer[i] = infoLeaf(infos[i]);
        }
        while (layer.length > 1) {
            proof = bytes.concat(proof, layer[index ^ 1]);
            bytes32[] memory parents = new bytes32[](layer.length / 2);
            for (uint256 i; i < parents.length; ++i) {
                parents[i] = keccak256(bytes.concat(layer[2 * i], layer[2 * i + 1]));
            }
            layer = parents;
            index /= 2;
        }
    }

    function indices(uint32 only) internal pure returns (uint32[] memory list) {
        return ids(only);
    }

    function noIndices() internal pure returns (uint32[] memory) {
        return new uint32[](0);
    }
}
