// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { Test } from "forge-std/Test.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import {
    OperatorSet,
    Allocation,
    AllocateParams,
    DeregisterParams,
    QueuedWithdrawalParams,
    RegisterParams,
    SignatureWithExpiry,
    SlashingParams,
    Withdrawal
} from "../../src/eigenlayer/EigenTypes.sol";
import { DevnetAllocationManager } from "../../src/eigenlayer/devnet/DevnetAllocationManager.sol";
import { DevnetDelegationManager } from "../../src/eigenlayer/devnet/DevnetDelegationManager.sol";
import { DevnetStrategyManager } from "../../src/eigenlayer/devnet/DevnetStrategyManager.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";

/// @notice Random deposits, delegations, allocations, slashings, withdrawals and pay-outs of a few accounts over two operator sets.
contract SlashingHandler is Test {
    struct Contracts {
        DevnetAllocationManager allocationManager;
        DevnetDelegationManager delegationManager;
        DevnetStrategyManager strategyManager;
        DevnetToken token;
        IStrategy strategy;
        address slasher;
    }

    uint64 private constant WAD = 1e18;

    Contracts private core;
    OperatorSet[] private sets;
    address[] private operators;
    address[] private stakers;
    uint256 public deposited;
    uint256 public paid;
    uint256 public slashedShares;
    uint256 public clearedShares;
    mapping(address operator => uint64) public lowestMagnitude;
    mapping(bytes32 action => uint256) public taken;

    constructor(Contracts memory core_, OperatorSet[] memory sets_, address[] memory operators_, address[] memory stakers_) {
        core = core_;
        for (uint256 i; i < sets_.length; ++i) {
            sets.push(sets_[i]);
        }
        operators = operators_;
        stakers = stakers_;
        for (uint256 i; i < operators_.length; ++i) {
            lowestMagnitude[operators_[i]] = WAD;
        }
    }

    // ------------------------------------------------------------------ actions

    function depositSome(uint256 who, uint96 amount) external {
        address staker = stakers[who % stakers.length];
        uint256 added = bound(amount, 1, 1e24);
        if (magnitudeOf(core.delegationManager.delegatedTo(staker)) == 0) return;
        core.token.mint(staker, added);
        vm.startPrank(staker);
        core.token.approve(address(core.strategyManager), added);
        core.strategyManager.depositIntoStrategy(core.strategy, core.token, added);
        vm.stopPrank();
        deposited += added;
        ++taken["deposit"];
    }

    function delegate(uint256 who, uint256 to) external {
        address staker = stakers[who % stakers.length];
        address operator = operators[to % operators.length];
        if (core.delegationManager.isDelegated(staker) || magnitudeOf(operator) == 0) return;
        vm.prank(staker);
        core.delegationManager.delegateTo(operator, SignatureWithExpiry("", 0), 0);
        ++taken["delegate"];
    }

    function undelegate(uint256 who) external {
        address staker = stakers[who % stakers.length];
        if (!core.delegationManager.isDelegated(staker) || core.delegationManager.isOperator(staker)) return;
        vm.prank(staker);
        core.delegationManager.undelegate(staker);
        ++taken["undelegate"];
    }

    function allocate(uint256 who, uint256 which, uint64 magnitude) external {
        address operator = operators[who % operators.length];
        OperatorSet memory set = sets[which % sets.length];
        Allocation memory current = core.allocationManager.getAllocation(operator, set, core.strategy);
        if (current.effectBlock != 0) return;
        uint64 room = core.allocationManager.getAllocatableMagnitude(operator, core.strategy);
        magnitude = uint64(bound(magnitude, 0, current.currentMagnitude + room));
        if (magnitude == current.currentMagnitude) return;
        AllocateParams[] memory params = new AllocateParams[](1);
        params[0] = AllocateParams(set, strategies(), new uint64[](1));
        params[0].newMagnitudes[0] = magnitude;
        vm.prank(operator);
        core.allocationManager.modifyAllocations(operator, params);
        ++taken["allocate"];
    }

    function join(uint256 who, uint256 which) external {
        address operator = operators[who % operators.length];
        OperatorSet memory set = sets[which % sets.length];
        uint32[] memory ids = new uint32[](1);
        ids[0] = set.id;
        if (core.allocationManager.isMemberOfOperatorSet(operator, set)) {
            vm.prank(operator);
            core.allocationManager.deregisterFromOperatorSets(DeregisterParams(operator, set.avs, ids));
            ++taken["leave"];
        } else if (!core.allocationManager.isOperatorSlashable(operator, set)) {
            vm.prank(operator);
            core.allocationManager.registerForOperatorSets(operator, RegisterParams(set.avs, ids, ""));
            ++taken["join"];
        }
    }

    /// @dev What stakers lose is what the slashing says, but for one unit each that rounding leaves with the operator's shares.
    function slash(uint256 who, uint256 which, uint64 wad) external {
        address operator = operators[who % operators.length];
        OperatorSet memory set = sets[which % sets.length];
        if (!core.allocationManager.isOperatorSlashable(operator, set)) return;
        uint256[] memory wads = new uint256[](1);
        wads[0] = bound(wad, 1, WAD);
        (uint256 before, uint256 claims) = claimsOn(operator);
        uint256 dust = sharesOf(operator) + core.delegationManager.getSlashableSharesInQueue(operator, core.strategy);
        dust = dust > slashableClaimsOn(operator) ? dust - slashableClaimsOn(operator) : 0;
        vm.prank(core.slasher);
        (, uint256[] memory shares) =
            core.allocationManager.slashOperator(set.avs, SlashingParams(operator, set.id, strategies(), wads, ""));
        (uint256 afterwards,) = claimsOn(operator);
        assertLe(before - afterwards, shares[0] + claims + 1, "stakers lost more than was slashed");
        assertLe(shares[0], before - afterwards + dust + claims + 1, "more was slashed than stakers lost");
        slashedShares += shares[0];
        uint64 magnitude = magnitudeOf(operator);
        assertLe(magnitude, lowestMagnitude[operator], "a slashed magnitude came back");
        lowestMagnitude[operator] = magnitude;
        ++taken["slash"];
    }

    function queue(uint256 who, uint256 part) external {
        address staker = stakers[who % stakers.length];
        uint256 held = core.strategyManager.stakerDepositShares(staker, core.strategy);
        if (held == 0) return;
        queueShares(staker, bound(part, 1, held));
        ++taken["queue"];
    }

    function complete(uint256 who, bool asTokens) external {
        address staker = stakers[who % stakers.length];
        (Withdrawal[] memory queued,) = core.delegationManager.getQueuedWithdrawals(staker);
        if (queued.length == 0 || block.number <= queued[0].startBlock + core.delegationManager.minWithdrawalDelayBlocks()) return;
        if (magnitudeOf(core.delegationManager.delegatedTo(staker)) == 0) asTokens = true;
        completeWithdrawal(queued[0], asTokens);
        ++taken["complete"];
    }

    function clear(uint256 which) external {
        OperatorSet memory set = sets[which % sets.length];
        uint256[] memory pending = core.strategyManager.getPendingSlashIds(set);
        if (pending.length == 0) return;
        clearSlash(set, pending[0]);
        ++taken["clear"];
    }

    function pass(uint8 blocks) external {
        vm.roll(block.number + bound(blocks, 1, 12));
    }

    // ------------------------------------------------------------------ the end

    /// @notice Everyone takes out everything, and every slashing is paid out.
    function settleAll() external {
        for (uint256 i; i < stakers.length; ++i) {
            uint256 held = core.strategyManager.stakerDepositShares(stakers[i], core.strategy);
            if (held != 0) queueShares(stakers[i], held);
        }
        vm.roll(block.number + core.delegationManager.minWithdrawalDelayBlocks() + 1);
        for (uint256 i; i < stakers.length; ++i) {
            (Withdrawal[] memory queued,) = core.delegationManager.getQueuedWithdrawals(stakers[i]);
            for (uint256 j; j < queued.length; ++j) {
                completeWithdrawal(queued[j], true);
            }
        }
        for (uint256 i; i < sets.length; ++i) {
            uint256[] memory pending = core.strategyManager.getPendingSlashIds(sets[i]);
            for (uint256 j; j < pending.length; ++j) {
                clearSlash(sets[i], pending[j]);
            }
        }
    }

    // ------------------------------------------------------------------ what is there

    /// @return shares All that an operator's stakers, queued withdrawals included, would get now.
    /// @return count Of positions.
    function claimsOn(address operator) public view returns (uint256 shares, uint256 count) {
        for (uint256 i; i < stakers.length; ++i) {
            if (core.delegationManager.delegatedTo(stakers[i]) == operator) {
                shares += withdrawable(stakers[i]);
                ++count;
            }
            (Withdrawal[] memory queued, uint256[][] memory left) = core.delegationManager.getQueuedWithdrawals(stakers[i]);
            for (uint256 j; j < queued.length; ++j) {
                if (queued[j].delegatedTo != operator) continue;
                shares += left[j][0];
                ++count;
            }
        }
    }

    /// @dev As `claimsOn` without withdrawals whose delay is over.
    function slashableClaimsOn(address operator) private view returns (uint256 shares) {
        (shares,) = claimsOn(operator);
        for (uint256 i; i < stakers.length; ++i) {
            (Withdrawal[] memory queued, uint256[][] memory left) = core.delegationManager.getQueuedWithdrawals(stakers[i]);
            for (uint256 j; j < queued.length; ++j) {
                bool over = block.number > queued[j].startBlock + core.delegationManager.minWithdrawalDelayBlocks();
                if (queued[j].delegatedTo == operator && over) shares -= left[j][0];
            }
        }
    }

    function withdrawable(address staker) public view returns (uint256) {
        (uint256[] memory shares,) = core.delegationManager.getWithdrawableShares(staker, strategies());
        return shares[0];
    }

    function sharesOf(address operator) public view returns (uint256) {
        return core.delegationManager.getOperatorShares(operator, strategies())[0];
    }

    function magnitudeOf(address operator) public view returns (uint64) {
        return core.allocationManager.getMaxMagnitude(operator, core.strategy);
    }

    function queueShares(address staker, uint256 shares) private {
        QueuedWithdrawalParams[] memory params = new QueuedWithdrawalParams[](1);
        params[0] = QueuedWithdrawalParams(strategies(), new uint256[](1), address(0));
        params[0].depositShares[0] = shares;
        vm.prank(staker);
        core.delegationManager.queueWithdrawals(params);
    }

    function completeWithdrawal(Withdrawal memory withdrawal, bool asTokens) private {
        IERC20[] memory tokens = new IERC20[](1);
        tokens[0] = core.token;
        uint256 before = core.token.balanceOf(withdrawal.staker);
        vm.prank(withdrawal.staker);
        core.delegationManager.completeQueuedWithdrawal(withdrawal, tokens, asTokens);
        paid += core.token.balanceOf(withdrawal.staker) - before;
    }

    function clearSlash(OperatorSet memory set, uint256 slashId) private {
        clearedShares += core.strategyManager.getBurnOrRedistributableShares(set, slashId, core.strategy);
        core.strategyManager.clearBurnOrRedistributableShares(set, slashId);
    }

    function strategies() private view returns (IStrategy[] memory list) {
        list = new IStrategy[](1);
        list[0] = core.strategy;
    }
}
