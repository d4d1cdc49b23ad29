// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAVSRegistrar } from "../../src/eigenlayer/IAVSRegistrar.sol";
import { OperatorSet, Allocation, CreateSetParamsV2, SignatureWithExpiry } from "../../src/eigenlayer/EigenTypes.sol";
import { EigenDevnetFixture } from "./EigenDevnetFixture.sol";
import { SlashingHandler } from "./SlashingHandler.sol";

/// @notice An AVS that lets everyone in, so that runs are about stake alone.
contract OpenRegistrar is IAVSRegistrar {
    function registerOperator(address, address, uint32[] calldata, bytes calldata) external { }
    function deregisterOperator(address, address, uint32[] calldata) external { }

    function supportsAVS(address) external pure returns (bool) {
        return true;
    }
}

contract DevnetSlashingInvariantTest is EigenDevnetFixture {
    address private constant BURN_ADDRESS = 0x00000000000000000000000000000000000E16E4;

    SlashingHandler private handler;
    OperatorSet[] private sets;
    address[] private operators;
    address[] private stakers;

    /// @dev Each operator is also its own staker.
    function setUp() public override {
        super.setUp();
        address openAvs = makeAddr("open avs");
        OpenRegistrar open = new OpenRegistrar();
        vm.startPrank(openAvs);
        allocationManager.updateAVSMetadataURI(openAvs, "");
        allocationManager.setAVSRegistrar(openAvs, open);
        for (uint32 id; id < 2; ++id) {
            allocationManager.createOperatorSets(openAvs, setParams(id, strategy));
            sets.push(OperatorSet(openAvs, id));
        }
        vm.stopPrank();
        for (uint256 i; i < 2; ++i) {
            operators.push(makeAddr(string(abi.encodePacked("operator", i))));
            registerAsOperator(operators[i], uint32(i) * 3);
            stakers.push(operators[i]);
        }
        for (uint256 i; i < 2; ++i) {
            stakers.push(makeAddr(string(abi.encodePacked("staker", i))));
            vm.prank(stakers[2 + i]);
            delegationManager.delegateTo(operators[i], SignatureWithExpiry("", 0), 0);
        }
        handler = new SlashingHandler(
            SlashingHandler.Contracts(allocationManager, delegationManager, strategyManager, stakeToken, strategy, slasher),
            sets,
            operators,
            stakers
        );
        // A start in the middle of things, so that short runs reach slashings.
        for (uint256 i; i < 4; ++i) {
            handler.depositSome(i, uint96(1e18 * (i + 1)));
            handler.join(i, i / 2);
            handler.allocate(i, i / 2, 0.4e18);
        }
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = SlashingHandler.depositSome.selector;
        selectors[1] = SlashingHandler.delegate.selector;
        selectors[2] = SlashingHandler.undelegate.selector;
        selectors[3] = SlashingHandler.allocate.selector;
        selectors[4] = SlashingHandler.join.selector;
        selectors[5] = SlashingHandler.slash.selector;
        selectors[6] = SlashingHandler.queue.selector;
        selectors[7] = SlashingHandler.complete.selector;
        selectors[8] = SlashingHandler.clear.selector;
        selectors[9] = SlashingHandler.pass.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_stakeIsConserved() public view {
        checkAllocations();
        checkOperatorShares();
        checkClaims();
    }

    /// @dev Encumbered is what is allocated or about to be; it never exceeds what slashing left.
    function checkAllocations() private view {
        for (uint256 i; i < operators.length; ++i) {
            uint256 sum;
            for (uint256 j; j < sets.length; ++j) {
                Allocation memory allocation = allocationManager.getAllocation(operators[i], sets[j], strategy);
                sum += allocation.currentMagnitude;
                if (allocation.pendingDiff > 0) sum += uint128(allocation.pendingDiff);
            }
            assertEq(allocationManager.getEncumberedMagnitude(operators[i], strategy), sum);
            assertLe(sum, handler.magnitudeOf(operators[i]));
            assertEq(allocationManager.getAllocatableMagnitude(operators[i], strategy), handler.magnitudeOf(operators[i]) - sum);
        }
    }

    /// @dev Stakers own no more than their operator's shares.
    function checkOperatorShares() private view {
        for (uint256 i; i < operators.length; ++i) {
            uint256 sum;
            for (uint256 j; j < stakers.length; ++j) {
                if (delegationManager.delegatedTo(stakers[j]) == operators[i]) sum += handler.withdrawable(stakers[j]);
            }
            assertLe(sum, handler.sharesOf(operators[i]));
        }
    }

    /// @dev The strategy holds what everyone can still claim, and no token is made or lost.
    function checkClaims() private view {
        uint256 claims = handler.slashedShares() - handler.clearedShares();
        (uint256 undelegated,) = handler.claimsOn(address(0));
        claims += undelegated;
        for (uint256 i; i < operators.length; ++i) {
            (uint256 shares,) = handler.claimsOn(operators[i]);
            claims += shares;
        }
        assertLe(claims, strategy.totalShares());
        assertEq(strategy.totalShares(), stakeToken.balanceOf(address(strategy)));
        assertEq(stakeToken.balanceOf(address(strategy)) + handler.paid() + stakeToken.balanceOf(BURN_ADDRESS), handler.deposited());
    }

    /// @dev At the end everyone is paid, whatever the order of events was.
    function afterInvariant() public {
        handler.settleAll();
        assertEq(handler.clearedShares(), handler.slashedShares());
        assertEq(handler.clearedShares(), stakeToken.balanceOf(BURN_ADDRESS));
        assertEq(stakeToken.balanceOf(address(strategy)) + handler.paid() + handler.clearedShares(), handler.deposited());
    }

    /// @dev The steps above are taken at all: a run of each, so that the invariants speak about something.
    function test_everyStepIsReachable() public {
        handler.slash(0, 0, 0.5e18);
        handler.queue(2, 1e18);
        handler.undelegate(3);
        handler.delegate(3, 0);
        handler.allocate(1, 1, 0.1e18);
        handler.pass(11);
        handler.complete(2, true);
        handler.clear(0);
        handler.join(0, 0);
        bytes32[10] memory steps =
            [bytes32("deposit"), "delegate", "undelegate", "allocate", "join", "leave", "slash", "queue", "complete", "clear"];
        for (uint256 i; i < steps.length; ++i) {
            assertGt(handler.taken(steps[i]), 0, string(abi.encodePacked(steps[i])));
        }
        invariant_stakeIsConserved();
    }
}
