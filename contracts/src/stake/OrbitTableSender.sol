// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { ICrossChainRegistry } from "../eigenlayer/ICrossChainRegistry.sol";
import { IOrbitTableReceiver } from "../tables/IOrbitTableReceiver.sol";
import { IInbox } from "./IInbox.sol";

/// @title Sends the operator set's table, as EigenLayer computes it now, to an Arbitrum chain over that chain's inbox.
/// @notice Anyone may call and pays for it; nobody can send anything but the table of this block.
/// @dev For an inbox that takes the fees of tickets in ether. Nothing is ever left here: the inbox gets all of the value, and refunds what is
/// not used to the caller on the child chain, where a contract's caller should name another account.
contract OrbitTableSender {
    event TableSent(uint32 indexed referenceTimestamp, uint32 referenceBlockNumber, uint256 ticketId);

    error ValueTooLow(uint256 needed);
    error RefundMissing();

    IInbox public immutable inbox;
    ICrossChainRegistry public immutable registry;
    /// @notice On the child chain.
    address public immutable receiver;
    address private immutable _AVS;
    uint32 private immutable _SET_ID;

    constructor(IInbox inbox_, ICrossChainRegistry registry_, address receiver_, OperatorSet memory operatorSet) {
        inbox = inbox_;
        registry = registry_;
        receiver = receiver_;
        _AVS = operatorSet.avs;
        _SET_ID = operatorSet.id;
    }

    /// @param gasLimit For the call on the child chain; a ticket that runs out can be redeemed again there for a week.
    /// @param maxFeePerGas Wei on the child chain.
    /// @param refundTo Gets what is not used, on the child chain.
    function sendTable(uint256 gasLimit, uint256 maxFeePerGas, address refundTo) external payable returns (uint256 ticketId) {
        if (refundTo == address(0)) revert RefundMissing();
        bytes memory data = _call();
        uint256 submissionCost = inbox.calculateRetryableSubmissionFee(data.length, block.basefee);
        uint256 needed = submissionCost + gasLimit * maxFeePerGas;
        if (msg.value < needed) revert ValueTooLow(needed);
        ticketId = inbox.createRetryableTicket{ value: msg.value }(
            receiver, 0, submissionCost, refundTo, refundTo, gasLimit, maxFeePerGas, data
        );
        emit TableSent(SafeCast.toUint32(block.timestamp), SafeCast.toUint32(block.number), ticketId);
    }

    /// @notice Least value that `sendTable` takes in a block with this base fee, wei.
    function valueFor(uint256 gasLimit, uint256 maxFeePerGas, uint256 baseFee) external view returns (uint256) {
        return inbox.calculateRetryableSubmissionFee(_call().length, baseFee) + gasLimit * maxFeePerGas;
    }

    function _call() private view returns (bytes memory) {
        bytes memory table = registry.calculateOperatorTableBytes(OperatorSet(_AVS, _SET_ID));
        return
            abi.encodeCall(IOrbitTableReceiver.receiveTable, (SafeCast.toUint32(block.timestamp), SafeCast.toUint32(block.number), table));
    }
}
