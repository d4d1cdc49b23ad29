// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import { OperatorSet, CreateSetParamsV2, DeregisterParams, ECDSACertificate, ECDSAOperatorInfo } from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";
import { IAVSRegistrar } from "../../src/eigenlayer/IAVSRegistrar.sol";
import { StakeWeights } from "../../src/stake/StakeWeights.sol";
import { EigenDevnetFixture } from "../eigenlayer/EigenDevnetFixture.sol";

contract EcdsaTableCalculatorTest is EigenDevnetFixture {
    /// The allocated share of the stake, rounded down.
    function testFuzz_weightIsTheAllocatedShareOfTheStake(uint64 stake, uint64 magnitude) public {
        uint256 amount = bound(stake, 1e3, 10e18);
        uint64 allocated = uint64(bound(magnitude, 1, WAD));
        Operator memory operator = makeOperator("operator");
        registerAsOperator(operator.account, 0);
        uint256 shares = deposit(operator.account, amount);
        allocate(operator.account, allocated);
        registerKey(operator);
        registerForSet(operator.account);
        uint256 weight = shares * allocated / WAD;
        ECDSAOperatorInfo[] memory infos = table();
        assertEq(infos.length, weight == 0 ? 0 : 1);
        if (weight != 0) assertEq(infos[0].weights[0], weight);
    }

    function test_tableHoldsKeysAndStakeInOrderOfMembers() public {
        Operator[2] memory operator = [joinSet("first", 30e18), joinSet("second", 27e18)];
        ECDSAOperatorInfo[] memory infos = table();
        assertEq(infos.length, 2);
        for (uint256 i; i < 2; ++i) {
            assertEq(infos[i].pubkey, operator[i].signer);
            assertEq(infos[i].weights.length, 1);
            assertEq(infos[i].weights[0], i == 0 ? 30e18 : 27e18);
            assertEq(calculator.getOperatorWeights(operatorSet, operator[i].account)[0], infos[i].weights[0]);
        }
        (address[] memory operators, uint256[][] memory weights) = calculator.getOperatorSetWeights(operatorSet);
        assertEq(operators[1], operator[1].account);
        assertEq(weights[1][0], 27e18);
    }

    function test_operatorWithoutStakeIsLeftOut() public {
        Operator memory poor = joinSet("poor", 0);
        Operator memory rich = joinSet("rich", 5e18);
        ECDSAOperatorInfo[] memory infos = table();
        assertEq(infos.length, 1);
        assertEq(infos[0].pubkey, rich.signer);
        assertEq(calculator.getOperatorWeights(operatorSet, poor.account).length, 0);
    }

    /// Anyone may join, and 257 operators with a wei each would be a table that nobody can take.
    function test_ofTooManyOperators_theHeaviestAreInTheTable() public {
        uint256 most = calculator.MAX_OPERATORS();
        address[] memory members = new address[](most + 3);
        IStrategy[] memory strategies = _only(strategy);
        uint256[][] memory stake = new uint256[][](members.length);
        for (uint256 i; i < members.length; ++i) {
            members[i] = address(uint160(1_000 + i));
            stake[i] = new uint256[](1);
            // The first has least, the last but one nothing, and the others the same, but for a heavy one in the middle.
            stake[i][0] = i == 0 ? 1 : i == members.length - 2 ? 0 : i == 100 ? 9 : 2;
        }
        _mockSet(members, strategies, stake);
        (address[] memory operators, uint256[][] memory weights) = calculator.getOperatorSetWeights(operatorSet);
        assertEq(operators.length, most);
        // Of those who are equal the first stay: the last of all is out.
        for (uint256 i; i < most; ++i) {
            assertEq(operators[i], members[i + 1]);
            assertEq(weights[i][0], i == 99 ? 9 : 2);
        }
        assertEq(calculator.getOperatorWeights(operatorSet, members[100])[0], 9);
        assertEq(calculator.getOperatorWeights(operatorSet, members[0]).length, 0);
        assertEq(calculator.getOperatorWeights(operatorSet, members[most + 2]).length, 0);
    }

    /// Members without stake take no place from those with some.
    function test_ofTooManyMembers_thoseWithoutStakeAreLeftOut() public {
        uint256 most = calculator.MAX_OPERATORS();
        address[] memory members = new address[](most + 10);
        uint256[][] memory stake = new uint256[][](members.length);
        for (uint256 i; i < members.length; ++i) {
            members[i] = address(uint160(1_000 + i));
            stake[i] = new uint256[](1);
            stake[i][0] = i % 2;
        }
        _mockSet(members, _only(strategy), stake);
        (address[] memory operators,) = calculator.getOperatorSetWeights(operatorSet);
        assertEq(operators.length, members.length / 2);
        for (uint256 i; i < operators.length; ++i) {
            assertEq(operators[i], members[2 * i + 1]);
        }
    }

    /// @dev Joining takes too much gas for hundreds, so EigenLayer's answers are given here.
    function _mockSet(address[] memory members, IStrategy[] memory strategies, uint256[][] memory stake) private {
        uint32 futureBlock = uint32(block.number) + calculator.LOOKAHEAD_BLOCKS();
        address manager = address(allocationManager);
        vm.mockCall(manager, abi.encodeCall(allocationManager.getMembers, (operatorSet)), abi.encode(members));
        vm.mockCall(manager, abi.encodeCall(allocationManager.getMemberCount, (operatorSet)), abi.encode(members.length));
        vm.mockCall(manager, abi.encodeWithSelector(allocationManager.isMemberOfOperatorSet.selector), abi.encode(true));
        vm.mockCall(
            manager,
            abi.encodeCall(allocationManager.getMinimumSlashableStake, (operatorSet, members, strategies, futureBlock)),
            abi.encode(stake)
        );
        vm.mockCall(address(keyRegistrar), abi.encodeWithSelector(keyRegistrar.isRegistered.selector), abi.encode(true));
    }

    function _only(IStrategy only) private pure returns (IStrategy[] memory list) {
        list = new IStrategy[](1);
        list[0] = only;
    }

    /// @dev Only a registrar that asks for no key lets an operator in without one.
    function test_operatorWithoutKeyIsLeftOut() public {
        AdmitsEveryone open = new AdmitsEveryone();
        vm.prank(avs);
        allocationManager.setAVSRegistrar(avs, open);
        Operator memory keyless = makeOperator("keyless");
        registerAsOperator(keyless.account, 0);
        deposit(keyless.account, 5e18);
        allocate(keyless.account, WAD);
        registerForSet(keyless.account);
        Operator memory keyed = joinSet("keyed", 3e18);
        ECDSAOperatorInfo[] memory infos = table();
        assertEq(infos.length, 1);
        assertEq(infos[0].pubkey, keyed.signer);
        assertEq(calculator.getOperatorWeights(operatorSet, keyless.account).length, 0);
    }

    function test_operatorThatLeftIsNotInTheTable() public {
        Operator memory leaver = joinSet("leaver", 5e18);
        vm.prank(leaver.account);
        allocationManager.deregisterFromOperatorSets(DeregisterParams(leaver.account, avs, ids(operatorSet.id)));
        assertEq(table().length, 0);
        assertEq(calculator.getOperatorWeights(operatorSet, leaver.account).length, 0);
    }

    function test_stakeOnItsWayOutStopsCountingWithinTheLookahead() public {
        Operator memory operator = joinSet("operator", 8e18);
        allocate(operator.account, WAD / 4);
        assertEq(table()[0].weights[0], 8e18);
        vm.roll(block.number + DEALLOCATION_DELAY + 1 - calculator.LOOKAHEAD_BLOCKS() - 1);
        assertEq(table()[0].weights[0], 8e18);
        vm.roll(block.number + 1);
        assertEq(table()[0].weights[0], 2e18);
    }

    function test_moreThanOneStrategyHasNoTable() public {
        DevnetToken other = new DevnetToken("Other", "OTH", 18);
        other.mint(address(this), 1e18);
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        params[0].strategies = new IStrategy[](2);
        params[0].strategies[0] = strategy;
        params[0].strategies[1] = strategyFactory.deployNewStrategy(other);
        vm.prank(avs);
        allocationManager.createOperatorSets(avs, params);
        vm.expectRevert(abi.encodeWithSelector(StakeWeights.MoreThanOneStrategy.selector, 2));
        calculator.calculateOperatorTableBytes(OperatorSet(avs, 8));
    }

    function test_setWithoutStrategyHasAnEmptyTable() public {
        CreateSetParamsV2[] memory params = setParams(8, strategy);
        params[0].strategies = new IStrategy[](0);
        vm.prank(avs);
        allocationManager.createOperatorSets(avs, params);
        assertEq(calculator.calculateOperatorTableBytes(OperatorSet(avs, 8)), abi.encode(new ECDSAOperatorInfo[](0)));
    }

    /// @dev From registration to an accepted certificate: stake 30/27/23/20, any three reach two thirds, the two largest do not.
    function test_certificateOfStakedOperatorsReachesQuorum() public {
        Operator[4] memory operators = [joinSet("one", 30e18), joinSet("two", 27e18), joinSet("three", 23e18), joinSet("four", 20e18)];
        uint32 timestamp = transportTable();
        assertEq(ecdsaVerifier.getTotalStakeWeights(operatorSet, timestamp)[0], 100e18);
        bytes32 digest = ecdsaVerifier.calculateCertificateDigest(timestamp, keccak256("batch"));
        uint16[] memory threshold = new uint16[](1);
        threshold[0] = 6667;
        for (uint256 mask = 1; mask < 16; ++mask) {
            uint256 signed;
            bytes memory signatures;
            address last;
            for (uint256 count; count < 4; ++count) {
                uint256 next = 4;
                for (uint256 i; i < 4; ++i) {
                    bool candidate = (mask >> i) & 1 == 1 && operators[i].signer > last;
                    if (candidate && (next == 4 || operators[i].signer < operators[next].signer)) next = i;
                }
                if (next == 4) break;
                last = operators[next].signer;
                signatures = abi.encodePacked(signatures, sign(operators[next].signingKey, digest));
                signed += [uint256(30e18), 27e18, 23e18, 20e18][next];
            }
            (bool reached,) = ecdsaVerifier.verifyCertificateProportion(
                operatorSet, ECDSACertificate(timestamp, keccak256("batch"), signatures), threshold
            );
            assertEq(reached, signed * 10_000 >= 100e18 * 6667);
        }
    }

    function table() private view returns (ECDSAOperatorInfo[] memory) {
        return abi.decode(calculator.calculateOperatorTableBytes(operatorSet), (ECDSAOperatorInfo[]));
    }
}

contract AdmitsEveryone is IAVSRegistrar {
    function registerOperator(address, address, uint32[] calldata, bytes calldata) external { }

    function deregisterOperator(address, address, uint32[] calldata) external { }

    function supportsAVS(address) external pure returns (bool) {
        return true;
    }
}
