// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point } from "../eigenlayer/EigenTypes.sol";

/// @title BN254 through the precompiles of EIP-196, EIP-197 and EIP-198.
/// @dev Functions say whether the precompile accepted its input. A precompile that does not burns all the gas it is given, so each call has
/// a limit: several times today's price, to outlast a repricing.
library Bn254 {
    /// @notice Order of the base field, p.
    uint256 internal constant FIELD_MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @notice Order of the group, r.
    uint256 internal constant GROUP_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant ADD_GAS = 10_000;
    uint256 private constant MUL_GAS = 60_000;
    /// @dev Of a pairing of two pairs; today's price is 113,000.
    uint256 internal constant PAIRING_GAS = 400_000;
    /// @dev x to this power is a square root of x if x has one, for p = 3 mod 4.
    uint256 private constant ROOT_EXPONENT = (FIELD_MODULUS + 1) / 4;

    uint256 private constant G2_X_IMAGINARY = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant G2_X_REAL = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant G2_Y_IMAGINARY = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant G2_Y_REAL = 8495653923123431417604973247489272438418190587263600148770280649306958101930;

    function generatorG1() internal pure returns (G1Point memory) {
        return G1Point(1, 2);
    }

    function generatorG2() internal pure returns (G2Point memory) {
        return G2Point([G2_X_IMAGINARY, G2_X_REAL], [G2_Y_IMAGINARY, G2_Y_REAL]);
    }

    function negatedGeneratorG2() internal pure returns (G2Point memory) {
        return G2Point([G2_X_IMAGINARY, G2_X_REAL], [FIELD_MODULUS - G2_Y_IMAGINARY, FIELD_MODULUS - G2_Y_REAL]);
    }

    /// @notice Whether the point has coordinates below p and lies on y^2 = x^3 + 3; infinity does not.
    /// @dev The cofactor is 1, so such a point is in the group.
    function isOnCurve(G1Point memory point) internal pure returns (bool) {
        (uint256 x, uint256 y) = (point.X, point.Y);
        return x < FIELD_MODULUS && y < FIELD_MODULUS
            && mulmod(y, y, FIELD_MODULUS) == addmod(mulmod(mulmod(x, x, FIELD_MODULUS), x, FIELD_MODULUS), 3, FIELD_MODULUS);
    }

    /// @notice Whether a point of G2 is infinity.
    function isZero(G2Point memory point) internal pure returns (bool) {
        return (point.X[0] | point.X[1] | point.Y[0] | point.Y[1]) == 0;
    }

    /// @notice The opposite of a point on the curve, or of infinity.
    function negate(G1Point memory point) internal pure returns (G1Point memory) {
        return point.Y == 0 ? point : G1Point(point.X, FIELD_MODULUS - point.Y);
    }

    /// @notice Whether `signature` is that of `digest` by the key whose forms in both groups are `key`, a point on the curve, and `apk`.
    /// @dev One pairing checks both, weighted by a challenge over all inputs: e(signature + c key, -g2) e(H(digest) + c g1, apk) = 1. The
    /// pairing precompile refuses G2 points off the curve or outside the group. Infinity is no signature and no key: it signs anything.
    function isSigned(bytes32 digest, G1Point memory key, G2Point memory apk, G1Point memory signature) internal view returns (bool isOne) {
        if (!isOnCurve(signature) || !isOnCurve(key) || isZero(apk)) return false;
        uint256 challenge = uint256(keccak256(abi.encode(digest, key, apk, signature))) % GROUP_ORDER;
        (, G1Point memory weighted) = mul(key, challenge);
        (, G1Point memory left) = add(signature, weighted);
        (, weighted) = mul(generatorG1(), challenge);
        (, G1Point memory right) = add(hashToG1(digest), weighted);
        (, isOne) = pairing(left, negatedGeneratorG2(), right, apk, PAIRING_GAS);
    }

    /// @return ok False if a point is not on the curve.
    function add(G1Point memory a, G1Point memory b) internal view returns (bool ok, G1Point memory sum) {
        uint256[4] memory input = [a.X, a.Y, b.X, b.Y];
        assembly ("memory-safe") {
            ok := staticcall(ADD_GAS, 0x06, input, 0x80, sum, 0x40)
        }
    }

    /// @return ok False if the point is not on the curve.
    function mul(G1Point memory a, uint256 scalar) internal view returns (bool ok, G1Point memory product) {
        uint256[3] memory input = [a.X, a.Y, scalar];
        assembly ("memory-safe") {
            ok := staticcall(MUL_GAS, 0x07, input, 0x60, product, 0x40)
        }
    }

    /// @notice Whether e(a1, a2) * e(b1, b2) is one, within `gasLimit`.
    /// @return ok False if a point is not on its curve or the gas did not suffice.
    function pairing(G1Point memory a1, G2Point memory a2, G1Point memory b1, G2Point memory b2, uint256 gasLimit)
        internal
        view
        returns (bool ok, bool isOne)
    {
        uint256[12] memory input = [a1.X, a1.Y, a2.X[0], a2.X[1], a2.Y[0], a2.Y[1], b1.X, b1.Y, b2.X[0], b2.X[1], b2.Y[0], b2.Y[1]];
        uint256[1] memory output;
        assembly ("memory-safe") {
            ok := staticcall(gasLimit, 0x08, input, 0x180, output, 0x20)
        }
        isOne = ok && output[0] == 1;
    }

    /// @notice The point whose x is the first of digest mod p, +1, +2, ... that lies on y^2 = x^3 + 3, with y = (x^3 + 3)^((p + 1) / 4).
    /// @dev Every second x lies on the curve, so the loop ends after a few steps.
    function hashToG1(bytes32 digest) internal view returns (G1Point memory point) {
        uint256 square;
        point.X = uint256(digest) % FIELD_MODULUS;
        while (true) {
            square = addmod(mulmod(mulmod(point.X, point.X, FIELD_MODULUS), point.X, FIELD_MODULUS), 3, FIELD_MODULUS);
            point.Y = _power(square, ROOT_EXPONENT);
            if (mulmod(point.Y, point.Y, FIELD_MODULUS) == square) return point;
            point.X = addmod(point.X, 1, FIELD_MODULUS);
        }
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256) {
        uint256[6] memory input = [uint256(32), 32, 32, base, exponent, FIELD_MODULUS];
        uint256[1] memory output;
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 0x05, input, 0xc0, output, 0x20)
        }
        assert(ok);
        return output[0];
    }
}
