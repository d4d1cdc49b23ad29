// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point } from "../EigenTypes.sol";
import { Bn254 } from "../../quorum/Bn254.sol";

/// @title Checks a BN254 signature together with both forms of its public key, for a chain that has no EigenLayer.
library Bn254Signature {
    uint256 private constant PAIRING_GAS = 400_000;

    /// @notice Signature and public key in one pairing, weighted by a challenge over all inputs.
    /// @return ok False if a point is not on its curve.
    /// @return valid Whether `signature` signs `digest` and both keys have the same secret.
    function check(bytes32 digest, G1Point memory keyG1, G2Point memory keyG2, G1Point memory signature)
        internal
        view
        returns (bool ok, bool valid)
    {
        uint256 challenge = uint256(keccak256(abi.encode(digest, keyG1, keyG2, signature))) % Bn254.GROUP_ORDER;
        (bool okKey, G1Point memory weightedKey) = Bn254.mul(keyG1, challenge);
        (bool okLeft, G1Point memory left) = Bn254.add(signature, weightedKey);
        (, G1Point memory weightedGenerator) = Bn254.mul(Bn254.generatorG1(), challenge);
        (, G1Point memory right) = Bn254.add(Bn254.hashToG1(digest), weightedGenerator);
        if (!okKey || !okLeft) return (false, false);
        return Bn254.pairing(left, Bn254.negatedGeneratorG2(), right, keyG2, PAIRING_GAS);
    }
}
