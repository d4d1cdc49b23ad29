// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IComputeLease, LeaseEnd } from "../../src/market/IComputeLease.sol";
import { OrderLock } from "../../src/market/IEscrow.sol";
import { OrderState, ProviderStatus } from "../../src/market/MarketTypes.sol";
import { MachineTotalsWord } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { Deal, Phase } from "./CampaignBase.sol";
import { GovernorSteps } from "./GovernorSteps.sol";
import { Size } from "./LeaseSteps.sol";

/// @notice The whole market under random calls of every actor, each of which is known to succeed or to be refused before it is made;
/// the books of the model are compared with the contracts after every few calls.
/// @dev What a judge on the stake chain slashes for (S8, S9 of operators) is not here: this is the market's side, where a wrong record is
/// left out or holds within the tenant's consent. Gas is measured with warm storage; what a cold transaction costs is in the snapshots.
contract EconomyCampaign is GovernorSteps {
    /// Calls between two comparisons of all books.
    uint256 private constant CALLS_A_CHECK = 64;

    /// @notice Makes `count` calls; the same seed makes the same ones. Returns what went wrong.
    function play(uint256 seed, uint256 count) external returns (uint256 violated, uint256 surprised) {
        _seed(seed);
        uint256 end = calls + count;
        uint256 checked = calls;
        if (providers == 0) _openMarket();
        // What comes after the first finding would only repeat it.
        while (calls < end && violations == 0 && surprises == 0) {
            try this.step() { }
            catch (bytes memory reason) {
                _violated("the model cannot follow", calls, uint32(bytes4(reason)));
            }
            if (calls - checked < CALLS_A_CHECK) continue;
            checked = calls;
            this.checkAll();
        }
        if (violations == 0 && surprises == 0) this.checkAll();
        return (violations, surprises);
    }

    function ordersFacts() external view returns (bytes32) {
        return orderRequest.factsWord();
    }

    function registryFacts() external view returns (bytes32) {
        return providerRegistry.factsWord();
    }

    /// Three providers with a machine and offers in every token, so that no episode starts from an empty market.
    function _openMarket() private {
        for (uint24 i = 1; i <= 3; ++i) {
            address owner = owners[i - 1];
            _propose(owner, 3, 3);
            _stakeFrom(i, owner, (1000 + _draw(5000)) * 1 ether);
            _activate(i, owner);
            _registerMachine(i, owner, 8);
            for (uint16 tokenId = 1; tokenId <= TOKENS; ++tokenId) {
                _setOffer(i, owner, uint8(tokenId - 1), tokenId);
            }
            _activateMachine(i, owner);
        }
    }

    /// One actor's next call; its own frame, so that its memory is given back.
    function step() external {
        uint256 kind = _draw(100);
        if (kind < 12) _pass();
        else if (kind < 22) _moneyStep();
        else if (kind < 36) _orderStep();
        else if (kind < 42) _providerStep();
        else if (kind < 49) _machineStep();
        else if (kind < 56) _stakeStep();
        else if (kind < 60) _complianceStep();
        else if (kind < 66) _rewardStep();
        else if (kind < 73) _bidStep();
        else if (kind < 83) _roundStep();
        else if (kind < 97) _leaseStep();
        else _governorStep();
    }

    // ---- invariants

    function checkAll() external {
        for (uint16 tokenId = 1; tokenId <= TOKENS; ++tokenId) {
            _checkSolvency(tokenId);
        }
        for (uint256 i; i < live.length; ++i) {
            _checkOrder(live[i]);
        }
        for (uint32 i = 1; i <= machines; ++i) {
            _checkCapacity(i);
        }
        for (uint24 i = 1; i <= providers; ++i) {
            _checkProvider(i);
        }
        _checkStake();
        _checkBonds();
        _checkRewards();
        _require(settlement.lastSettledRound() == lastSettled, "S1 one batch a round", lastSettled, settlement.lastSettledRound());
        _require(orderRequest.orderCount() == orders, "S2 orders created", orders, orderRequest.orderCount());
        _require(!hostileA.reentered() && !hostileB.reentered(), "S21 no token gets back in", 0, 0);
    }

    /// S13 as an equality, S21: every balance is what its owner's own calls, leases and refunds made it.
    function _checkSolvency(uint16 tokenId) private {
        uint256 sum;
        for (uint256 i; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 balance = owned[tokenId][account];
            _require(escrow.balanceOf(account, tokenId) == balance, "S21 a balance is its owner's", tokenId, uint160(account));
            _require(escrow.bondsOf(account, tokenId) == bonded[tokenId][account], "S13 bonds", tokenId, uint160(account));
            sum += balance + bonded[tokenId][account];
        }
        for (uint256 i; i < TENANTS; ++i) {
            sum += _checkSponsored(tokenId, tenants[i], sponsor) + _checkSponsored(tokenId, tenants[i], tenants[1]);
        }
        for (uint256 i; i < live.length; ++i) {
            Deal storage deal = deals[live[i]];
            if (deal.tokenId == tokenId) sum += deal.locked - deal.spent;
        }
        _require(escrow.liabilities(tokenId) == sum, "S13 liabilities are the sum of what is owed", tokenId, sum);
        uint256 held = _tokenBalance(tokenId, address(escrow));
        _require(held == sum + donated[tokenId], "S13 solvency", tokenId, held);
    }

    function _checkSponsored(uint16 tokenId, address account, address by) private returns (uint256 amount) {
        amount = sponsoredOwned[tokenId][account][by];
        uint256 held = escrow.sponsoredBalanceOf(account, by, tokenId);
        _require(held == amount, "S21 sponsored funds are the sponsor's", tokenId, held);
    }

    /// S2, S14, S15: the order, its lock and its lease are what the model says.
    function _checkOrder(uint32 orderId) private {
        Deal storage deal = deals[orderId];
        OrderLock memory lock = escrow.lockOf(orderId);
        bool same = lock.tenant == deal.tenant && lock.locked == deal.locked && lock.spent == deal.spent && lock.sponsored == deal.sponsored
            && lock.accruedPaid == deal.paid && !lock.released;
        _require(same, "S14 the lock is what the model says", orderId, lock.locked);
        _require(lock.spent <= lock.locked, "S14 spent is at most what is locked", orderId, lock.spent);
        OrderWord word = OrderWord.wrap(uint256(orderRequest.orderWord(orderId)));
        if (deal.phase == Phase.Open) {
            bool open = word.isOpen() && word.untilRound() == deal.untilRound && word.eligibleFromBlock() == deal.eligibleFromBlock
                && word.bidCount() == bidders[orderId].length;
            return _require(open, "S2 an open order is one", orderId, OrderWord.unwrap(word));
        }
        _require(word.state() == uint256(OrderState.Matched), "S2 a lease is one", orderId, OrderWord.unwrap(word));
        _require(word.priceMicroPerHour() == deal.price, "S15 the price is the agreed one", orderId, word.priceMicroPerHour());
        uint256 accrued = _accruedAt(deal, block.timestamp);
        _require(computeLease.accrued(orderId) == accrued, "S14 accrual", orderId, accrued);
        uint256 most = deal.readyAt == 0 ? 0 : _accruedAt(deal, type(uint32).max);
        _require(most + most * deal.userFeeBps / 10_000 <= lock.locked, "S14 all that can accrue is locked", orderId, most);
        (LeaseEnd reason, uint32 deadline) = computeLease.nextDeadline(orderId);
        (LeaseEnd expected, uint256 time) = _deadline(deal);
        _require(reason == expected && deadline == time, "the next deadline", orderId, deadline);
    }

    /// S16: what leases hold and what is free is what the machine has, in every dimension and on every device.
    function _checkCapacity(uint32 machineId) private {
        (MachineWord machine, MachineTotalsWord totals) = _machineWords(machineId);
        uint256[3] memory used = [machine.freeCpuMilli(), machine.freeMemoryMib(), machine.freeStorageGib()];
        uint256[8] memory devices;
        for (uint256 i; i < live.length; ++i) {
            Deal storage deal = deals[live[i]];
            if (deal.phase != Phase.Leased || deal.machineId != machineId) continue;
            Size memory size = sizes[live[i]];
            used[0] += size.cpuMilli;
            used[1] += size.memoryMib;
            used[2] += size.storageGib;
            for (uint256 d; d < 8; ++d) {
                if ((size.deviceMask >> d) & 1 != 0) devices[d] += _unit(size.milliGpu);
            }
        }
        bool whole = used[0] == totals.cpuMilli() && used[1] == totals.memoryMib() && used[2] == totals.storageGib();
        for (uint256 d; d < 8; ++d) {
            whole = whole && devices[d] + machine.freeMilliGpu(d) == (d < totals.deviceCount() ? 1000 : 0);
        }
        _require(whole, "S16 leased and free is what is registered", machineId, used[0]);
    }

    /// S17: who works has the stake its machines need; S20: compliance.
    function _checkProvider(uint24 providerId) private {
        ProviderWord word = ProviderWord.wrap(uint256(providerRegistry.providerWord(providerId)));
        ProviderStatus status = providerBooks[providerId].status;
        _require(word.status() == uint256(status), "S17 standing is what the model says", providerId, word.status());
        uint256 own = providerBooks[providerId].own;
        uint256 needed = providerBooks[providerId].machinesWhole;
        _require(providerRegistry.machinesStakeWhole(providerId) == needed, "S17 what machines need", providerId, needed);
        bool works = status == ProviderStatus.Active || status == ProviderStatus.Maintenance;
        _require(!works || own / 1 ether >= needed, "S17 who works is backed by stake", providerId, own);
        (uint256 held, uint256 delegated,) = stakingManager.stakeOf(providerId);
        _require(held == own, "S17 own stake", providerId, held);
        _require(word.stakeWhole() == own / 1 ether + delegated / 1 ether, "S17 the stake that scores", providerId, word.stakeWhole());
        _checkCompliance(providerId);
    }

    function _checkStake() private {
        uint256 sum;
        for (uint24 i = 1; i <= providers; ++i) {
            (uint256 own, uint256 delegated, uint256 unbonding) = stakingManager.stakeOf(i);
            sum += own + delegated + unbonding;
        }
        for (uint256 i; i < accounts.length; ++i) {
            uint256 credit = compensation[accounts[i]];
            _require(stakingManager.compensationOf(accounts[i]) == credit, "S9 compensation", i, credit);
            sum += credit;
        }
        _require(stakingManager.liabilities() == sum, "S13 stake owed", 0, sum);
        uint256 balance = stakeToken.balanceOf(address(stakingManager));
        _require(balance == sum + stakeDonated, "S13 stake held", 0, balance);
    }
}
