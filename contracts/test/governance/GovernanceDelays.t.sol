// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { IAccessManager } from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import { ERC1967Utils } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { RoleHolder } from "../../src/deploy/MarketAuthority.sol";
import { MarketRoles } from "../../src/governance/MarketRoles.sol";
import { Escrow } from "../../src/market/Escrow.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice Parameters and upgrades wait, in front of everybody; an upgrade longer than stake takes to leave.
contract GovernanceDelaysTest is MarketBase {
    uint32 private constant GOVERNOR_DELAY = 22 days;
    uint32 private constant PARAMETERS_DELAY = 2 days;
    uint32 private constant UPGRADER_DELAY = 22 days;

    address private governor = makeAddr("governor");
    address private parameters = makeAddr("parameters");
    address private upgrader = makeAddr("upgrader");

    function setUp() public override {
        super.setUp();
        manager.renounceRole(MarketRoles.PARAMETERS, address(this));
    }

    function _roleHolders() internal view override returns (RoleHolder[] memory holders) {
        holders = new RoleHolder[](3);
        holders[0] = RoleHolder({ role: 0, account: governor, executionDelay: GOVERNOR_DELAY });
        holders[1] = RoleHolder({ role: MarketRoles.PARAMETERS, account: parameters, executionDelay: PARAMETERS_DELAY });
        holders[2] = RoleHolder({ role: MarketRoles.UPGRADER, account: upgrader, executionDelay: UPGRADER_DELAY });
    }

    function test_upgradesWaitLongerThanStakeUnbonds() public view {
        assertGt(UPGRADER_DELAY, _stakeTerms().unbondingSeconds);
        assertGt(GOVERNOR_DELAY, _stakeTerms().unbondingSeconds);
    }

    function test_aParameterIsSetOnlyAfterItsDelay() public {
        bytes memory call = abi.encodeCall(tokenRegistry.revokeToken, (USD));
        _waits(parameters, address(tokenRegistry), call, PARAMETERS_DELAY);
        assertFalse(tokenRegistry.isApproved(USD));
    }

    function test_codeIsReplacedOnlyAfterItsDelay() public {
        address implementation = address(new Escrow(market));
        bytes memory call = abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (implementation, ""));
        _waits(upgrader, address(escrow), call, UPGRADER_DELAY);
        assertEq(address(uint160(uint256(vm.load(address(escrow), ERC1967Utils.IMPLEMENTATION_SLOT)))), implementation);
    }

    /// The governor could grant itself any role: that waits as long.
    function test_theGovernorTakesNoShortCut() public {
        bytes memory call = abi.encodeCall(manager.grantRole, (MarketRoles.UPGRADER, governor, 0));
        bytes32 id = manager.hashOperation(governor, address(manager), call);
        vm.startPrank(governor);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, id));
        manager.grantRole(MarketRoles.UPGRADER, governor, 0);
        manager.schedule(address(manager), call, 0);
        vm.warp(vm.getBlockTimestamp() + GOVERNOR_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, id));
        manager.execute(address(manager), call);
        vm.warp(vm.getBlockTimestamp() + 1);
        manager.execute(address(manager), call);
        (bool held,) = manager.hasRole(MarketRoles.UPGRADER, governor);
        assertTrue(held);
    }

    function test_theGovernorIsNotTheRolesItGrants() public {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, governor);
        vm.startPrank(governor);
        vm.expectRevert(unauthorized);
        marketPause.pause(60);
        vm.expectRevert(unauthorized);
        tokenRegistry.revokeToken(USD);
    }

    function test_whatWasScheduledCanBeCalledOff() public {
        bytes memory call = abi.encodeCall(tokenRegistry.revokeToken, (USD));
        vm.prank(parameters);
        (bytes32 id,) = manager.schedule(address(tokenRegistry), call, 0);
        vm.prank(governor);
        manager.cancel(parameters, address(tokenRegistry), call);
        vm.warp(vm.getBlockTimestamp() + PARAMETERS_DELAY);
        vm.prank(parameters);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, id));
        manager.execute(address(tokenRegistry), call);
    }

    function test_theDeployerCanDoNothingAnyMore() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(this)));
        tokenRegistry.revokeToken(USD);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, address(this), uint64(0)));
        manager.grantRole(MarketRoles.PARAMETERS, address(this), 0);
    }

    /// Refused at once and a second too early; done after the delay, once.
    function _waits(address account, address target, bytes memory call, uint32 delay) private {
        bytes32 id = manager.hashOperation(account, target, call);
        vm.startPrank(account);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, id));
        manager.execute(target, call);
        manager.schedule(target, call, 0);
        vm.warp(vm.getBlockTimestamp() + delay - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, id));
        manager.execute(target, call);
        vm.warp(vm.getBlockTimestamp() + 1);
        manager.execute(target, call);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, id));
        manager.execute(target, call);
        vm.stopPrank();
    }
}
