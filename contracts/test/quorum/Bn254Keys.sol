// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point } from "../../src/eigenlayer/EigenTypes.sol";
import { Bn254 } from "../../src/quorum/Bn254.sol";

/// @notice Public keys and signatures of any secret. G2 has no precompile, so its points are added by the book, affine over p^2.
library Bn254Keys {
    uint256 private constant P = Bn254.FIELD_MODULUS;

    /// re + im i, with i^2 = -1.
    struct Fp2 {
        uint256 re;
        uint256 im;
    }

    function g1(uint256 secret) internal view returns (G1Point memory point) {
        (, point) = Bn254.mul(Bn254.generatorG1(), secret);
    }

    function sign(uint256 secret, bytes32 digest) internal view returns (G1Point memory signature) {
        (, signature) = Bn254.mul(Bn254.hashToG1(digest), secret);
    }

    /// @notice secret times the generator; the secret must not be a multiple of the group's order.
    function g2(uint256 secret) internal view returns (G2Point memory) {
        secret %= Bn254.GROUP_ORDER;
        G2Point memory generator = Bn254.generatorG2();
        (Fp2 memory gx, Fp2 memory gy) = (Fp2(generator.X[1], generator.X[0]), Fp2(generator.Y[1], generator.Y[0]));
        uint256 bit = 255;
        while ((secret >> bit) & 1 == 0) --bit;
        (Fp2 memory x, Fp2 memory y) = (gx, gy);
        while (bit != 0) {
            --bit;
            (x, y) = _double(x, y);
            if ((secret >> bit) & 1 != 0) (x, y) = _chord(x, y, gx, gy);
        }
        return G2Point([x.im, x.re], [y.im, y.re]);
    }

    function _double(Fp2 memory x, Fp2 memory y) private view returns (Fp2 memory, Fp2 memory) {
        Fp2 memory square = _mul(x, x);
        Fp2 memory slope = _mul(_add(square, _add(square, square)), _inverse(_add(y, y)));
        return _third(slope, x, y, x);
    }

    /// Sum of two points that are neither equal nor opposite.
    function _chord(Fp2 memory x1, Fp2 memory y1, Fp2 memory x2, Fp2 memory y2) private view returns (Fp2 memory, Fp2 memory) {
        Fp2 memory slope = _mul(_sub(y2, y1), _inverse(_sub(x2, x1)));
        return _third(slope, x1, y1, x2);
    }

    function _third(Fp2 memory slope, Fp2 memory x1, Fp2 memory y1, Fp2 memory x2) private pure returns (Fp2 memory x, Fp2 memory y) {
        x = _sub(_sub(_mul(slope, slope), x1), x2);
        y = _sub(_mul(slope, _sub(x1, x)), y1);
    }

    function _add(Fp2 memory a, Fp2 memory b) private pure returns (Fp2 memory) {
        return Fp2(addmod(a.re, b.re, P), addmod(a.im, b.im, P));
    }

    function _sub(Fp2 memory a, Fp2 memory b) private pure returns (Fp2 memory) {
        return Fp2(addmod(a.re, P - b.re, P), addmod(a.im, P - b.im, P));
    }

    function _mul(Fp2 memory a, Fp2 memory b) private pure returns (Fp2 memory) {
        return Fp2(addmod(mulmod(a.re, b.re, P), P - mulmod(a.im, b.im, P), P), addmod(mulmod(a.re, b.im, P), mulmod(a.im, b.re, P), P));
    }

    function _inverse(Fp2 memory a) private view returns (Fp2 memory) {
        uint256 norm = addmod(mulmod(a.re, a.re, P), mulmod(a.im, a.im, P), P);
        (bool ok, bytes memory inverse) = address(5).staticcall(abi.encode(32, 32, 32, norm, P - 2, P));
        assert(ok);
        uint256 factor = uint256(bytes32(inverse));
        return Fp2(mulmod(a.re, factor, P), P - mulmod(a.im, factor, P));
    }
}
