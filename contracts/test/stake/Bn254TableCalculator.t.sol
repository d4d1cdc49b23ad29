// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BN254OperatorInfo, BN254OperatorSetInfo, DeregisterParams, G1Point } from "../../src/eigenlayer/EigenTypes.sol";
import { IKeyRegistrar } from "../../src/eigenlayer/IKeyRegistrar.sol";
import { EigenMerkle } from "../../src/eigenlayer/devnet/EigenMerkle.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";
import { Bn254TableCalculator } from "../../src/stake/Bn254TableCalculator.sol";
import { StakeWeights } from "../../src/stake/StakeWeights.sol";
import { Bn254SetFixture } from "../eigenlayer/Bn254SetFixture.sol";
import { Bn254TestKeys } from "../eigenlayer/Bn254TestKeys.sol";

contract Bn254TableCalculatorTest is Bn254SetFixture {
    function test_setWithoutOperatorsIsAllZeros() public view {
        BN254OperatorSetInfo memory empty;
        assertEq(bn254Calculator.calculateOperatorTableBytes(bn254Set), abi.encode(empty));
        assertEq(bn254Calculator.getOperatorInfos(bn254Set).length, 0);
    }

    function test_treeOfOneIsItsLeaf() public {
        joinBn254Set("only", 5e18, 4);
        BN254OperatorSetInfo memory info = table();
        assertEq(info.numOperators, 1);
        assertEq(info.operatorInfoTreeRoot, infoLeaf(bn254Calculator.getOperatorInfos(bn254Set)[0]));
        assertEq(info.aggregatePubkey.X, Bn254TestKeys.g1(4).X);
        assertEq(info.totalWeights[0], 5e18);
    }

    function test_threeLeavesArePaddedToFour() public {
        for (uint256 i = 1; i <= 3; ++i) {
            joinBn254Set(string(abi.encodePacked("operator", i)), i * 1e18, i);
        }
        BN254OperatorInfo[] memory infos = bn254Calculator.getOperatorInfos(bn254Set);
        bytes32 left = keccak256(bytes.concat(infoLeaf(infos[0]), infoLeaf(infos[1])));
        bytes32 right = keccak256(bytes.concat(infoLeaf(infos[2]), bytes32(0)));
        BN254OperatorSetInfo memory info = table();
        assertEq(info.operatorInfoTreeRoot, keccak256(bytes.concat(left, right)));
        assertEq(info.totalWeights[0], 6e18);
        G1Point memory sum = Bn254TestKeys.g1(6);
        assertEq(info.aggregatePubkey.X, sum.X);
        assertEq(info.aggregatePubkey.Y, sum.Y);
        for (uint256 i; i < 3; ++i) {
            assertEq(infos[i].pubkey.X, Bn254TestKeys.g1(i + 1).X);
            assertEq(infos[i].weights[0], (i + 1) * 1e18);
        }
    }

    function test_operatorsWithoutStakeAreLeftOutOfTheIndex() public {
        address poor = joinBn254Set("poor", 0, 1);
        address rich = joinBn254Set("rich", 3e18, 2);
        (bool found, uint32 index) = bn254Calculator.getOperatorIndex(bn254Set, rich);
        assertTrue(found);
        assertEq(index, 0);
        (found, index) = bn254Calculator.getOperatorIndex(bn254Set, poor);
        assertFalse(found);
        assertEq(index, 0);
        assertEq(table().numOperators, 1);
        assertEq(bn254Calculator.getOperatorWeights(bn254Set, rich)[0], 3e18);
        assertEq(bn254Calculator.getOperatorWeights(bn254Set, poor).length, 0);
        (, uint256[][] memory weights) = bn254Calculator.getOperatorSetWeights(bn254Set);
        assertEq(weights[0][0], 3e18);
        vm.prank(rich);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(rich, avs, ids(bn254Set.id)));
        assertEq(table().numOperators, 0);
    }

    function test_twoStrategiesGiveNoTable() public {
        joinBn254Set("operator", 1e18, 1);
        vm.startPrank(avs);
        allocationManager.addStrategiesToOperatorSet(
            avs, bn254Set.id, strategies(strategyFactory.deployNewStrategy(new DevnetToken("Other", "OTH", 18)))
        );
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(StakeWeights.MoreThanOneStrategy.selector, 2));
        bn254Calculator.calculateOperatorTableBytes(bn254Set);
    }

    function test_keyOffTheCurveIsRefused() public {
        address operator = joinBn254Set("operator", 1e18, 1);
        vm.mockCall(
            address(keyRegistrar),
            abi.encodeCall(IKeyRegistrar.getBN254Key, (bn254Set, operator)),
            abi.encode(G1Point(1, 1), Bn254TestKeys.g2(1))
        );
        vm.expectRevert(abi.encodeWithSelector(Bn254TableCalculator.KeyNotOnCurve.selector, operator));
        bn254Calculator.calculateOperatorTableBytes(bn254Set);
    }

    function test_everyOperatorOfEverySizeIsProven() public {
        for (uint256 count = 1; count <= 10; ++count) {
            joinBn254Set(string(abi.encodePacked("operator", count)), count * 1e18, count);
            BN254OperatorInfo[] memory infos = bn254Calculator.getOperatorInfos(bn254Set);
            bytes32 root = table().operatorInfoTreeRoot;
            for (uint256 i; i < count; ++i) {
                assertTrue(EigenMerkle.isIncluded(infoProof(infos, i), root, infoLeaf(infos[i]), i));
            }
        }
    }

    function table() private view returns (BN254OperatorSetInfo memory) {
        return abi.decode(bn254Calculator.calculateOperatorTableBytes(bn254Set), (BN254OperatorSetInfo));
    }
}
