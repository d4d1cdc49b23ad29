// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BN254OperatorSetInfo, ECDSAOperatorInfo, OperatorSet } from "../eigenlayer/EigenTypes.sol";

/// @title Where operator tables arrive on this chain: EigenLayer's certificate verifier, or a receiver on a chain that EigenLayer does not
/// serve.
/// @dev The part of EigenLayer's verifier ABI that taking over a table needs, selector by selector, so that a receiver that answers it
/// stands in for one. A stored table never changes. The ECDSA certificate's domain names the source's address.
interface ITableSource {
    /// @return Seconds; names the newest table of the set, 0 when there is none.
    function latestReferenceTimestamp(OperatorSet memory operatorSet) external view returns (uint32);
    /// @return Seconds a table stays usable after its reference timestamp; 0 = for ever.
    function maxOperatorTableStaleness(OperatorSet memory operatorSet) external view returns (uint32);
}

interface IEcdsaTableSource is ITableSource {
    function getOperatorInfos(OperatorSet calldata operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (ECDSAOperatorInfo[] memory);
}

interface IBn254TableSource is ITableSource {
    /// @notice The commitment to a table: its entries are proven against it.
    function getOperatorSetInfo(OperatorSet memory operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (BN254OperatorSetInfo memory);
}

/// @title Who can withdraw a table that has arrived: EigenLayer's table updater, or the receiver itself.
interface ITableRoots {
    function isRootValidByTimestamp(uint32 referenceTimestamp) external view returns (bool);
}
