// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The part of an Arbitrum chain's inbox on its parent that a retryable ticket needs.
interface IInbox {
    /// @notice Has the child chain call `to` as the alias of the caller. What is sent and not used goes to the refund addresses there.
    function createRetryableTicket(
        address to,
        uint256 l2CallValue,
        uint256 maxSubmissionCost,
        address excessFeeRefundAddress,
        address callValueRefundAddress,
        uint256 gasLimit,
        uint256 maxFeePerGas,
        bytes calldata data
    ) external payable returns (uint256 ticketId);

    function calculateRetryableSubmissionFee(uint256 dataLength, uint256 baseFee) external view returns (uint256);
}
