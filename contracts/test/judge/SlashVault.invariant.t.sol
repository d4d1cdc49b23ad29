// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Fault } from "../../src/judge/Evidence.sol";
import { ISlashVault } from "../../src/judge/ISlashVault.sol";
import { SlashingFixture } from "./SlashingFixture.sol";

/// @notice Offences, slashes and payments in any order, some paid out by strangers, with gifts and a strategy that gains in between.
contract SlashVaultInvariantTest is SlashingFixture {
    bytes32[] private _offences;
    uint256[] private _accused;
    uint64 private _round = 10;
    uint256 private _sealedAt;

    function setUp() public override {
        super.setUp();
        _sealedAt = block.timestamp;
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = this.offend.selector;
        selectors[1] = this.slash.selector;
        selectors[2] = this.collect.selector;
        selectors[3] = this.pay.selector;
        selectors[4] = this.give.selector;
        targetSelector(FuzzSelector({ addr: address(this), selectors: selectors }));
        targetContract(address(this));
    }

    function offend(uint256 who, bool equivocation) external {
        who = bound(who, 1, 15);
        _round++;
        // A batch of an old snapshot is no longer judged.
        equivocation = equivocation || block.timestamp > _sealedAt + WINDOW;
        if (!equivocation) who |= 7;
        _accused.push(who);
        _offences.push(
            equivocation ? _prove(Fault.Equivocation, _equivocation(_round, who)) : _prove(Fault.WrongRecord, _wrongBatch(_round, 1, who))
        );
    }

    /// Slashes some of them, with the vault collecting or, once in three, unable to.
    function slash(uint256 offence, uint256 which) external {
        if (_offences.length == 0) return;
        offence %= _offences.length;
        bytes memory keys = _keys(_accused[offence]);
        if (which % 3 == 0) vm.mockCallRevert(address(vault), abi.encodeWithSelector(ISlashVault.collect.selector), "");
        try matchmakerSlasher.slash(_offences[offence], keys, (which >> 8) & ((1 << (keys.length / 20)) - 1)) { } catch { }
        vm.clearMockedCalls();
    }

    function collect(uint256 slashId, bool byStranger) external {
        slashId = bound(slashId, 1, allocationManager.getSlashCount(operatorSet) + 1);
        if (byStranger) strategyManager.clearBurnOrRedistributableShares(operatorSet, slashId);
        try vault.collect(slashId) { } catch { }
    }

    function pay(uint256 offence, uint256 whom) external {
        if (_offences.length == 0) return;
        bytes32 offenceId = _offences[offence % _offences.length];
        if (whom % 5 == 0) try vault.payChallenger(offenceId) { } catch { }
        if (whom % 5 == 1) try vault.proveVictim(offenceId, _snapshot(), _ownerWord()) { } catch { }
        if (whom % 5 == 2) try vault.payVictim(offenceId) { } catch { }
        if (whom % 5 == 3) try vault.payTreasury(offenceId) { } catch { }
        if (whom % 5 == 4) vm.warp(block.timestamp + bound(whom, 1, 10 days));
    }

    function give(uint256 amount, bool toVault) external {
        require(stakeToken.transfer(toVault ? address(vault) : address(strategy), bound(amount, 0, 1e18)));
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 48
    /// What the pots hold is what is booked, and the vault holds it.
    function invariant_S13_thePotsHoldNoMoreThanTheVault() public view {
        uint256 held = 0;
        for (uint256 i = 0; i < _offences.length; i++) {
            ISlashVault.Pot memory pot = vault.potOf(_offences[i]);
            assertLe(pot.challengerPaid, pot.collected * CHALLENGER_BPS / 10_000);
            held += pot.collected - pot.challengerPaid - pot.victimPaid - pot.treasuryPaid;
            assertLe(vault.claimOf(_offences[i]).paid, vault.claimOf(_offences[i]).loss);
        }
        assertEq(held, vault.booked());
        assertLe(held, stakeToken.balanceOf(address(vault)));
    }
}
