// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MatchBatch, Policy } from "../../src/market/MarketTypes.sol";
import { MarketBase } from "../MarketBase.t.sol";

/// @notice What a settlement costs all in (transaction, calldata and execution), each order on a machine of its own, four signers.
/// @dev Figures go to snapshots/MatchSettlement.json. `setUp` puts orders and machines into the state before the measured transaction.
contract MatchSettlementGasTest is MarketBase {
    uint256 private constant MOST = 512;
    uint256 private constant TRANSACTION_CAP = 16_700_000;

    uint32 private round;
    bytes private all;

    function setUp() public override {
        super.setUp();
        uint24 provider = _provider(providerOwner);
        // 8 devices and 64 cores a machine.
        _stake(provider, MOST * 864);
        for (uint256 i; i < MOST; ++i) {
            _machine(provider);
            _order(_spec());
        }
        round = _openNext();
        bytes memory records;
        for (uint32 id = 1; id <= MOST; ++id) {
            records = bytes.concat(records, _encode(_record(id, id, 1)));
        }
        all = records;
    }

    function _measure(uint256 count, string memory name) private returns (uint256 gasUsed) {
        bytes memory records = new bytes(count * 32);
        for (uint256 i; i < records.length; ++i) {
            records[i] = all[i];
        }
        MatchBatch memory batch = _batch(round, records);
        Policy memory policy = _defaultPolicy();
        bytes memory signatures = _sign(batch, ALL_SIGN);
        uint256 matched = settlement.settle(batch, policy, records, signatures);
        gasUsed = vm.snapshotGasLastCall("MatchSettlement", name);
        assertEq(matched, count);
    }

    /// forge-config: default.isolate = true
    function test_gasOf16Matches() public {
        _measure(16, "settle 16 matches");
    }

    /// forge-config: default.isolate = true
    function test_gasOf256MatchesIsBelow20000Each() public {
        assertLt(_measure(256, "settle 256 matches"), 256 * 20_000);
    }

    /// forge-config: default.isolate = true
    function test_512MatchesFitOneTransaction() public {
        assertLt(_measure(512, "settle 512 matches"), TRANSACTION_CAP);
    }
}
