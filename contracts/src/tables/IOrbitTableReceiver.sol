// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the parent chain's sender calls on a chain that EigenLayer does not serve.
interface IOrbitTableReceiver {
    event TableReceived(uint32 indexed referenceTimestamp, uint32 referenceBlockNumber);

    error OnlyTableSender(address caller);
    /// @notice A table of this time or a later one is here already.
    error TableNotNewer(uint32 referenceTimestamp, uint32 latestTimestamp);
    error TableFromFuture(uint32 referenceTimestamp);
    error TableStale(uint32 referenceTimestamp);
    error OtherOperatorSet(address avs, uint32 id);
    error OtherCurve(uint8 curve);
    /// @notice A table that never goes stale could be used for ever.
    error StalenessUnlimited();
    /// @notice An operator has none or several weights, or one of more than 96 bits.
    error WeightInvalid(uint256 position);

    /// @param referenceTimestamp Of the parent chain's block that the table was computed in, seconds.
    /// @param referenceBlockNumber That block.
    /// @param tableBytes As CrossChainRegistry.calculateOperatorTableBytes gives them.
    function receiveTable(uint32 referenceTimestamp, uint32 referenceBlockNumber, bytes calldata tableBytes) external;
}
