// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";

contract MarketPauseTest is Test {
    uint256 private constant NOW = 1_800_000_000;

    AccessManager private authority;
    MarketPause private marketPause;
    address private stranger = makeAddr("stranger");

    function setUp() public {
        vm.warp(NOW);
        authority = new AccessManager(address(this));
        marketPause = MarketPause(
            address(new ERC1967Proxy(address(new MarketPause()), abi.encodeCall(MarketPause.initialize, (address(authority)))))
        );
    }

    function test_PausesForAsLongAsAskedAndLetsGoByItself() public {
        marketPause.requireRunning();
        vm.expectEmit(address(marketPause));
        emit IMarketPause.Paused(uint40(NOW + 3600), address(this));
        marketPause.pause(3600);
        vm.snapshotGasLastCall("MarketPause", "pause");
        assertEq(marketPause.pausedUntil(), NOW + 3600);
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.MarketPaused.selector, NOW + 3600));
        marketPause.requireRunning();
        vm.warp(NOW + 3599);
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.MarketPaused.selector, NOW + 3600));
        marketPause.requireRunning();
        vm.warp(NOW + 3600);
        marketPause.requireRunning();
    }

    function test_GuardianEndsAPauseEarly() public {
        marketPause.pause(3600);
        vm.warp(NOW + 60);
        vm.expectEmit(address(marketPause));
        emit IMarketPause.Unpaused(address(this));
        marketPause.unpause();
        vm.snapshotGasLastCall("MarketPause", "unpause");
        marketPause.requireRunning();
        vm.expectRevert(IMarketPause.NotPaused.selector);
        marketPause.unpause();
    }

    function test_RevertIf_NothingIsPaused() public {
        vm.expectRevert(IMarketPause.NotPaused.selector);
        marketPause.unpause();
        marketPause.pause(1);
        vm.warp(NOW + 1);
        vm.expectRevert(IMarketPause.NotPaused.selector);
        marketPause.unpause();
    }

    function test_RevertIf_PauseIsEmptyOrTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.PauseTooLong.selector, 0, 3 days));
        marketPause.pause(0);
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.PauseTooLong.selector, 3 days + 1, 3 days));
        marketPause.pause(3 days + 1);
        marketPause.pause(3 days);
    }

    function test_RevertIf_PausesWouldBeChained() public {
        marketPause.pause(3 days);
        uint256 earliest = NOW + 10 days;
        bytes memory coolingDown = abi.encodeWithSelector(IMarketPause.PauseCoolingDown.selector, earliest);
        vm.expectRevert(coolingDown);
        marketPause.pause(1);
        vm.warp(earliest - 1);
        vm.expectRevert(coolingDown);
        marketPause.pause(1);
        vm.warp(earliest);
        marketPause.pause(1);
    }

    function test_AnEarlyEndCoolsDownFromItself() public {
        marketPause.pause(3 days);
        vm.warp(NOW + 1 hours);
        marketPause.unpause();
        vm.warp(NOW + 1 hours + 7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketPause.PauseCoolingDown.selector, NOW + 1 hours + 7 days));
        marketPause.pause(1);
        vm.warp(NOW + 1 hours + 7 days);
        marketPause.pause(1);
    }

    /// Whatever a guardian tries, the market stands for at most 3 of any 10 days.
    function testFuzz_AGuardianNeverHoldsTheMarketForLong(uint32[16] memory durations, uint32[16] memory waits) public {
        uint256[16] memory starts;
        uint256 pauses;
        for (uint256 i; i < 16; ++i) {
            durations[pauses] = uint32(bound(durations[i], 1, 3 days));
            try marketPause.pause(durations[pauses]) {
                starts[pauses++] = vm.getBlockTimestamp();
            } catch (bytes memory reason) {
                assertEq(bytes4(reason), IMarketPause.PauseCoolingDown.selector);
            }
            vm.warp(vm.getBlockTimestamp() + bound(waits[i], 1, 8 days));
        }
        assertGt(pauses, 0);
        // A window that begins with a pause holds the most.
        for (uint256 first; first < pauses; ++first) {
            uint256 end = starts[first] + 10 days;
            uint256 paused;
            for (uint256 i = first; i < pauses && starts[i] < end; ++i) {
                paused += Math.min(starts[i] + durations[i], end) - starts[i];
            }
            assertLe(paused, 3 days);
        }
    }

    function test_RevertIf_CallerIsNotTheGuardian() public {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        marketPause.pause(60);
        vm.expectRevert(unauthorized);
        marketPause.unpause();
    }

    function test_StateIsInItsNamespaceAlone() public {
        marketPause.pause(60);
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.MarketPause");
        assertEq(uint256(vm.load(address(marketPause), slot)), NOW + 60);
    }

    function test_RevertIf_InitializedAgainOrUnproxied() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        marketPause.initialize(stranger);
        MarketPause implementation = new MarketPause();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(stranger);
    }
}
