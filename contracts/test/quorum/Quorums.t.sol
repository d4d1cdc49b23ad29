// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BN254OperatorSetInfo, CurveType, ECDSAOperatorInfo } from "../../src/eigenlayer/EigenTypes.sol";
import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { QuorumFixture } from "./QuorumFixture.sol";

/// @notice What every quorum verifier must do, whoever checks signatures of whichever curve.
abstract contract QuorumTest is QuorumFixture {
    uint256 internal constant OPERATORS = 5;

    uint256[] internal weights;
    IQuorumVerifier internal quorum;

    function setUp() public override {
        super.setUp();
        quorum = _quorum();
        weights = _weightsOf(OPERATORS);
        _set(weights, table, STALENESS);
        quorum.takeTable(_handed(weights));
    }

    function _quorum() internal view virtual returns (IQuorumVerifier);
    function _curve() internal pure virtual returns (CurveType);
    function _set(uint256[] memory weights_, uint32 timestamp, uint32 staleness) internal virtual;
    function _entries(uint256[] memory weights_) internal view virtual returns (bytes memory);
    /// What takeTable is handed.
    function _handed(uint256[] memory weights_) internal view virtual returns (bytes memory);
    function _sign(uint256[] memory weights_, uint32 timestamp, bytes32 message, uint256 signers)
        internal
        view
        virtual
        returns (bytes memory);
    /// Whether a refusal of a table that no longer counts is the source's own.
    function _sourceChecks() internal pure virtual returns (bool);

    /// Bytes after which a certificate may be cut and still be one; more than any has where it may not.
    function _signatureBytes() internal pure virtual returns (uint256) {
        return type(uint256).max;
    }

    // ---- tables

    function test_aTakenTableIsThere() public {
        (uint32 timestamp, bytes32 tableHash, uint96 total) = quorum.takeTable(_handed(weights));
        assertEq(timestamp, table);
        assertEq(tableHash, keccak256(_entries(weights)));
        assertEq(total, _weightOf(weights, _all(OPERATORS)));
        assertEq(quorum.tableEntries(table), _entries(weights));
        assertEq(quorum.tableEntries(table + 1).length, 0);
        assertEq(uint8(quorum.curve()), uint8(_curve()));
    }

    function testFuzz_aTableOfAnySizeComesBackAsItIs(uint256 seed, uint256 count) public {
        count = bound(count, 0, 20);
        uint256[] memory others = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            others[i] = uint256(keccak256(abi.encode(seed, i))) % (1 << 90);
        }
        _set(others, table + 1, STALENESS);
        (uint32 timestamp, bytes32 tableHash, uint96 total) = quorum.takeTable(_handed(others));
        assertEq(timestamp, table + 1);
        assertEq(tableHash, keccak256(_entries(others)));
        assertEq(total, count == 0 ? 0 : _weightOf(others, _all(count)));
        assertEq(quorum.tableEntries(table + 1), _entries(others));
        assertEq(quorum.tableEntries(table), _entries(weights), "the table before stays");
        if (count == 0) return;
        uint256 signers = bound(seed, 1, _all(count));
        assertEq(quorum.signedWeight(table + 1, MESSAGE, _sign(others, table + 1, MESSAGE, signers)), _weightOf(others, signers));
    }

    function test_aTableWithoutAgeLimitIsNotTaken() public {
        _set(weights, table + 1, 0);
        bytes memory handed = _handed(weights);
        vm.expectRevert(IQuorumVerifier.StalenessUnlimited.selector);
        quorum.takeTable(handed);
    }

    function test_weightsAreAtMost96Bits() public {
        uint256[] memory heavy = _weightsOf(2);
        heavy[0] = type(uint96).max;
        heavy[1] = 1;
        _set(heavy, table + 1, STALENESS);
        bytes memory handed = _handed(heavy);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.WeightTooLarge.selector, uint256(1) << 96));
        quorum.takeTable(handed);
        heavy[1] = 0;
        _set(heavy, table + 2, STALENESS);
        (,, uint96 total) = quorum.takeTable(_handed(heavy));
        assertEq(total, type(uint96).max);
    }

    // ---- who signed

    /// S10: the verifier's figure is the plain sum over the distinct operators that signed, for any of them.
    function testFuzz_weighsWhoSigned(uint256 signers, bytes32 message) public {
        signers = bound(signers, 1, _all(OPERATORS));
        assertEq(quorum.signedWeight(table, message, _sign(weights, table, message, signers)), _weightOf(weights, signers));
    }

    /// S12: bound to the message, the table's time and the set.
    function testFuzz_isValidForNothingElse(uint256 signers, uint256 bit) public {
        signers = bound(signers, 1, _all(OPERATORS));
        bytes memory certificate = _sign(weights, table, MESSAGE, signers);
        _refused(table, bytes32(uint256(MESSAGE) ^ (1 << (bit % 256))), certificate);
        _set(weights, table + 1, STALENESS);
        quorum.takeTable(_handed(weights));
        _refused(table + 1, MESSAGE, certificate);
        assertEq(quorum.signedWeight(table, MESSAGE, certificate), _weightOf(weights, signers));
    }

    /// S12: one bit turned over anywhere, and nothing is weighed.
    function testFuzz_anyChangedBitIsRefused(uint256 signers, uint256 bit) public {
        signers = bound(signers, 1, _all(OPERATORS));
        bytes memory certificate = _sign(weights, table, MESSAGE, signers);
        bit = bound(bit, 0, certificate.length * 8 - 1);
        _refused(table, MESSAGE, _flip(certificate, bit));
    }

    function testFuzz_anyCutCertificateIsRefused(uint256 signers, uint256 length) public {
        signers = bound(signers, 1, _all(OPERATORS));
        bytes memory certificate = _sign(weights, table, MESSAGE, signers);
        length = bound(length, 0, certificate.length - 1);
        // Signatures without a bitmap are a certificate of fewer.
        if (length != 0 && length % _signatureBytes() == 0) return;
        bytes memory cut = new bytes(length);
        for (uint256 i; i < length; ++i) {
            cut[i] = certificate[i];
        }
        _refused(table, MESSAGE, cut);
    }

    function testFuzz_noiseIsRefused(bytes memory noise) public {
        _refused(table, MESSAGE, noise);
    }

    function _refused(uint32 timestamp, bytes32 message, bytes memory certificate) internal {
        // With gas of a settlement, so that a verifier that burns what it is given is found.
        (bool ok, bytes memory result) =
            address(quorum).call{ gas: 16_000_000 }(abi.encodeCall(IQuorumVerifier.signedWeight, (timestamp, message, certificate)));
        assertFalse(ok, "weighed");
        assertLt(vm.lastCallGas().gasTotalUsed, 4_000_000, "gas");
        assertTrue(result.length == 0 || result.length >= 4);
    }

    // ---- tables that do not count

    function test_anUnknownTableWeighsNothing() public {
        bytes memory certificate = _sign(weights, table + 1, MESSAGE, 1);
        _refused(table + 1, MESSAGE, certificate);
    }

    function test_aTableCountsAsLongAsItsSetSays() public {
        bytes memory certificate = _sign(weights, table, MESSAGE, 3);
        vm.warp(table + STALENESS);
        assertEq(quorum.signedWeight(table, MESSAGE, certificate), _weightOf(weights, 3));
        vm.warp(table + STALENESS + 1);
        if (!_sourceChecks()) vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TableExpired.selector, table));
        else vm.expectRevert(bytes4(keccak256("CertificateStale()")));
        quorum.signedWeight(table, MESSAGE, certificate);
    }

    function test_aWithdrawnTableCountsNoLonger() public {
        bytes memory certificate = _sign(weights, table, MESSAGE, 3);
        _withdraw();
        if (!_sourceChecks()) vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TableWithdrawn.selector, table));
        else vm.expectRevert(bytes4(keccak256("RootDisabled()")));
        quorum.signedWeight(table, MESSAGE, certificate);
    }
}

abstract contract EcdsaQuorumTest is QuorumTest {
    function _curve() internal pure override returns (CurveType) {
        return CurveType.ECDSA;
    }

    function _set(uint256[] memory weights_, uint32 timestamp, uint32 staleness) internal override {
        _setEcdsa(_infosOf(weights_), timestamp, staleness);
    }

    function _entries(uint256[] memory weights_) internal pure override returns (bytes memory) {
        return _ecdsaEntries(weights_);
    }

    function _handed(uint256[] memory) internal pure override returns (bytes memory) {
        return "";
    }

    function test_withoutATableThereIsNone() public {
        operatorSet.id = 8;
        QuorumFixture.setUp();
        quorum = _quorum();
        vm.expectRevert(IQuorumVerifier.NoTable.selector);
        quorum.takeTable("");
    }

    function test_entriesAreNotHandedIn() public {
        _set(weights, table + 1, STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.EntriesMismatch.selector, table + 1));
        quorum.takeTable(_ecdsaEntries(weights));
    }

    function test_everyOperatorHasAWeight() public {
        ECDSAOperatorInfo[] memory infos = _infosOf(weights);
        infos[2].weights = new uint256[](0);
        _setEcdsa(infos, table + 1, STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.EntriesMismatch.selector, table + 1));
        quorum.takeTable("");
        infos[2].weights = _one(uint256(type(uint96).max) + 1);
        _setEcdsa(infos, table + 2, STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.WeightTooLarge.selector, uint256(type(uint96).max) + 1));
        quorum.takeTable("");
    }

    function test_atMost256Operators() public {
        ECDSAOperatorInfo[] memory infos = new ECDSAOperatorInfo[](257);
        for (uint256 i; i < infos.length; ++i) {
            infos[i] = ECDSAOperatorInfo({ pubkey: address(uint160(i + 1)), weights: _one(1) });
        }
        _setEcdsa(infos, table + 1, STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooManyOperators.selector, 257));
        quorum.takeTable("");
    }

    function test_theDigestIsEigenLayers() public view {
        assertEq(quorum.certificateDigest(table, MESSAGE), ecdsaVerifier.calculateCertificateDigest(table, MESSAGE));
    }
}

abstract contract Bn254QuorumTest is QuorumTest {
    function _curve() internal pure override returns (CurveType) {
        return CurveType.BN254;
    }

    function _set(uint256[] memory weights_, uint32 timestamp, uint32 staleness) internal override {
        _setBn254(_commitmentTo(weights_), timestamp, staleness);
    }

    function _entries(uint256[] memory weights_) internal view override returns (bytes memory) {
        return _bn254Entries(weights_);
    }

    function _handed(uint256[] memory weights_) internal view override returns (bytes memory) {
        return _bn254Entries(weights_);
    }

    function _sourceChecks() internal pure override returns (bool) {
        return false;
    }

    function test_withoutATableThereIsNone() public {
        operatorSet.id = 8;
        QuorumFixture.setUp();
        quorum = _quorum();
        vm.expectRevert(IQuorumVerifier.NoTable.selector);
        quorum.takeTable("");
    }

    /// Entries are the commitment's or none: any changed bit, order, cut or addition.
    function testFuzz_entriesAreProven(uint256 bit) public {
        _set(weights, table + 1, STALENESS);
        bytes memory entries = _bn254Entries(weights);
        bytes memory reason = abi.encodeWithSelector(IQuorumVerifier.EntriesMismatch.selector, table + 1);
        bit = bound(bit, 0, entries.length * 8 - 1);
        vm.expectRevert(reason);
        quorum.takeTable(_flip(entries, bit));
        vm.expectRevert(reason);
        quorum.takeTable(bytes.concat(entries, entries));
        vm.expectRevert(reason);
        quorum.takeTable("");
        quorum.takeTable(entries);
    }

    /// Root, number, sum of the keys and total must each be the entries'.
    function test_allOfTheCommitmentIsChecked() public {
        bytes memory entries = _bn254Entries(weights);
        for (uint32 field; field < 6; ++field) {
            BN254OperatorSetInfo memory info = _commitmentTo(weights);
            if (field == 0) info.operatorInfoTreeRoot = bytes32(uint256(info.operatorInfoTreeRoot) ^ 1);
            else if (field == 1) info.numOperators += 1;
            else if (field == 2) info.aggregatePubkey = _commitmentTo(_weightsOf(4)).aggregatePubkey;
            else if (field == 3) info.totalWeights[0] += 1;
            else if (field == 4) info.totalWeights = new uint256[](0);
            else info.totalWeights = new uint256[](2);
            uint32 timestamp = table + 1 + field;
            _setBn254(info, timestamp, STALENESS);
            vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.EntriesMismatch.selector, timestamp));
            quorum.takeTable(entries);
        }
    }

    function test_atMost256Operators() public {
        BN254OperatorSetInfo memory info = _commitmentTo(weights);
        info.numOperators = 257;
        _setBn254(info, table + 1, STALENESS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooManyOperators.selector, 257));
        quorum.takeTable("");
    }

    function test_theDigestIsEigenLayers() public view {
        assertEq(quorum.certificateDigest(table, MESSAGE), bn254Verifier.calculateCertificateDigest(table, MESSAGE));
    }
}

contract TableEcdsaQuorumCommonTest is EcdsaQuorumTest {
    function _quorum() internal view override returns (IQuorumVerifier) {
        return tableEcdsa;
    }

    function _sign(uint256[] memory, uint32 timestamp, bytes32 message, uint256 signers) internal view override returns (bytes memory) {
        return _signEcdsa(timestamp, message, signers);
    }

    function _sourceChecks() internal pure override returns (bool) {
        return false;
    }
}

contract EigenEcdsaQuorumCommonTest is EcdsaQuorumTest {
    function _quorum() internal view override returns (IQuorumVerifier) {
        return eigenEcdsa;
    }

    function _sign(uint256[] memory, uint32 timestamp, bytes32 message, uint256 signers) internal view override returns (bytes memory) {
        return _signEigenEcdsa(timestamp, message, signers);
    }

    function _sourceChecks() internal pure override returns (bool) {
        return true;
    }

    function _signatureBytes() internal pure override returns (uint256) {
        return 65;
    }
}

/// forge-config: default.fuzz.runs = 64
contract TableBn254QuorumCommonTest is Bn254QuorumTest {
    function _quorum() internal view override returns (IQuorumVerifier) {
        return tableBn254;
    }

    function _sign(uint256[] memory weights_, uint32 timestamp, bytes32 message, uint256 signers)
        internal
        view
        override
        returns (bytes memory)
    {
        return _signBn254(weights_.length, timestamp, message, signers);
    }
}

/// forge-config: default.fuzz.runs = 64
contract EigenBn254QuorumCommonTest is Bn254QuorumTest {
    function _quorum() internal view override returns (IQuorumVerifier) {
        return eigenBn254;
    }

    function _sign(uint256[] memory weights_, uint32 timestamp, bytes32 message, uint256 signers)
        internal
        view
        override
        returns (bytes memory)
    {
        return _signEigenBn254(weights_, timestamp, message, signers);
    }
}
