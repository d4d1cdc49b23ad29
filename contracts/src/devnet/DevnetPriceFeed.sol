// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAggregatorV3 } from "../rewards/IAggregatorV3.sol";

/// @title A price feed, or a sequencer's uptime feed, whose rounds its owner writes by hand, for chains that have none.
/// @dev The owner can say anything at any time; it must never price what has value.
contract DevnetPriceFeed is IAggregatorV3 {
    struct Round {
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    error NotOwner(address caller);

    address public immutable owner;
    uint8 public immutable decimals;
    string public description;
    uint80 private _roundId;
    Round private _round;

    constructor(string memory description_, uint8 decimals_, int256 answer) {
        owner = msg.sender;
        decimals = decimals_;
        description = description_;
        _setRound(answer, block.timestamp, block.timestamp, 1);
    }

    /// @notice A complete round of this second. Only the owner.
    function setAnswer(int256 answer) external {
        setRound(answer, block.timestamp, block.timestamp, _roundId + 1);
    }

    /// @notice A round as it stands, incomplete (`updatedAt` 0), old or answered in an earlier one included. Only the owner.
    function setRound(int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) public {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _setRound(answer, startedAt, updatedAt, answeredInRound);
    }

    /// @inheritdoc IAggregatorV3
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (_roundId, _round.answer, _round.startedAt, _round.updatedAt, _round.answeredInRound);
    }

    function _setRound(int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) private {
        _round = Round(answer, startedAt, updatedAt, answeredInRound);
        emit AnswerUpdated(answer, ++_roundId, updatedAt);
    }
}
