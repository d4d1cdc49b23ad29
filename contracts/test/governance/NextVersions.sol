// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";
import { Bid } from "../../src/market/Bid.sol";
import { CertificateRegistry } from "../../src/market/CertificateRegistry.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { ComputeLease } from "../../src/market/ComputeLease.sol";
import { Escrow } from "../../src/market/Escrow.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { ProviderAdmission } from "../../src/market/ProviderAdmission.sol";
import { ProviderAttributes } from "../../src/market/ProviderAttributes.sol";
import { SignedCalls } from "../../src/market/SignedCalls.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { RewardOracle } from "../../src/rewards/RewardOracle.sol";
import { Rewarder } from "../../src/rewards/Rewarder.sol";

// The next version of every module: its storage with one field appended, and nothing else new.

/// @notice What every next version can do that its predecessor could not.
interface INextVersion {
    function setAdded(uint256 value) external;
    function added() external view returns (uint256);
}

contract MarketPauseV2 is MarketPause, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.MarketPause");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract TokenRegistryV2 is TokenRegistry, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.TokenRegistry");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract MatchPolicyV2 is MatchPolicy, INextVersion {
    struct LayoutV2 {
        uint256 added;
    }

    constructor(bool arbSys) MatchPolicy(arbSys) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.MatchPolicy");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract StakingManagerV2 is StakingManager, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market, address token) StakingManager(market, token) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.StakingManager");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract ComplianceRegistryV2 is ComplianceRegistry, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market, address token) ComplianceRegistry(market, token) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.ComplianceRegistry");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract ProviderAdmissionV2 is ProviderAdmission, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market) ProviderAdmission(market) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.ProviderAdmission");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract ProviderAttributesV2 is ProviderAttributes, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market) ProviderAttributes(market) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.ProviderAttributes");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract CertificateRegistryV2 is CertificateRegistry, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.CertificateRegistry");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract EscrowV2 is Escrow, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market) Escrow(market) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.Escrow");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract BidV2 is Bid, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market, bool arbSys) Bid(market, arbSys) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.Bid");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract ComputeLeaseV2 is ComputeLease, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market) ComputeLease(market) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.ComputeLease");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract SignedCallsV2 is SignedCalls, INextVersion {
    struct LayoutV2 {
        uint256 added;
    }

    constructor(MarketContracts memory market) SignedCalls(market) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.SignedCalls");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract RewardOracleV2 is RewardOracle, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market) RewardOracle(market) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.RewardOracle");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}

contract RewarderV2 is Rewarder, INextVersion {
    struct LayoutV2 {
        Layout before;
        uint256 added;
    }

    constructor(MarketContracts memory market, address token) Rewarder(market, token) { }

    function setAdded(uint256 value) external {
        _next().added = value;
    }

    function added() external view returns (uint256) {
        return _next().added;
    }

    function _next() private pure returns (LayoutV2 storage state) {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.Rewarder");
        assembly ("memory-safe") {
            state.slot := slot
        }
    }
}
