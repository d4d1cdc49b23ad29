// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IQuorumVerifier } from "../../src/quorum/IQuorumVerifier.sol";
import { QuorumFixture } from "./QuorumFixture.sol";

/// @notice What a certificate costs by the number of operators, for both curves, checked by our own verifier and through EigenLayer's ABI.
/// Execution and calldata of the one call, with cold storage, without a transaction's 21,000; every number is in snapshots/Quorum.json.
contract QuorumGasTest is QuorumFixture {
    /// ecrecover, and 64 bytes of calldata without a zero.
    uint256 private constant ECDSA_FLOOR = 3000 + 64 * 16;

    /// Gas of one call in a transaction of its own, and of its calldata.
    function _measure(IQuorumVerifier quorum, uint256[] memory weights, uint256 signers, bytes memory certificate, string memory name)
        private
        returns (uint256 gasUsed)
    {
        uint256 weight = quorum.signedWeight(table, MESSAGE, certificate);
        gasUsed = vm.snapshotGasLastCall("Quorum", name) - 21_000;
        assertEq(weight, _weightOf(weights, signers));
    }

    function _named(string memory what, uint256 operators) private pure returns (string memory) {
        return string.concat(what, ", ", vm.toString(operators), " operators");
    }

    function _ecdsa(uint256 operators) private returns (uint256 ours, uint256 theirs) {
        uint256[] memory weights = _weightsOf(operators);
        _setEcdsa(_infosOf(weights), table, STALENESS);
        tableEcdsa.takeTable("");
        vm.snapshotGasLastCall("Quorum", _named("take an ECDSA table", operators));
        uint256 all = _all(operators);
        ours = _measure(tableEcdsa, weights, all, _signEcdsa(table, MESSAGE, all), _named("ECDSA by table, all sign", operators));
        theirs =
            _measure(eigenEcdsa, weights, all, _signEigenEcdsa(table, MESSAGE, all), _named("ECDSA by EigenLayer, all sign", operators));
    }

    /// One message for all sizes, so that hashing to the curve costs the same everywhere but where the keys make another challenge.
    function _bn254(uint256 operators) private {
        uint256[] memory weights = _weightsOf(operators);
        _setBn254(_commitmentTo(weights), table, STALENESS);
        bytes memory entries = _bn254Entries(weights);
        tableBn254.takeTable(entries);
        vm.snapshotGasLastCall("Quorum", _named("take a BN254 table", operators));
        eigenBn254.takeTable(entries);
        uint256 signers = _all(operators);
        _bn254By(weights, signers, _named("all sign", operators));
        _eigenBn254By(weights, signers, _named("all sign", operators));
        // A third is absent, spread over the table.
        for (uint256 i; i < operators; i += 3) {
            signers &= ~(1 << i);
        }
        _bn254By(weights, signers, _named("a third absent", operators));
        _eigenBn254By(weights, signers, _named("a third absent for the first time", operators));
        _eigenBn254By(weights, signers, _named("a third absent again", operators));
    }

    function _bn254By(uint256[] memory weights, uint256 signers, string memory name) private returns (uint256) {
        bytes memory certificate = _signBn254(weights.length, table, MESSAGE, signers);
        return _measure(tableBn254, weights, signers, certificate, string.concat("BN254 by table, ", name));
    }

    function _eigenBn254By(uint256[] memory weights, uint256 signers, string memory name) private {
        bytes memory certificate = _signEigenBn254(weights, table, MESSAGE, signers);
        _measure(eigenBn254, weights, signers, certificate, string.concat("BN254 by EigenLayer, ", name));
    }

    /// forge-config: default.isolate = true
    function test_ecdsaOf3() public {
        _ecdsa(3);
    }

    /// forge-config: default.isolate = true
    function test_ecdsaOf10() public {
        _ecdsa(10);
    }

    /// forge-config: default.isolate = true
    function test_ecdsaOf30() public {
        _ecdsa(30);
    }

    /// forge-config: default.isolate = true
    function test_ecdsaOf100() public {
        _ecdsa(100);
    }

    /// forge-config: default.isolate = true
    function test_ecdsaOf200() public {
        (uint256 ours, uint256 theirs) = _ecdsa(200);
        assertLt(ours * 4, theirs);
    }

    /// One more signer costs at most a tenth more than its precompile and calldata.
    /// forge-config: default.isolate = true
    function test_anEcdsaSignerCostsLittleMoreThanItsFloor() public {
        uint256[] memory weights = _weightsOf(200);
        _setEcdsa(_infosOf(weights), table, STALENESS);
        tableEcdsa.takeTable("");
        uint256 few = _measure(tableEcdsa, weights, _all(20), _signEcdsa(table, MESSAGE, _all(20)), "ECDSA by table, 20 of 200");
        uint256 many = _measure(tableEcdsa, weights, _all(200), _signEcdsa(table, MESSAGE, _all(200)), "ECDSA by table, 200 of 200");
        assertLe((many - few) * 100, ECDSA_FLOOR * 180 * 110);
    }

    /// forge-config: default.isolate = true
    function test_bn254Of3() public {
        _bn254(3);
    }

    /// forge-config: default.isolate = true
    function test_bn254Of10() public {
        _bn254(10);
    }

    /// forge-config: default.isolate = true
    function test_bn254Of30() public {
        _bn254(30);
    }

    /// forge-config: default.isolate = true
    function test_bn254Of100() public {
        _bn254(100);
    }

    /// forge-config: default.isolate = true
    function test_bn254Of200() public {
        _bn254(200);
    }

    /// One more operator that did not sign, wherever it stands in the table.
    /// forge-config: default.isolate = true
    function test_aBn254NonSignerCostsAtMost500() public {
        uint256[] memory weights = _weightsOf(200);
        _setBn254(_commitmentTo(weights), table, STALENESS);
        tableBn254.takeTable(_bn254Entries(weights));
        uint256 few = _bn254By(weights, _all(200) ^ 0x11, "198 of 200");
        uint256 many = _bn254By(weights, _all(200) ^ (_all(66) << 100 | 0x11), "132 of 200");
        assertLe(many - few, 500 * 66);
    }
}
