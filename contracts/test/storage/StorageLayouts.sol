// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarketPause } from "../../src/governance/MarketPause.sol";
import { Bid } from "../../src/market/Bid.sol";
import { CertificateRegistry } from "../../src/market/CertificateRegistry.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { ComputeLease } from "../../src/market/ComputeLease.sol";
import { Escrow } from "../../src/market/Escrow.sol";
import { ProviderAdmission } from "../../src/market/ProviderAdmission.sol";
import { ProviderAttributes } from "../../src/market/ProviderAttributes.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { RewardOracle } from "../../src/rewards/RewardOracle.sol";
import { Rewarder } from "../../src/rewards/Rewarder.sol";

// One probe for each module: the compiler tells the layout of variables alone, and a namespace is none.

contract BidLayout {
    Bid.Layout private _state;
}

contract CertificateRegistryLayout {
    CertificateRegistry.Layout private _state;
}

contract ComplianceRegistryLayout {
    ComplianceRegistry.Layout private _state;
}

contract ComputeLeaseLayout {
    ComputeLease.Layout private _state;
}

contract EscrowLayout {
    Escrow.Layout private _state;
}

contract MarketPauseLayout {
    MarketPause.Layout private _state;
}

contract ProviderAdmissionLayout {
    ProviderAdmission.Layout private _state;
}

contract ProviderAttributesLayout {
    ProviderAttributes.Layout private _state;
}

contract RewardOracleLayout {
    RewardOracle.Layout private _state;
}

contract RewarderLayout {
    Rewarder.Layout private _state;
}

contract StakingManagerLayout {
    StakingManager.Layout private _state;
}

contract TokenRegistryLayout {
    TokenRegistry.Layout private _state;
}
