// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSAOperatorInfo } from "../../src/eigenlayer/EigenTypes.sol";
import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { QuorumFixture } from "./QuorumFixture.sol";

/// @notice S10 and A7 on certificates that an attacker makes up: whatever it does with the signatures it has, nobody counts who did not
/// sign and nobody counts twice.
contract TableEcdsaQuorumTest is QuorumFixture {
    uint256 private constant OPERATORS = 6;

    uint256[] private weights;

    function setUp() public override {
        super.setUp();
        weights = _weightsOf(OPERATORS);
        _setEcdsa(_infosOf(weights), table, STALENESS);
        tableEcdsa.takeTable("");
    }

    function _expectMalformed(string memory what) private {
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.CertificateMalformed.selector, what));
    }

    /// The signature of anybody: operators 0 to 5 of the table, strangers from 6 on.
    function _signatureOf(uint256 signer) private view returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(_secret(signer), tableEcdsa.certificateDigest(table, MESSAGE));
        return abi.encodePacked(r, vs);
    }

    /// Any bitmap with any list of signatures, of operators and strangers, in any order, some twice: valid exactly if the list is the
    /// bitmap's operators, each once and in the table's order, and then it weighs their sum.
    function testFuzz_agreesWithThePlainRule(uint256 bitmap, uint256 seed, uint256 length, bool honestLength) public view {
        bitmap = bound(bitmap, 0, (1 << (OPERATORS + 1)) - 1);
        uint256 named;
        for (uint256 i; i <= OPERATORS; ++i) {
            named += (bitmap >> i) & 1;
        }
        length = honestLength ? named : bound(length, 0, OPERATORS + 2);
        bytes memory certificate = abi.encodePacked(bitmap);
        uint256 expected;
        bool valid = bitmap != 0 && bitmap >> OPERATORS == 0 && length == named;
        uint256 next;
        for (uint256 k; k < length; ++k) {
            while (next < OPERATORS && (bitmap >> next) & 1 == 0) ++next;
            // Mostly the operator whose turn it is, so that valid lists come up too.
            uint256 draw = uint256(keccak256(abi.encode(seed, k)));
            uint256 signer = draw % 5 != 0 && next < OPERATORS ? next : (draw >> 8) % (OPERATORS + 3);
            certificate = bytes.concat(certificate, _signatureOf(signer));
            if (signer != next || next >= OPERATORS) valid = false;
            else expected += weights[next];
            ++next;
        }
        try tableEcdsa.signedWeight(table, MESSAGE, certificate) returns (uint256 weight) {
            assertTrue(valid, "taken against the rule");
            assertEq(weight, expected);
        } catch {
            assertFalse(valid, "refused against the rule");
        }
    }

    /// Every order of two operators' signatures, padded with a third of one of them.
    function test_permutationsAndDuplicates() public {
        uint256[3] memory order;
        for (uint256 code; code < 8; ++code) {
            order = [code & 1, (code >> 1) & 1, (code >> 2) & 1];
            bytes memory two = bytes.concat(_signatureOf(order[0]), _signatureOf(order[1]));
            bytes memory three = bytes.concat(two, _signatureOf(order[2]));
            if (order[0] == 0 && order[1] == 1) {
                assertEq(tableEcdsa.signedWeight(table, MESSAGE, bytes.concat(bytes32(uint256(3)), two)), weights[0] + weights[1]);
            } else {
                _expectMalformed("signature");
                tableEcdsa.signedWeight(table, MESSAGE, bytes.concat(bytes32(uint256(3)), two));
            }
            _expectMalformed("length");
            tableEcdsa.signedWeight(table, MESSAGE, bytes.concat(bytes32(uint256(3)), three));
            _expectMalformed("signature");
            tableEcdsa.signedWeight(table, MESSAGE, bytes.concat(bytes32(uint256(7)), three));
        }
    }

    function testFuzz_bitsBeyondTheTable(uint256 bit) public {
        bit = bound(bit, OPERATORS, 255);
        bytes memory certificate = bytes.concat(bytes32(1 | (1 << bit)), _signatureOf(0), _signatureOf(0));
        _expectMalformed("bitmap");
        tableEcdsa.signedWeight(table, MESSAGE, certificate);
    }

    function test_nobodySigned() public {
        _expectMalformed("bitmap");
        tableEcdsa.signedWeight(table, MESSAGE, abi.encodePacked(uint256(0)));
        _expectMalformed("length");
        tableEcdsa.signedWeight(table, MESSAGE, "");
    }

    /// A signature that recovers nobody does not stand for an entry without key, nor for the one recovered before it.
    function test_whatRecoversNobodyIsNobody() public {
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](3);
        infos[0] = ECDSAOperatorInfo({ pubkey: vm.addr(_secret(0)), weights: _one(1) });
        infos[1] = ECDSAOperatorInfo({ pubkey: address(0), weights: _one(10) });
        infos[2] = ECDSAOperatorInfo({ pubkey: vm.addr(_secret(0)), weights: _one(100) });
        _setEcdsa(infos, table + 1, STALENESS);
        tableEcdsa.takeTable("");
        (bytes32 r, bytes32 vs) = vm.signCompact(_secret(0), tableEcdsa.certificateDigest(table + 1, MESSAGE));
        bytes memory nothing = new bytes(64);
        _expectMalformed("signature");
        tableEcdsa.signedWeight(table + 1, MESSAGE, bytes.concat(bytes32(uint256(2)), nothing));
        _expectMalformed("signature");
        tableEcdsa.signedWeight(table + 1, MESSAGE, abi.encodePacked(uint256(5), r, vs, nothing));
        _expectMalformed("signature");
        tableEcdsa.signedWeight(table + 1, MESSAGE, abi.encodePacked(uint256(2), r, vs));
    }

    /// The other s of the same signature, with the other parity, recovers the same key.
    function test_highSIsRefused() public {
        bytes32 digest = tableEcdsa.certificateDigest(table, MESSAGE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_secret(0), digest);
        uint256 other = SECP256K1_ORDER - uint256(s);
        uint8 parity = 28 - v;
        assertEq(ecrecover(digest, 27 + parity, r, bytes32(other)), vm.addr(_secret(0)), "the twin is the same key's");
        // EIP-2098 has 255 bits for s, so most twins cannot even be written; one that fits must be refused by itself.
        assertEq(other >> 255, 1, "this one is cut");
        _expectMalformed("signature");
        tableEcdsa.signedWeight(table, MESSAGE, abi.encodePacked(uint256(1), r, other | (uint256(parity) << 255)));
    }

    /// s between half the order and 2^255 fits the form: such a signature is made up from a chosen s for a key that it gives.
    function test_theLargestLowSIsTheLimit() public {
        bytes32 digest = tableEcdsa.certificateDigest(table + 1, MESSAGE);
        uint256 half = SECP256K1_ORDER / 2;
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](2);
        (, bytes32 r,) = vm.sign(_secret(0), digest);
        infos[0] = ECDSAOperatorInfo({ pubkey: ecrecover(digest, 27, r, bytes32(half)), weights: _one(1) });
        infos[1] = ECDSAOperatorInfo({ pubkey: ecrecover(digest, 27, r, bytes32(half + 1)), weights: _one(2) });
        _setEcdsa(infos, table + 1, STALENESS);
        tableEcdsa.takeTable("");
        assertEq(tableEcdsa.signedWeight(table + 1, MESSAGE, abi.encodePacked(uint256(1), r, half)), 1);
        _expectMalformed("signature");
        tableEcdsa.signedWeight(table + 1, MESSAGE, abi.encodePacked(uint256(2), r, half + 1));
    }

    function test_aFullTableOf256() public {
        uint256[] memory full = _weightsOf(256);
        _setEcdsa(_infosOf(full), table + 1, STALENESS);
        tableEcdsa.takeTable("");
        bytes memory certificate = _signEcdsa(table + 1, MESSAGE, type(uint256).max);
        assertEq(tableEcdsa.signedWeight(table + 1, MESSAGE, certificate), _weightOf(full, type(uint256).max));
        certificate = _signEcdsa(table + 1, MESSAGE, 1 << 255);
        assertEq(tableEcdsa.signedWeight(table + 1, MESSAGE, certificate), full[255]);
    }

    /// S12: another verifier's address, another set or another chain's batch is another digest.
    function test_theDigestNamesTheSource() public {
        bytes32 digest = tableEcdsa.certificateDigest(table, MESSAGE);
        QuorumFixture.setUp();
        assertNotEq(tableEcdsa.certificateDigest(table, MESSAGE), digest);
    }
}
