// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { Candidate, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { RoundRules, RulesByVersion } from "../../src/rules/RulesByVersion.sol";
import { BidWord } from "../../src/words/BidWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord } from "../../src/words/OfferWord.sol";
import { OrderWord } from "../../src/words/OrderWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";

/// @notice An order as its contract keeps it, with the words of its bids by index.
struct HarnessOrder {
    uint32 orderId;
    uint256 word;
    OrderSpec spec;
    uint256[] bids;
}

/// @notice A machine, its provider and its four newest offers.
struct HarnessMachine {
    uint256 word;
    uint256 provider;
    uint256[4] offers;
}

/// @title Every order of a round on every machine of it, by the rules as the judge executes them.
contract RulesHarness {
    /// @return results By order, then by machine (ids count from 1): total 64 | price 40 | device mask 8 | from bid 8 | reason 8, from bit 0
    /// upwards reason first. Only the reason is set where it is not zero.
    function judgeAll(RoundRules memory round, HarnessOrder[] memory orders, HarnessMachine[] memory machines)
        external
        pure
        returns (uint256[] memory results)
    {
        results = new uint256[](orders.length * machines.length);
        for (uint256 i; i < orders.length; ++i) {
            for (uint256 j; j < machines.length; ++j) {
                results[i * machines.length + j] = _judge(round, orders[i], _candidate(round.facts, orders[i], machines[j], j + 1));
            }
        }
    }

    function _judge(RoundRules memory round, HarnessOrder memory order, Candidate memory candidate) private pure returns (uint256) {
        uint256 reason = MatchRules.rejection(round.facts, round.policy, OrderWord.wrap(order.word), order.spec, candidate);
        if (reason != 0) return reason;
        (uint256 price, bool fromBid) = MatchRules.quote(round.facts, order.spec, candidate);
        (, uint256 mask) = RulesByVersion.chooseDevices(round, candidate.machine, order.spec.milliGpu);
        uint256 total = RulesByVersion.totalOf(round, order.orderId, order.spec, candidate, price);
        return (total << 64) | (price << 24) | (mask << 16) | (fromBid ? 1 << 8 : 0);
    }

    /// The offer in the order's token, and of the live bids on the machine the lowest, the earliest of equals.
    function _candidate(RoundFacts memory facts, HarnessOrder memory order, HarnessMachine memory machine, uint256 machineId)
        private
        pure
        returns (Candidate memory candidate)
    {
        candidate.machineId = machineId;
        candidate.machine = MachineWord.wrap(machine.word);
        candidate.provider = ProviderWord.wrap(machine.provider);
        for (uint256 i; i < machine.offers.length; ++i) {
            OfferWord offer = OfferWord.wrap(machine.offers[i]);
            if (order.spec.tokenId != 0 && offer.tokenId() == order.spec.tokenId) candidate.offer = offer;
        }
        BidWord best;
        for (uint256 i; i < order.bids.length; ++i) {
            candidate.bid = BidWord.wrap(order.bids[i]);
            if (!MatchRules.hasLiveBid(facts, candidate)) continue;
            bool first = BidWord.unwrap(best) == 0;
            if (first || candidate.bid.priceMicroPerHour() < best.priceMicroPerHour()) best = candidate.bid;
        }
        candidate.bid = best;
    }
}
